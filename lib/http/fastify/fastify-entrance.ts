import { Injectable } from '@nestjs/common';
import { SessionSecurityOptions } from '../../options/index.js';
import { malformedBody } from '../ping-refusal.js';
import { ProblemException } from '../problem.js';
import { SessionEnforcer } from '../session-enforcer.js';
import { SetupAdvisor } from '../setup-advisor.js';
import {
  type FastifySessionReply,
  FastifySessionPlatform,
  type FastifySessionRequest,
  type FastifySessionServer,
} from './fastify-session-platform.js';

type Done = (error?: Error | null) => void;
type Hook = (request: FastifySessionRequest, reply: FastifySessionReply, done: Done) => void;
type PayloadHook = (
  request: FastifySessionRequest,
  reply: FastifySessionReply,
  payload: unknown,
  done: Done,
) => void;

interface FastifyRoute {
  readonly method: string | readonly string[];
  readonly url: string;
  preParsing?: unknown;
  errorHandler?: unknown;
}

interface FastifyError extends Error {
  readonly code?: string;
  readonly statusCode?: number;
}

/** What is used of Fastify. */
export interface FastifyServer extends FastifySessionServer {
  addHook(name: 'onRequest', hook: Hook): unknown;
  addHook(name: 'preParsing' | 'onSend', hook: PayloadHook): unknown;
  addHook(name: 'onReady', hook: (done: Done) => void): unknown;
  addHook(name: 'onRoute', hook: (route: FastifyRoute) => void): unknown;
  hasRequestDecorator(name: string): boolean;
}

/**
 * The module's hooks on Fastify. Hooks of one kind run in the order in which they were added, and ours come first, so that
 * every plugin and raw route of the application has them: the store is guarded before the session plugin reads from it;
 * whose session it is can be asked when its hook has run (`onRequest`), and before any handler does (`preParsing`).
 */
@Injectable()
export class FastifyEntrance {
  constructor(
    private readonly enforcer: SessionEnforcer,
    private readonly platform: FastifySessionPlatform,
    private readonly advisor: SetupAdvisor,
    private readonly options: SessionSecurityOptions,
  ) {}

  open(server: FastifyServer): void {
    this.platform.serve(server);
    server.addHook('onRequest', this.#guardStore);
    server.addHook('preParsing', this.#enforce);
    server.addHook('onSend', this.#settle);
    server.addHook('onReady', (done) => {
      if (!server.hasRequestDecorator('session')) this.advisor.missing(this.platform.advice);
      done();
    });
    server.addHook('onRoute', (route) => {
      if (![route.method].flat().includes('POST') || !route.url.endsWith(`/${this.options.path}/ping`))
        return;
      route.preParsing = this.#acceptNothing;
      route.errorHandler = this.#refusePing;
    });
  }

  readonly #guardStore: Hook = (request, _reply, done) => {
    this.platform.guardStore(request);
    done();
  };

  /** Also for requests that reach no controller. Counts no activity: only the guard knows what is passive. */
  readonly #enforce: PayloadHook = (request, reply, _payload, done) => {
    this.platform.dateReading(request);
    this.platform.prepare(request, reply);
    const state = this.enforcer.enforce(request);
    if (state instanceof Promise) state.then(() => done(), done);
    else done();
  };

  /**
   * Before the session plugin saves the session. Who came as nobody may be signed in by a callback, when the handler has
   * long returned, or by one that sends the reply itself.
   */
  readonly #settle: PayloadHook = (request, _reply, _payload, done) => {
    this.platform.dateReading(request);
    const { outcome: before, former } = this.enforcer.stateOf(request);
    const settling = before === 'watched' && !former ? undefined : this.enforcer.settleLast(request);
    const goOn = (): void => {
      const { outcome } = this.enforcer.stateOf(request);
      if (outcome === 'ended' || outcome === 'turned-away') this.platform.keepCookie(request);
      done();
    };
    if (settling) void settling.then(goOn);
    else goOn();
  };

  /** A ping may say nothing, whatever type that is declared to be of; Fastify would refuse it. */
  readonly #acceptNothing: PayloadHook = ({ headers }, _reply, _payload, done) => {
    const { 'content-length': length = '0', 'transfer-encoding': encoding } = headers;
    if (length === '0' && encoding === undefined) delete headers['content-type'];
    done();
  };

  /** A ping whose body Fastify refuses is answered as the rest of the wire is. */
  readonly #refusePing = (
    error: FastifyError,
    _request: FastifySessionRequest,
    reply: FastifySessionReply,
  ): void => {
    const problem = isAboutBody(error) ? malformedBody(error.statusCode) : undefined;
    // Whatever else it is, the application's own handler answers.
    if (!problem) throw error;
    const exception = new ProblemException(problem, this.platform.headersOf(reply));
    reply.code(problem.status).send(exception.getResponse());
  };
}

function isAboutBody({ code = '', name }: FastifyError): boolean {
  return code.startsWith('FST_ERR_CTP_') || name === 'SyntaxError';
}
