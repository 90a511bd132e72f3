import type { StartValues } from '../../../client/core/answer.js';

export interface FakeLimits {
  warnAfter: number;
  expireAfter: number;
  maxLifetime?: number;
}

export interface FakeReply {
  status: number;
  body: unknown;
  retryAfter: string | null;
}

/** What the fake server was asked. */
export interface FakeRequest {
  at: number;
  method: 'GET' | 'POST';
  path: string;
  body: Record<string, unknown> | undefined;
}

/**
 * The server's half of docs/wire.md for one browser, as small as it can be: one session, one record, an injected clock.
 * Tests of the client can rely on it without the real server, and can make it answer anything.
 */
export class FakeSessionServer {
  readonly requests: FakeRequest[] = [];
  /** Answers that come before the truth, in order. */
  readonly scripted: FakeReply[] = [];
  client: Partial<StartValues> = {};
  owner = 'ada-1';
  redirectTo: string | null = '/login';
  /** How the session ended; undefined while it lives. */
  ended: string | undefined;
  anonymous = false;
  exempt = false;
  lastActivityAt: number;
  private startedAt: number;

  constructor(
    readonly now: () => number,
    public limits: FakeLimits,
  ) {
    this.startedAt = this.lastActivityAt = now();
  }

  /** A sign-in: both clocks start anew. */
  signIn(owner = this.owner): void {
    this.owner = owner;
    this.anonymous = false;
    this.ended = undefined;
    this.startedAt = this.lastActivityAt = this.now();
  }

  /** Any request of the application that is not passive. */
  touch(): void {
    if (this.alive()) this.lastActivityAt = this.now();
  }

  end(reason: string): void {
    this.ended ??= reason;
  }

  alive(): boolean {
    if (this.anonymous || this.ended) return false;
    if (this.exempt) return true;
    if (this.expireInMs() <= 0) this.ended = this.lifetimeInMs() <= 0 ? 'lifetime' : 'idle';
    return !this.ended;
  }

  handle(method: 'GET' | 'POST', path: string, body?: Record<string, unknown>): FakeReply {
    this.requests.push({ at: this.now(), method, path, body });
    const scripted = this.scripted.shift();
    if (scripted) return scripted;
    if (method === 'POST' && path === 'end') {
      this.end('logout');
      return this.ok({ state: 'anonymous', reason: null, redirectTo: this.redirectTo });
    }
    const idleFor = body?.['idleFor'];
    if (method === 'POST' && typeof idleFor === 'number' && this.alive()) {
      this.lastActivityAt = Math.max(this.lastActivityAt, this.now() - idleFor * 1000);
    }
    return this.ok({
      ...this.answer(),
      ...(path.includes('start=1') && { client: { returnParameter: 'returnTo', ...this.client } }),
    });
  }

  /** Pings without the first of every page, which comes with the page and not with the warning period. */
  get pings(): FakeRequest[] {
    return this.requests.filter(({ path }) => path === 'ping');
  }

  private answer(): Record<string, unknown> {
    const { redirectTo } = this;
    if (this.exempt) return { state: 'exempt', reason: null, owner: this.owner, redirectTo: null };
    if (!this.alive()) {
      const state = this.anonymous ? 'anonymous' : 'expired';
      return { state, reason: this.ended ?? null, owner: null, redirectTo };
    }
    const { warnAfter, expireAfter, maxLifetime } = this.limits;
    const warnInMs = Math.max(0, this.expireInMs() - (expireAfter - warnAfter) * 1000);
    const lifetimeFirst = this.lifetimeInMs() <= this.expireInMs();
    return {
      state: warnInMs > 0 ? 'active' : 'warning',
      reason: warnInMs > 0 ? null : lifetimeFirst ? 'lifetime' : 'idle',
      idleFor: (this.now() - this.lastActivityAt) / 1000,
      warnIn: warnInMs / 1000,
      expireIn: this.expireInMs() / 1000,
      lifetimeIn: maxLifetime === undefined ? null : this.lifetimeInMs() / 1000,
      limits: { warnAfter, expireAfter, maxLifetime: maxLifetime ?? null },
      owner: this.owner,
      redirectTo: null,
    };
  }

  private lifetimeInMs(): number {
    return this.startedAt + (this.limits.maxLifetime ?? Infinity) * 1000 - this.now();
  }

  private expireInMs(): number {
    const idle = this.lastActivityAt + this.limits.expireAfter * 1000 - this.now();
    return Math.min(idle, this.lifetimeInMs());
  }

  private ok(body: unknown): FakeReply {
    return { status: 200, body, retryAfter: null };
  }
}
