import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { RedisPort } from './redis-port.js';

const NAMES = [
  'adjust',
  'end',
  'expire',
  'leave-group',
  'look',
  'move',
  'of-user',
  'read-group',
  'reclaim',
  'retry',
  'set-aside',
  'start',
  'touch',
  'trim',
] as const;

/** A script of the folder `scripts`. */
export type ScriptName = (typeof NAMES)[number];

/** What scripts have in common, beside the prelude. */
const PARTS: { readonly [Name in ScriptName]?: readonly string[] } = { expire: ['settle'], look: ['settle'] };

interface Script {
  readonly source: string;
  readonly hash: string;
}

/** Runs the Lua scripts by their hashes; a server that does not know one is sent the source. */
export class RedisScripts {
  static #loaded: ReadonlyMap<ScriptName, Script> | undefined;
  readonly #scripts: ReadonlyMap<ScriptName, Script>;

  constructor(private readonly port: RedisPort) {
    this.#scripts = RedisScripts.#loaded ??= loadAll();
  }

  async run(name: ScriptName, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    const { source, hash } = this.#scripts.get(name)!;
    const rest = [String(keys.length), ...keys, ...args.map(String)];
    try {
      return await this.port.send(keys[0]!, ['EVALSHA', hash, ...rest]);
    } catch (error) {
      if (!isError(error, 'NOSCRIPT')) throw error;
      return this.port.send(keys[0]!, ['EVAL', source, ...rest]);
    }
  }
}

/** True for an error reply of Redis with this code. */
export function isError(error: unknown, code: string): boolean {
  return error instanceof Error && error.message.includes(code);
}

function loadAll(): ReadonlyMap<ScriptName, Script> {
  return new Map(
    NAMES.map((name) => {
      const source = ['prelude', ...(PARTS[name] ?? []), name].map(load).join('\n');
      return [name, { source, hash: createHash('sha1').update(source).digest('hex') }];
    }),
  );
}

function load(name: string): string {
  return readFileSync(new URL(`./scripts/${name}.lua`, import.meta.url), 'utf8');
}
