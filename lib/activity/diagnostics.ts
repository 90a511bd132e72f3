import { channel } from 'node:diagnostics_channel';

/**
 * Channels of Node's `diagnostics_channel`, for any monitoring to subscribe to without a dependency. Publishing costs
 * nothing while nobody has subscribed. No message holds a session id.
 *
 * | channel | message |
 * | --- | --- |
 * | `nestjs-session-security:event` | every event, as the application's handlers get it |
 * | `nestjs-session-security:touch` | `{ moved, renewed }` for each request or ping that counted |
 * | `nestjs-session-security:flush` | `{ updates, gone, durationMs }` for each batch written |
 * | `nestjs-session-security:deadlines` | `{ due, durationMs, watched }` for each look that found any |
 * | `nestjs-session-security:use-after-end` | `{ session, userId, reason, at }`: the cookie of an ended session was used |
 * | `nestjs-session-security:store-failure` | `{ operation, message }` |
 *
 * @publicApi
 */
export const diagnostics = {
  event: channel('nestjs-session-security:event'),
  touch: channel('nestjs-session-security:touch'),
  flush: channel('nestjs-session-security:flush'),
  deadlines: channel('nestjs-session-security:deadlines'),
  useAfterEnd: channel('nestjs-session-security:use-after-end'),
  storeFailure: channel('nestjs-session-security:store-failure'),
};
