import { describe, expect, it } from '@jest/globals';
import { filter, firstValueFrom, map, Subject } from 'rxjs';
import { GuardedStream } from '../../../lib/events/guarded-stream.js';

describe('a guarded stream', () => {
  const open = () => {
    const source = new Subject<number>();
    const reported: string[] = [];
    const stream = new GuardedStream(source, (error) => reported.push((error as Error).message));
    return { source, reported, stream };
  };
  const fail = (value: unknown): never => {
    throw new Error(`failed on ${String(value)}`);
  };

  it('reports what a subscriber throws, each time, and disturbs no other', () => {
    const { source, reported, stream } = open();
    const heard: number[] = [];
    stream.subscribe(fail);
    stream.subscribe((value) => heard.push(value));
    source.next(1);
    source.next(2);
    expect([heard, reported]).toEqual([
      [1, 2],
      ['failed on 1', 'failed on 2'],
    ]);
  });

  it('reports what a subscriber rejects', async () => {
    const { source, reported, stream } = open();
    // eslint-disable-next-line @typescript-eslint/no-misused-promises -- What is tested.
    stream.subscribe((value) => Promise.reject(new Error(`rejected ${value}`)));
    source.next(1);
    await Promise.resolve();
    expect(reported).toEqual(['rejected 1']);
  });

  it('reports what is thrown behind operators, in them, and at the end', () => {
    const { source, reported, stream } = open();
    stream.pipe(filter((value) => value > 1)).subscribe({ next: fail, complete: () => fail('the end') });
    stream.pipe(map(fail)).subscribe();
    source.next(1);
    source.next(2);
    source.complete();
    expect(reported).toEqual(['failed on 1', 'failed on 2', 'failed on the end']);
  });

  it('is a stream like any other: observers keep their names, handle their errors, and may leave', async () => {
    const { source, reported, stream } = open();
    const heard: unknown[] = [];
    const observer = {
      heard,
      next(value: number) {
        this.heard.push(value);
      },
    };
    const subscription = stream.subscribe(observer);
    stream.pipe(map(fail)).subscribe({ error: (error: Error) => heard.push(error.message) });
    const first = firstValueFrom(stream.pipe(map((value) => value * 10)));
    source.next(1);
    subscription.unsubscribe();
    source.next(2);
    expect([await first, heard, reported, source.observed]).toEqual([10, [1, 'failed on 1'], [], false]);
  });
});
