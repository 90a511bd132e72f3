/** The texts about drafts, by key. */
export const ENGLISH = {
  /** The language of these texts, a BCP 47 tag, and the direction in which they are read. */
  lang: 'en',
  dir: 'ltr',
  draftFound: 'You were signed out before you had finished. What you entered has been kept.',
  draftRestore: 'Put it back',
  draftDiscard: 'Discard it',
  draftRestored: 'What you had entered is back. Please check it before you send it.',
  draftClose: 'Close',
  draftSignedOut:
    'You are signed out, so nothing was sent. Sign in again in another tab, then send it again.',
  draftUnreachable: 'The server could not be reached, so nothing was sent. Please try again.',
};

export type DraftTexts = typeof ENGLISH;
