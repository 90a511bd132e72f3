/** The texts of the dialog, by key; `idle` and `lifetime` are why it is shown. `{time}` is replaced by a phrase like "in 2 minutes". */
export const ENGLISH = {
  /** The language of these texts, a BCP 47 tag; it decides how `{time}` is put into words. */
  lang: 'en',
  dir: 'ltr',
  title: 'Are you still there?',
  idle: 'Unsaved work may be lost.',
  lifetime: 'You cannot stay signed in longer. Save your work.',
  time: 'You will be signed out {time}.',
  stay: 'Stay signed in',
  signOut: 'Sign out now',
  close: 'Continue',
  failed: 'The server could not be reached.',
};

export type Texts = typeof ENGLISH;
