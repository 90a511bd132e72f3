import csrf from '@fastify/csrf-protection';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS'];

/** After `@fastify/session`. */
export async function useCsrfProtection(app: NestFastifyApplication) {
  await app.register(csrf, { sessionPlugin: '@fastify/session' });
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook('preHandler', (request, reply, next) => {
    // The client's own requests carry no token: what another site sends there is refused already.
    if (SAFE_METHODS.includes(request.method) || request.url.startsWith('/session-security/')) next();
    else fastify.csrfProtection(request, reply, next);
  });
}
