import { fetchTransport } from '../dom/fetch-transport.js';
import { followFormChanges } from '../dom/form-changes.js';
import { holdSubmits } from '../dom/held-submits.js';
import { GUARD_ATTRIBUTE, isGuarded, leaveGuard } from '../dom/leave-guard.js';
import { tabChannel } from '../dom/tab-channel.js';
import type { SessionSecurityClient } from '../session-security-client.js';
import { createDraftKeeper } from './draft-keeper.js';
import type { FoundDraft } from './draft-keeper.js';
import { askStanding } from './draft-server.js';
import type { Standing } from './draft-server.js';
import type { DraftNews, TellDraftNews } from './draft-event.js';
import { DRAFT_ATTRIBUTE, isKept, notePassword } from './kept-fields.js';
import { noticeBar } from './notice-bar.js';
import type { NoticeAction, NoticeBar } from './notice-bar.js';
import { ENGLISH } from './texts.js';
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

/** What the script tag says for the whole page. */
const tagSays = (attribute: string): string | undefined =>
  document.querySelector(`script[${attribute}]`)?.getAttribute(attribute) ?? undefined;

const isTypedInto = (element: Element | null): element is HTMLElement =>
  (element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement) &&
  element.value !== element.defaultValue;

/** Wires forms, guard and drafts to the client's events and to the page. */
export function createFormsKeeper(client: SessionSecurityClient, options: FormsOptions): FormsKeeper {
  const stopping = new AbortController();
  const { signal } = stopping;
  const transport = fetchTransport(options.path ?? '/session-security');
  const guardAll = options.guard ?? tagSays(GUARD_ATTRIBUTE) !== undefined;
  const draftAll = !!(options.drafts ?? tagSays(DRAFT_ATTRIBUTE) !== undefined);
  const isAutomatic =
    options.drafts === 'automatic' || !!document.querySelector(`[${DRAFT_ATTRIBUTE}=automatic]`);
  let beginning: Promise<boolean> | undefined;
  let standing: Standing | undefined;
  let bar: NoticeBar | undefined;

  const tell: TellDraftNews = (state, reason) => {
    const detail: DraftNews = reason ? { state, reason } : { state };
    client.dispatchEvent(new CustomEvent('draft', { detail }));
  };
  const isWanted = (field: Element): boolean => isKept(field, draftAll);
  const isDrafted = (form: HTMLFormElement): boolean => [...form.elements].some(isWanted);
  const lives = (): boolean => LIVE.includes(client.phase());

  const changes = followFormChanges(() => {
    guard.update();
    if (!changes.fields().some(isWanted)) return;
    void begin();
    drafts.changed();
  }, signal);
  const guard = leaveGuard(() => changes.dirtyForms().filter((form) => isGuarded(form, guardAll)), signal);
  const drafts = createDraftKeeper(changes, isWanted, tell);

  /** Takes the key and looks for a draft; again after it could not be done. */
  const begin = (): Promise<boolean> => (beginning ??= tryBegin());
  const tryBegin = async (): Promise<boolean> => {
    if (!globalThis.crypto?.subtle) {
      tell('unavailable', 'insecure');
      return false;
    }
    standing = await askStanding(transport);
    if (!standing?.owner) {
      // Nobody yet, or not reached: asked again when the client is watching, or when somebody types.
      beginning = undefined;
      return false;
    }
    if (!standing.grant) {
      tell('unavailable', 'no-user');
      return false;
    }
    const began = await drafts.begin(standing.owner, standing.grant);
    if (began) await offer();
    return began;
  };

  const say = (name: keyof DraftTexts, actions: NoticeAction[], urgent?: boolean): void => {
    const words: DraftTexts = { ...ENGLISH, ...standing?.grant?.texts, ...options.texts };
    bar ??= noticeBar(words);
    const buttons = actions.map(([key, act]): NoticeAction => [words[key as keyof DraftTexts], act]);
    bar.show(words[name], buttons, urgent);
  };
  const hide = (): void => bar?.hide();
  const sayAndClose = (name: keyof DraftTexts, urgent?: boolean): void =>
    say(name, [['draftClose', hide]], urgent);

  const offer = async (): Promise<void> => {
    const found = await drafts.find();
    if (!found || signal.aborted) return;
    if (isAutomatic) return putBack(found);
    say('draftFound', [
      ['draftRestore', () => void putBack(found)],
      ['draftDiscard', () => void discard(found)],
    ]);
    tell('found');
  };
  const putBack = async ({ draft, remove }: FoundDraft): Promise<void> => {
    const written = writeFields(draft.fields, isWanted, changes.mark, signal);
    sayAndClose('draftRestored');
    tell('restored');
    // The old one is kept until all of it is in the new one.
    if (!(await written)) return;
    await drafts.save();
    await remove();
  };
  const discard = async ({ remove }: FoundDraft): Promise<void> => {
    hide();
    await remove();
    tell('discarded');
  };

  /** A form is sent only into a living session, and not into somebody else's. */
  const mayPass = async (): Promise<boolean> => {
    await drafts.save();
    const now = await askStanding(transport);
    const isMine = now?.grant
      ? !standing?.grant || drafts.isSameUser(now.grant)
      : now?.owner === standing?.owner;
    if (now?.owner && isMine) return true;
    if (now) {
      sayAndClose('draftSignedOut', true);
      tell('held', 'signed-out');
      tellTabs(now.owner, (standing ?? now).settings.application);
    } else {
      sayAndClose('draftUnreachable', true);
      tell('held', 'unreachable');
    }
    return false;
  };
  /** As if another tab had told that somebody signed in or out: every tab asks, this one too. */
  const tellTabs = (owner: string | null, application: string | undefined): void => {
    const channel = tabChannel(`session-security:${application}`, () => {});
    // The owner of nobody is empty, as the sign-in page tells it.
    channel?.postMessage({ owner: owner ?? '' });
    channel?.close();
  };
  holdSubmits((form) => isGuarded(form, guardAll) || isDrafted(form), mayPass, signal);

  const follow = (target: EventTarget, names: string[], act: (event: Event) => void): void =>
    names.forEach((name) => target.addEventListener(name, act, { capture: true, signal }));
  follow(client, ['active'], () => {
    if (asksForDrafts()) void begin();
  });
  follow(client, ['warn', 'cover'], () => void drafts.save());
  follow(client, ['expire'], (event) => {
    guard.turn(false);
    const { reason } = (event as CustomEvent<{ reason: string | null }>).detail;
    void (reason === 'logout' ? drafts.wipe() : drafts.save());
    // Who signs in again in this page begins anew.
    beginning = undefined;
  });
  let isGone = false;
  follow(globalThis, ['pagehide'], () => {
    isGone = true;
    if (lives()) drafts.drop();
  });
  // A page that goes away is told of it twice: `visibilitychange` follows `pagehide`
  // (https://html.spec.whatwg.org/#unload-a-document).
  follow(globalThis, ['pageshow', 'freeze', 'visibilitychange'], ({ type }) => {
    if (type === 'pageshow') isGone = false;
    if (!isGone && (document.hidden || type === 'pageshow')) void drafts.save();
  });
  follow(globalThis, ['focusin', 'input'], ({ target }) => {
    if (target instanceof HTMLInputElement) notePassword(target);
  });

  const asksForDrafts = (): boolean => draftAll || !!document.querySelector(`[${DRAFT_ATTRIBUTE}]`);
  document.querySelectorAll('input').forEach(notePassword);
  if (asksForDrafts()) void begin();
  // Somebody was faster than this script.
  const { activeElement } = document;
  if (isTypedInto(activeElement)) changes.mark(activeElement);

  return {
    markClean(form) {
      changes.clean(form);
      void drafts.save();
    },
    guard: guard.turn,
    destroy() {
      stopping.abort();
      drafts.close();
      hide();
    },
  };
}
