/** What became of drafts, as the `draft` event of the client tells it. */
export interface DraftNews {
  /**
   * - `unavailable`: there will be no drafts on this page; `reason` says why
   * - `kept`: what is in the page now is kept
   * - `found`: there is a draft for this page, and it is offered
   * - `restored`, `discarded`: what became of the offer
   * - `wiped`: the user signed out, and all drafts of this user in this browser are gone
   * - `held`: a form was not sent, because the session has ended or the server could not be asked
   */
  state: 'unavailable' | 'kept' | 'found' | 'restored' | 'discarded' | 'wiped' | 'held';
  /**
   * `insecure`: plain http has no WebCrypto; `storage`: the browser gives no storage; `no-user`: the server knows no id
   * of this user; `signed-out` and `unreachable`: why a form was held.
   */
  reason?: 'insecure' | 'storage' | 'no-user' | 'signed-out' | 'unreachable';
}

export type TellDraftNews = (state: DraftNews['state'], reason?: DraftNews['reason']) => void;
