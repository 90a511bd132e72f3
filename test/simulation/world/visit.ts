import { type ExecutionContext, HttpException } from '@nestjs/common';
import { defer, from, lastValueFrom } from 'rxjs';
import type { SessionStatus } from '../../../lib/http/ping-answer.js';
import { PASSIVE_HEADER } from '../../../lib/index.js';
import { Desk } from './desk.js';
import { type SimulatedRequest, SimulatedResponse } from './exchange.js';
import type { ServerProcess } from './server-process.js';

/** What a browser wants of a request. */
export type Errand =
  | 'view'
  | 'poll'
  | 'write'
  | 'signIn'
  | 'signInHere'
  | 'signInUnseen'
  | 'rotate'
  | 'logOut'
  | 'forget'
  /** `POST {path}/end`, as the client's "Sign out now" does. */
  | 'end'
  /** `POST {path}/ping`, with or without `idleFor`. */
  | 'ping'
  /** `GET {path}/ping`. */
  | 'look'
  /** A file: it reaches no controller, only the middleware stands in its way. */
  | 'file';

/** One request, planned to the end. Durations in milliseconds. */
export interface Plan {
  readonly errand: Errand;
  /** The session cookie as the browser has it. */
  readonly cookie?: string | undefined;
  /** Who signs in. */
  readonly user?: string;
  /** Seconds, of a ping. */
  readonly idleFor?: number;
  /** A look by a page that starts: it asks for what the client needs. */
  readonly start?: boolean;
  /** Marked by the page as a call in the background. */
  readonly background?: boolean;
  /** Between middleware and guard: the body is still coming in, the application's own guards take their time. */
  readonly gapMs: number;
  /** How long the handler takes, piece by piece. */
  readonly waitsMs: readonly number[];
  /** The browser gives up then. */
  readonly abortedInMs?: number;
}

export interface VisitSession {
  readonly id: string;
  cookie?: unknown;
  user?: { id: string };
  note?: number;
  regenerate(callback: (error?: unknown) => void): unknown;
  destroy(callback: (error?: unknown) => void): unknown;
  [name: string]: unknown;
}

/** What arrives at the browser. */
export interface Answer {
  readonly status: number;
  readonly retryAfter: string | null;
  /** The `Set-Cookie` values. */
  readonly cookies: readonly string[];
  /** Of a ping, and of what goes wrong there. */
  readonly body: unknown;
  /** Whom the page was made for, if it was made for somebody signed in. */
  readonly owner: string | undefined;
}

/** Sees what happens in the application, at the instant in which it happens. */
export interface VisitWitness {
  /** A handler begins, for whomever the session says. */
  served(visit: Visit): void;
  /** The guard answered 401 instead. */
  refused(visit: Visit): void;
  signedIn(visit: Visit): void;
  /** The handler ends what lives under the session id. */
  ending(visit: Visit, reason: 'logout' | 'replaced'): void;
  rotating(visit: Visit, from: string): void;
  rotated(visit: Visit, from: string, to: string): void;
  pinged(visit: Visit, status: SessionStatus): void;
  /** Something went wrong that no application wants to see. */
  broke(visit: Visit, what: string): void;
  /** The handler is through, and so is what the interceptor makes of it. */
  settled(visit: Visit): void;
  /** The response is out: the session is saved. */
  sent(visit: Visit): void;
  /** The response is out, or the browser has given up. */
  over(visit: Visit): void;
}

/**
 * One request through one process: express-session, the module's middleware, guard and interceptor around the handler,
 * and the end of the response, which saves the session, in the order in which Nest on Express runs them.
 */
export class Visit {
  readonly request: SimulatedRequest;
  readonly response: SimulatedResponse;
  readonly beganAt: number;
  #waits: number[];
  #rotatingFrom: string | undefined;
  #over = false;
  #ends = 0;
  #body: unknown;
  #owner: string | undefined;

