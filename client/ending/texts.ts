/** The texts of a locked page, by key. */
export const ENGLISH = {
  /** The language of these texts, a BCP 47 tag, and the direction in which they are read. */
  lang: 'en',
  dir: 'ltr',
  lockedTitle: 'You have been signed out',
  lockedText: 'What you were doing is still here. Sign in again in a new window to go on.',
  signIn: 'Sign in',
};
