/** The texts of the dialog, by key. `{time}` is replaced by a phrase like "in 2 minutes". */
export const ENGLISH = {
  title: 'Are you still there?',
  message: 'You will be signed out soon.',
  lifetime: 'You will be signed out soon and cannot stay longer. Please save your work.',
  time: 'You will be signed out {time}.',
  stay: 'Stay signed in',
  signOut: 'Sign out now',
  close: 'Continue',
  failed: 'The server could not be reached. Please try again.',
};

export type Texts = typeof ENGLISH;