  constructor(
    readonly number: number,
    readonly plan: Plan,
    readonly process: ServerProcess,
    private readonly witness: VisitWitness,
    now: number,
    /** Given the answer, if there is one. */
    private readonly onAnswer: (answer: Answer) => void = () => undefined,
  ) {
    this.beganAt = now;
    this.#waits = [...plan.waitsMs];
    this.response = new SimulatedResponse(() =>
      process.inside(0, `visit ${number} sent`, () => this.#sent()),
    );
    this.request = requestOf(plan, this.response);
  }

  get session(): VisitSession | undefined {
    return this.request.session as VisitSession | undefined;
  }

  /** The id under which the session was read, also when it is not to be saved under it any more. */
  get sessionId(): string {
    return this.session?.id ?? '';
  }

  /** The session exists for this request alone: nothing of it is saved. */
  get isLoose(): boolean {
    return this.request.sessionID === undefined;
  }

  /** Whom the application takes the visitor for. */
  get user(): string | undefined {
    return this.session?.user?.id;
  }

  /** The session id in the cookie that the browser sent. */
  get presentedId(): string | undefined {
    return this.plan.cookie === undefined ? undefined : sessionIdIn(this.plan.cookie);
  }

  get isOver(): boolean {
    return this.#over;
  }

  /** Goes through the process, from the first byte to the end of the response. */
  begin(): void {
    const { abortedInMs } = this.plan;
    if (abortedInMs !== undefined)
      this.process.inside(abortedInMs, `visit ${this.number} aborted`, () => this.#close());
    void this.#attend().then(() => this.#finish());
  }

  /** The handler takes its time. */
  async dawdle(): Promise<void> {
    const wait = this.#waits.shift() ?? 0;
    if (wait > 0) await this.process.wait(wait, `visit ${this.number} goes on`);
  }

  regenerate(): Promise<void> {
    return this.#call((callback) => this.session!.regenerate(callback));
  }

  destroy(): Promise<void> {
    return this.#call((callback) => this.session!.destroy(callback));
  }

  tellSignIn(): void {
    this.witness.signedIn(this);
  }

  tellEnding(reason: 'logout' | 'replaced'): void {
    this.witness.ending(this, reason);
  }

  tellRotating(): void {
    this.#rotatingFrom = this.sessionId;
    this.witness.rotating(this, this.sessionId);
  }

  tellRotated(): void {
    this.witness.rotated(this, this.#rotatingFrom!, this.sessionId);
  }

  async #attend(): Promise<void> {
    const { process, plan } = this;
    try {
      await this.#through(process.session).catch((error: unknown) =>
        this.#through((request, response, next) =>
          process.middleware.useOnError(error, request, response, next),
        ),
      );
      await this.#through(process.middleware.use);
      if (plan.errand === 'file') return this.witness.served(this);
      if (plan.errand === 'signInUnseen') {
        this.witness.served(this);
        return new Desk().signInUnseen(this);
      }
      if (plan.gapMs > 0) await process.wait(plan.gapMs, `visit ${this.number} reaches the guard`);
      await this.#handle();
    } catch (error) {
      this.#failed(error);
    }
  }

