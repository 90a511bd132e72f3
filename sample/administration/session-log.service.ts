import { Injectable } from '@nestjs/common';
import {
  OnSessionEnd,
  OnSessionExpire,
  OnSessionRenew,
  OnSessionStart,
  OnSessionWarn,
  type SessionEndEvent,
  type SessionExpireEvent,
  type SessionRenewEvent,
  type SessionStartEvent,
  type SessionWarnEvent,
} from 'nestjs-session-security';

type LoggedEvent =
  SessionStartEvent | SessionWarnEvent | SessionRenewEvent | SessionExpireEvent | SessionEndEvent;

const KEPT_EVENTS = 200;

/** Remembers what happened to sessions; a real application would write it to its audit trail. */
@Injectable()
export class SessionLogService {
  #events: (LoggedEvent & { number: number })[] = [];
  #number = 0;

  /** What happened after the event of that number. */
  after(number: number): readonly (LoggedEvent & { number: number })[] {
    return this.#events.filter((event) => event.number > number);
  }

  @OnSessionStart()
  started(event: SessionStartEvent): void {
    this.#remember(event);
  }

  @OnSessionWarn()
  warned(event: SessionWarnEvent): void {
    this.#remember(event);
  }

  @OnSessionRenew()
  renewed(event: SessionRenewEvent): void {
    this.#remember(event);
  }

  @OnSessionExpire()
  expired(event: SessionExpireEvent): void {
    this.#remember(event);
  }

  @OnSessionEnd()
  ended(event: SessionEndEvent): void {
    this.#remember(event);
  }

  #remember(event: LoggedEvent): void {
    this.#number += 1;
    this.#events = [...this.#events, { ...event, number: this.#number }].slice(-KEPT_EVENTS);
  }
}
