import { csrfSync } from 'csrf-sync';

export const { csrfSynchronisedProtection, generateToken } = csrfSync({
  // The client's own requests carry no token: what another site sends there is refused already.
  skipCsrfProtection: ({ path }) => path.startsWith('/session-security/'),
});