  async #handle(): Promise<void> {
    const { method, owner, run } = this.#route();
    const context = {
      getType: () => 'http',
      getHandler: () => method,
      getClass: () => owner,
      switchToHttp: () => ({ getRequest: () => this.request, getResponse: () => this.response }),
    } as unknown as ExecutionContext;
    await this.process.guard.canActivate(context);
    const handler = defer(() => {
      this.witness.served(this);
      if (this.user !== undefined) this.#owner = this.process.ownerOf(this.sessionId);
      return from(run());
    });
    await lastValueFrom(this.process.interceptor.intercept(context, { handle: () => handler }));
  }

  /** The handler, and where its decorators are. */
  #route(): { method: unknown; owner: unknown; run: () => Promise<unknown> } {
    const { errand } = this.plan;
    const { pings } = this.process;
    if (errand === 'ping' || errand === 'look' || errand === 'end') {
      const name = errand === 'look' ? 'read' : errand;
      // Only its decorators are looked at.
      // eslint-disable-next-line @typescript-eslint/unbound-method
      return { method: pings[name], owner: pings.constructor, run: () => this.#ping(name) };
    }
    const desk = new Desk();
    const name = errand as Exclude<keyof Desk, 'signInUnseen'>;
    // eslint-disable-next-line @typescript-eslint/unbound-method
    return { method: desk[name], owner: Desk, run: () => desk[name](this) };
  }

  async #ping(name: 'read' | 'ping' | 'end'): Promise<void> {
    const { pings } = this.process;
    if (name === 'end') this.witness.ending(this, 'logout');
    const start = this.plan.start ? '1' : undefined;
    const status = (this.#body = await pings[name](this.request, this.response, start));
    if (name !== 'end') this.witness.pinged(this, status);
  }

  #finish(): void {
    this.witness.settled(this);
    try {
      this.response.end();
    } catch (error) {
      // A store that throws while the session is saved leaves the response unfinished; the browser gives up.
      this.#failed(error);
      this.#close();
    }
  }

  /** Express middleware: calls `next` once, or there is a fault. */
  #through(
    middleware: (request: never, response: never, next: (error?: unknown) => void) => void,
  ): Promise<void> {
    const { request, response } = this;
    let called = false;
    return new Promise((resolve, reject) => {
      const next = (error?: unknown): void => {
        // What comes after the end of the response is a failed save, which Express cannot answer any more.
        if (called && !this.response.headersSent) this.witness.broke(this, 'the request went on twice');
        called = true;
        if (error === undefined) resolve();
        else reject(asError(error));
      };
      middleware(request as never, response as never, next);
    });
  }

  #failed(error: unknown): void {
    this.response.statusCode = error instanceof HttpException ? error.getStatus() : 500;
    if (error instanceof HttpException) {
      this.#body = error.getResponse();
      return this.witness.refused(this);
    }
    this.witness.broke(this, error instanceof Error ? (error.stack ?? error.message) : String(error));
  }

  #call(operation: (callback: (error?: unknown) => void) => unknown): Promise<void> {
    return new Promise((resolve, reject) => {
      operation((error) => (error ? reject(asError(error)) : resolve()));
    });
  }

  #sent(): void {
    if (this.#ends++ > 0) this.witness.broke(this, 'the response ended twice');
    this.witness.sent(this);
    if (!this.#over) this.onAnswer(this.#answer());
    this.#close();
  }

  #answer(): Answer {
    const { statusCode: status, cookies } = this.response;
    const retryAfter = this.response.getHeader('Retry-After')?.toString() ?? null;
    const body: unknown = this.#body === undefined ? undefined : JSON.parse(JSON.stringify(this.#body));
    return { status, retryAfter, cookies, body, owner: this.#owner };
  }

  #close(): void {
    if (this.#over) return;
    this.#over = true;
    this.response.emit('close');
    this.witness.over(this);
  }
}

function requestOf(plan: Plan, response: SimulatedResponse): SimulatedRequest {
  const { errand, cookie, idleFor, background } = plan;
  const isPing = errand === 'ping' || errand === 'look' || errand === 'end';
  const reads = errand === 'view' || errand === 'poll' || errand === 'file' || errand === 'look';
  const url = isPing ? `/session-security/${errand === 'end' ? 'end' : 'ping'}` : `/${errand}`;
  return {
    method: reads ? 'GET' : 'POST',
    url,
    originalUrl: url,
    headers: {
      host: 'desk.example',
      ...(cookie === undefined ? {} : { cookie: `connect.sid=${cookie}` }),
      ...(background ? { [PASSIVE_HEADER]: '1' } : {}),
      ...(idleFor === undefined ? {} : { 'content-type': 'application/json', 'content-length': '16' }),
    },
    ...(idleFor === undefined ? {} : { body: { idleFor } }),
    res: response,
    connection: {},
  };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** The session id in a signed cookie of express-session. */
export function sessionIdIn(cookie: string): string | undefined {
  return /^s(?::|%3A)([^.]+)\./.exec(cookie)?.[1];
}
