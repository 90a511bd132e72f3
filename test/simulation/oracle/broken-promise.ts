/** The promises of the server side, as the design numbers them, and three that go without saying. */
export type Promised =
  | 'never early'
  | 'never late'
  | 'dead stays dead'
  | 'warned first'
  | 'told once'
  | 'nothing left behind'
  | 'time never goes back'
  | 'time goes on'
  | 'no request breaks';

/** What the oracle found wrong. */
export class BrokenPromise extends Error {
  constructor(
    readonly promised: Promised,
    readonly what: string,
  ) {
    super(`${promised}: ${what}`);
    this.name = 'BrokenPromise';
  }
}
