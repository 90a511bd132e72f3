/** The headers of a response, by the names that Node gives the methods; Express's response is one as it is. */
export interface ResponseHeaders {
  readonly headersSent: boolean;
  getHeader(name: string): number | string | string[] | undefined;
  setHeader(name: string, value: string | string[]): unknown;
  removeHeader(name: string): void;
}

/** What the module reads and writes of a reply of Fastify. */
export interface FastifyResponse {
  readonly sent: boolean;
  readonly raw: ResponseHeaders;
  getHeader(name: string): number | string | string[] | undefined;
  header(name: string, value: string | string[]): unknown;
  removeHeader(name: string): unknown;
}

/** The response as a handler is given it: Express's, or Fastify's reply. */
export type SessionSecurityResponse = ResponseHeaders | FastifyResponse;
