/** The texts of the dialog, by key. `{time}` is replaced by a phrase like "in 2 minutes". */
export const ENGLISH = {
  title: 'Are you still there?',
  message:
    'To protect your information you will be signed out soon, because nothing has happened for a while.',
  lifetime: 'You have been signed in for as long as is allowed. Please save your work now.',
  time: 'You will be signed out {time}.',
  stay: 'Stay signed in',
  signOut: 'Sign out now',
  close: 'Continue',
  failed: 'We could not reach the server. Please try again.',
  ended: 'You have been signed out.',
  signIn: 'Sign in',
  covered: 'This page is hidden until we know that you are still signed in.',
};

export type Texts = typeof ENGLISH;
