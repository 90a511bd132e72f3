export { Clock } from './activity/clock.js';
export type { EndReason } from './activity/activity-record.js';
export { diagnostics } from './activity/diagnostics.js';
export type { LiveSession } from './activity/user-sessions.js';
export {
  OnSessionEnd,
  OnSessionExpire,
  OnSessionRenew,
  OnSessionStart,
  OnSessionWarn,
} from './events/event-handler.decorators.js';
export type * from './events/session-event.js';
export { SessionSecurityEvents } from './events/session-security-events.js';
export {
  type SessionSecurityFailure,
  SessionSecurityHealth,
  type SessionSecurityHealthResult,
} from './events/session-security-health.js';
export type { NoticeReason } from './http/end-notice.js';
export type { LiveConnection } from './http/live-connections.js';
export type { SessionStatus } from './http/ping-answer.js';
export { PASSIVE_HEADER } from './http/request-classifier.js';
export type { SessionSecurityResponse } from './http/response-headers.js';
export { AllowExpired, Passive } from './http/route-decorators.js';
export type { SessionReader } from './http/session-platform.js';
export { SessionSecurityService, type UserId } from './http/session-security.service.js';
export {
  type ClientOptions,
  type ClientTagOptions,
  type PageFunction,
  type PassiveRule,
  type RequestFunction,
  SessionSecurityOptions,
  SessionSecurityOptionsError,
  type SessionSecurityOptionsInput,
  type SessionSecurityRequest,
} from './options/index.js';
export type { Limits, PolicyDescription, PresetName, TimeoutReason } from './policy/index.js';
export { SessionSecurityModule } from './session-security.module.js';
export type { SessionSecurityRouteOptions } from './session-security.module-definition.js';
