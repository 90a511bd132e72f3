import { Observable, type Observer, type OperatorFunction, Subscriber, type Subscription } from 'rxjs';

/**
 * A stream whose subscribers disturb nobody: what one throws, or rejects, is reported. rxjs by itself throws it again
 * where nobody can catch it, which ends the process.
 */
export class GuardedStream<Value> extends Observable<Value> {
  constructor(
    source: Observable<Value>,
    private readonly report: (error: unknown) => void,
  ) {
    super((subscriber) => source.subscribe(subscriber));
  }

  override subscribe(
    observerOrNext?: Partial<Observer<Value>> | ((value: Value) => void) | null,
    error?: ((error: unknown) => void) | null,
    complete?: (() => void) | null,
  ): Subscription {
    // An operator, which hands errors on to who subscribes to it.
    if (observerOrNext instanceof Subscriber) return super.subscribe(observerOrNext);
    const observer: Partial<Observer<Value>> =
      typeof observerOrNext === 'object' && observerOrNext !== null
        ? observerOrNext
        : {
            ...(observerOrNext && { next: observerOrNext }),
            ...(error && { error }),
            ...(complete && { complete }),
          };
    return super.subscribe({
      next: (value) => this.#guard(() => observer.next?.(value)),
      error: (failure: unknown) =>
        observer.error ? this.#guard(() => observer.error?.(failure)) : this.report(failure),
      complete: () => this.#guard(() => observer.complete?.()),
    });
  }

  /** What operators make of it is guarded, too. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- One signature in the place of the ten that rxjs has.
  override pipe(...operators: OperatorFunction<any, any>[]): Observable<any> {
    const piped: unknown = super.pipe(...(operators as []));
    return (piped instanceof Observable ? new GuardedStream(piped, this.report) : piped) as Observable<never>;
  }

  /** Subscribers may be asynchronous, although rxjs does not wait for them. */
  #guard(call: () => unknown): void {
    try {
      const answer = call();
      if (answer instanceof Promise) answer.catch(this.report);
    } catch (error) {
      this.report(error);
    }
  }
}
