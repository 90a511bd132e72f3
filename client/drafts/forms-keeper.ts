import { userOf } from '../core/answer.js';
import { asksFor } from '../dom/asks-for.js';
import { fetchTransport } from '../dom/fetch-transport.js';
import { followFormChanges } from '../dom/form-changes.js';
import { formProperty } from '../dom/form-property.js';
import { holdSubmits } from '../dom/held-submits.js';
import { GUARD_ATTRIBUTE, isGuarded, leaveGuard } from '../dom/leave-guard.js';
import { listen } from '../dom/listen.js';
import { tabChannel } from '../dom/tab-channel.js';
import type { SessionSecurityClient } from '../session-security-client.js';
import type { SessionSecurityEventMap } from '../typed-event-target.js';
import { createDraftKeeper } from './draft-keeper.js';
import type { FoundDraft } from './draft-keeper.js';
import { askStanding } from './draft-server.js';
import type { Standing } from './draft-server.js';
import type { DraftNews, TellDraftNews } from './draft-event.js';
import { draftNotices } from './draft-notices.js';
import { DRAFT_ATTRIBUTE, isKept, notePassword } from './kept-fields.js';
import type { DraftTexts } from './texts.js';
import { writeFields } from './typed-fields.js';

/** What is done for the forms of a page, where its attributes do not say. */
export interface FormsOptions {
  /** Address of the module's routes, without a slash at the end. Default: `/session-security`. */
  path?: string | undefined;
  /** Ask before the page is left with unsaved work in any form that is sent by POST. */
  guard?: boolean;
  /** Keep drafts of all fields; `automatic`: and put them back without asking. */
  drafts?: boolean | 'automatic';
  /** Texts that replace the built-in ones and the server's. */
  texts?: Partial<DraftTexts>;
}

/** Looks after unsaved work in this page. */
export interface FormsKeeper {
  /** The form's content has been saved by a script: it is clean, and its draft is dropped. Without a form: all of them. */
  markClean: (form?: HTMLFormElement) => void;
  /** Switches the leave-page guard off or on again. */
  guard: (on: boolean) => void;
  /** Stops for good. What is kept stays kept, for its hour. */
  destroy: () => void;
}

const LIVE = ['active', 'warning'];
/** Phases of a page for nobody, as far as is known. */
const UNWATCHED = ['inert', 'starting'];

/** Whether the script tag asks for the whole page. */
function tagAsks(attribute: string): boolean {
  const tag = document.querySelector(`script[${attribute}]`);
  return !!tag && asksFor(tag, attribute, false);
}

const isTypedInto = (element: Element | null): element is HTMLElement =>
  (element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement) &&
  element.value !== element.defaultValue;

