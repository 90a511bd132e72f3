import { SetMetadata } from '@nestjs/common';
import type { AnySessionEvent } from './session-event.js';

export const EVENT_HANDLER = 'session-security:event-handler';

const handlerOf = (kind: AnySessionEvent['kind']) => (): MethodDecorator => SetMetadata(EVENT_HANDLER, kind);

/** The method is called with a {@link SessionStartEvent} when watching a session begins. @publicApi */
export const OnSessionStart = handlerOf('start');
/** The method is called with a {@link SessionWarnEvent} when a session is about to end. @publicApi */
export const OnSessionWarn = handlerOf('warn');
/** The method is called with a {@link SessionRenewEvent} when activity called a warning off. @publicApi */
export const OnSessionRenew = handlerOf('renew');
/** The method is called with a {@link SessionExpireEvent} when a session has ended by the passing of time. @publicApi */
export const OnSessionExpire = handlerOf('expire');
/** The method is called with a {@link SessionEndEvent} when a session has ended, for whatever reason. @publicApi */
export const OnSessionEnd = handlerOf('end');
