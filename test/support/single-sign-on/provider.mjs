/**
 * An identity provider: run with the address of the application that it serves. It lets in whoever gives a name, says its
 * own address over IPC, and ends with its parent.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const application = process.argv[2];
const server = createServer().listen(0, '127.0.0.1');
await once(server, 'listening');
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'front-desk',
      client_secret: 'known to both sides',
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: [`${application}/sign-in/callback`],
      post_logout_redirect_uris: [`${application}/sign-in`],
    },
  ],
  cookies: { keys: ['for tests only'] },
  features: { revocation: { enabled: true }, introspection: { enabled: true } },
  findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  issueRefreshToken: () => true,
  // An application of the same house: nobody is asked whether they agree.
  async loadExistingGrant({ oidc }) {
    const grant = new provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
    grant.addOIDCScope('openid');
    await grant.save();
    return grant;
  },
});
server.on('request', provider.callback());
process.on('disconnect', () => process.exit());
process.send({ issuer });