/** Wires forms, guard and drafts to the client's events and to the page. */
export function createFormsKeeper(client: SessionSecurityClient, options: FormsOptions): FormsKeeper {
  const stopping = new AbortController();
  const { signal } = stopping;
  const transport = fetchTransport(options.path ?? '/session-security');
  const guardAll = options.guard ?? tagAsks(GUARD_ATTRIBUTE);
  const draftAll = !!(options.drafts ?? tagAsks(DRAFT_ATTRIBUTE));
  const isAutomatic =
    options.drafts === 'automatic' || !!document.querySelector(`[${DRAFT_ATTRIBUTE}=automatic]`);
  let beginning: Promise<void> | undefined;
  let learning: Promise<unknown> | undefined;
  /** For whom the work in the page is done. */
  let standing: Standing | undefined;

  const tell: TellDraftNews = (state, reason) => {
    const detail: DraftNews = reason ? { state, reason } : { state };
    client.dispatchEvent(new CustomEvent('draft', { detail }));
  };
  const isWanted = (field: Element): boolean => isKept(field, draftAll);
  const isLookedAfter = (form: HTMLFormElement): boolean =>
    isGuarded(form, guardAll) || [...formProperty(form, 'elements')].some(isWanted);
  const lives = (): boolean => LIVE.includes(client.phase());
  const isUnwatched = (): boolean => UNWATCHED.includes(client.phase());

  const heedChanges = (): void => {
    guard.update();
    if (isUnwatched()) return;
    if (changes.fields().some(isWanted)) {
      void begin();
      drafts.changed();
    } else if (changes.dirtyForms().some(isLookedAfter)) {
      // Where nothing is kept, it matters only for whom the form is filled in.
      learning ??= learn();
    }
  };
  const changes = followFormChanges(heedChanges, signal);
  /** What the application wants. */
  let isGuardWanted = true;
  const guard = leaveGuard(() => changes.dirtyForms().filter((form) => isGuarded(form, guardAll)), signal);
  const drafts = createDraftKeeper(changes, isWanted, tell);
  const notices = draftNotices(() => ({ ...standing?.grant?.texts, ...options.texts }));

  /** Takes the key and looks for a draft; again after it could not be done. */
  const begin = (): Promise<void> => (beginning ??= tryBegin());
  const tryBegin = async (): Promise<void> => {
    const now = await learn();
    // Not reached, or nobody any more: asked again when somebody types.
    if (!now?.owner) beginning = undefined;
    else if (!globalThis.crypto?.subtle) tell('unavailable', 'insecure');
    else if (!now.grant) tell('unavailable', 'no-user');
    else if (await drafts.begin(now.owner, now.grant)) await offer();
  };
  const learn = async (): Promise<Standing | undefined> => {
    const now = await askStanding(transport);
    if (now?.owner) standing = now;
    return now;
  };

  const offer = async (): Promise<void> => {
    const found = await drafts.find();
    if (!found || signal.aborted) return;
    if (isAutomatic) return putBack(found);
    notices.found(
      () => void putBack(found),
      () => void discard(found),
    );
    tell('found');
  };
  const putBack = async ({ draft, remove }: FoundDraft): Promise<void> => {
    const written = writeFields(draft.fields, isWanted, changes.mark, signal);
    notices.restored();
    tell('restored');
    // The old one is kept until all of it is in the new one.
    if (!(await written)) return;
    await drafts.save();
    await remove();
  };
  const discard = async ({ remove }: FoundDraft): Promise<void> => {
    notices.hide();
    await remove();
    tell('discarded');
  };

  /** Not by the key of the drafts, which without a secret is another one after the server has been started again. */
  const isOfSameUser = ({ owner }: Standing): boolean =>
    !!owner && (!standing?.owner || userOf(owner) === userOf(standing.owner));
  /** A form is sent only into a living session, and not into somebody else's. */
  const mayPass = async (): Promise<boolean> => {
    await drafts.save();
    const now = await askStanding(transport);
    if (now && (isUnwatched() || isOfSameUser(now))) return true;
    const reason = now ? 'signed-out' : 'unreachable';
    notices.held(reason);
    tell('held', reason);
    if (now) tellTabs(now.owner, (standing ?? now).settings.application);
    return false;
  };
  /** As if another tab had told that somebody signed in or out: every tab asks, this one too. */
  const tellTabs = (owner: string | null, application: string | undefined): void => {
    const channel = tabChannel(`session-security:${application}`, () => {});
    // The owner of nobody is empty, as the sign-in page tells it.
    channel?.postMessage({ owner: owner ?? '' });
    channel?.close();
  };
  holdSubmits((form) => client.phase() !== 'inert' && isLookedAfter(form), mayPass, signal);

  /** Before the application's listeners, which may take the forms away. */
  const heed = <Type extends keyof SessionSecurityEventMap>(
    type: Type,
    act: (event: SessionSecurityEventMap[Type]) => void,
  ): void => client.addEventListener(type, act, { capture: true, signal });
  const beginIfWatched = (): void => {
    if (lives() && (draftAll || document.querySelector(`[${DRAFT_ATTRIBUTE}]`))) void begin();
    heedChanges();
  };
  heed('active', () => {
    // A locked page that goes on.
    guard.turn(isGuardWanted);
    beginIfWatched();
  });
  heed('warn', () => void drafts.save());
  heed('cover', () => void drafts.save());
  heed('expire', ({ detail }) => {
    guard.turn(false);
    void (detail.reason === 'logout' ? drafts.wipe() : drafts.save());
    // Who signs in again in this page begins anew.
    beginning = undefined;
  });
  let isGone = false;
  const pageGoes = (): void => {
    isGone = true;
    if (lives()) drafts.drop();
  };
  // A page that goes away is told of it twice: `visibilitychange` follows `pagehide`
  // (https://html.spec.whatwg.org/#unload-a-document).
  const pageRests = ({ type }: Event): void => {
    if (type === 'pageshow') isGone = false;
    if (!isGone && (document.hidden || type === 'pageshow')) void drafts.save();
  };
  const fieldIsUsed = ({ target }: Event): void => {
    if (target instanceof HTMLInputElement) notePassword(target);
  };
  listen(['pagehide'], pageGoes, signal);
  listen(['pageshow', 'freeze', 'visibilitychange'], pageRests, signal);
  listen(['focusin', 'input'], fieldIsUsed, signal);

  document.querySelectorAll('input').forEach(notePassword);
  beginIfWatched();
  // Somebody was faster than this script.
  const { activeElement } = document;
  if (isTypedInto(activeElement)) changes.mark(activeElement);

  return {
    markClean(form) {
      changes.clean(form);
      void drafts.save();
    },
    guard(on) {
      isGuardWanted = on;
      guard.turn(on);
    },
    destroy() {
      stopping.abort();
      drafts.close();
      notices.hide();
    },
  };
}
