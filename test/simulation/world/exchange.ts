import { EventEmitter } from 'node:events';

/** A request as Express hands it on, with no network below. */
export interface SimulatedRequest {
  readonly method: string;
  readonly url: string;
  readonly originalUrl: string;
  readonly headers: Record<string, string>;
  readonly body?: unknown;
  readonly res: SimulatedResponse;
  readonly connection: object;
  session?: unknown;
  sessionID?: string;
  user?: unknown;
}

/** The part of Node's response that express-session and the module use. */
export class SimulatedResponse extends EventEmitter {
  statusCode = 200;
  headersSent = false;
  /** Node's own name for "the header is out", which express-session looks at. */
  _header: string | null = null;
  readonly #headers = new Map<string, number | string | string[]>();

  constructor(private readonly onEnd: () => void) {
    super();
  }

  getHeader(name: string): number | string | string[] | undefined {
    return this.#headers.get(name.toLowerCase());
  }

  setHeader(name: string, value: number | string | string[]): this {
    this.#headers.set(name.toLowerCase(), value);
    return this;
  }

  writeHead(status: number): this {
    this.statusCode = status;
    this.headersSent = true;
    this._header = `HTTP/1.1 ${status}`;
    return this;
  }

  _implicitHeader(): void {
    this.writeHead(this.statusCode);
  }

  write(): boolean {
    return true;
  }

  /** express-session puts its own in front of this one and calls it when the session is saved. */
  end(): this {
    if (!this._header) this._implicitHeader();
    this.onEnd();
    return this;
  }

  /** The `Set-Cookie` values that go to the browser. */
  get cookies(): string[] {
    return [this.getHeader('Set-Cookie') ?? []].flat().map(String);
  }
}
