import { applyDecorators, SetMetadata } from '@nestjs/common';

export const PASSIVE = 'session-security:passive';
export const ALLOW_EXPIRED = 'session-security:allow-expired';

/**
 * Requests to this handler, or to all handlers of this class, are not activity: polling, notifications, status.
 * `@Passive(false)` on a handler makes an exception from its class. Messages over sockets are passive unless it says
 * otherwise of their handler or gateway.
 *
 * @publicApi
 */
export const Passive = (passive = true): MethodDecorator & ClassDecorator => SetMetadata(PASSIVE, passive);

/**
 * With `onExpired: 'reject'` or `'redirect'`, this handler is reached although the request's session has ended, as
 * nobody: the sign-in page and what it posts to.
 *
 * @publicApi
 */
export const AllowExpired = (): MethodDecorator & ClassDecorator => SetMetadata(ALLOW_EXPIRED, true);

/** A route of the module itself: no activity, reached whatever has ended. */
export const OwnRoute = (): ClassDecorator => applyDecorators(Passive(), AllowExpired());
