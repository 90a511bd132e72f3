/** The promises as the design numbers them, and four that go without saying. */
export type Promised =
  | 'never early'
  | 'never late'
  | 'dead stays dead'
  | 'warned first'
  | 'told once'
  | 'costs nothing'
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
