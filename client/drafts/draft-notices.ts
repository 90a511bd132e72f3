import { noticeBar } from './notice-bar.js';
import type { NoticeBar } from './notice-bar.js';
import { ENGLISH } from './texts.js';
import type { DraftTexts } from './texts.js';

type Button = [text: keyof DraftTexts, act: () => void];

/** What the page says of drafts, one thing at a time. */
export interface DraftNotices {
  found: (restore: () => void, discard: () => void) => void;
  restored: () => void;
  /** Why a form was not sent. */
  held: (reason: 'signed-out' | 'unreachable') => void;
  hide: () => void;
}

/** @param replaced texts in place of the built-in ones; asked for when there is first something to say */
export function draftNotices(replaced: () => Partial<DraftTexts>): DraftNotices {
  let words: DraftTexts;
  let bar: NoticeBar | undefined;

  const say = (text: keyof DraftTexts, buttons: Button[], urgent?: boolean): void => {
    words ??= { ...ENGLISH, ...replaced() };
    bar ??= noticeBar(words);
    bar.show(
      words[text],
      buttons.map(([name, act]) => [words[name], act]),
      urgent,
    );
  };
  const hide = (): void => bar?.hide();
  const close: Button = ['draftClose', hide];

  return {
    found: (restore, discard) =>
      say('draftFound', [
        ['draftRestore', restore],
        ['draftDiscard', discard],
      ]),
    restored: () => say('draftRestored', [close]),
    held: (reason) => say(reason === 'unreachable' ? 'draftUnreachable' : 'draftSignedOut', [close], true),
    hide,
  };
}
