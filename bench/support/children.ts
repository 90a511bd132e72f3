import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A program of the benchmark in a process of its own, which answers each question with one message. */
export class Child {
  readonly #process: ChildProcess;

  /** Starts a module, given relative to the caller's own address. */
  constructor(module: string, base: string, { args = [] as string[], execArgv = [] as string[] } = {}) {
    this.#process = fork(fileURLToPath(new URL(module, base)), args, {
      execArgv: ['--enable-source-maps', ...execArgv],
      env: { ...process.env, NODE_ENV: 'production' },
    });
  }

  async ask<Answer>(question: object): Promise<Answer> {
    const answer = this.answer<Answer>();
    this.#process.send(question);
    return answer;
  }

  /** The next message; rejects if the process ends instead. */
  async answer<Answer>(): Promise<Answer> {
    const waiting = new AbortController();
    const { signal } = waiting;
    try {
      return await Promise.race([
        once(this.#process, 'message', { signal }).then(([message]) => message as Answer),
        once(this.#process, 'exit', { signal }).then(([code]) => {
          throw new Error(`A process of the benchmark ended with ${String(code)}.`);
        }),
      ]);
    } finally {
      waiting.abort();
    }
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.disconnect();
    await ended;
  }
}

/** Answers every question of the parent process; the process ends when the parent disconnects. */
export function answering<Question>(answer: (question: Question) => unknown): void {
  process.on('message', (question: Question) => {
    void Promise.resolve(answer(question)).then((message) => process.send!(message));
  });
  process.on('disconnect', () => process.exit());
}
