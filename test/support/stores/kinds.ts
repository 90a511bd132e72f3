import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RedisStore } from 'connect-redis';
import { ConnectSessionKnexStore } from 'connect-session-knex';
import session, { type Store } from 'express-session';
import knex from 'knex';
import { createClient } from 'redis';
import sessionFileStore from 'session-file-store';
import { RedisServer } from '../redis-server.js';

const RECORD_PREFIX = 'session-security-';
/** What stays of the end of all sessions of a user, in stores that cannot list them. */
const REVOCATION_PREFIX = `${RECORD_PREFIX}user-`;

/** Everything that stands in a store, by key, read past the store's own methods. */
type Entries = Record<string, Record<string, any>>; // eslint-disable-line @typescript-eslint/no-explicit-any

/** A session store as an application would set it up, for one test. */
export class TestStore {
  constructor(
    readonly store: Store,
    private readonly entries: () => Promise<Entries> | Entries,
    readonly dispose: () => Promise<void> | void,
  ) {}

  /** The sessions that stand in the store, by session id. */
  async blobs(): Promise<Entries> {
    return this.#standing((key) => !key.startsWith(RECORD_PREFIX));
  }

  /** The records of the module beside them. */
  async records(): Promise<Entries> {
    return this.#standing((key) => key.startsWith(RECORD_PREFIX) && !key.startsWith(REVOCATION_PREFIX));
  }

  /** The sessions in which somebody is signed in. */
  async signedIn(): Promise<Entries> {
    const blobs = Object.entries(await this.blobs());
    return Object.fromEntries(blobs.filter(([, { user }]) => user !== undefined));
  }

  async #standing(wanted: (key: string) => boolean): Promise<Entries> {
    return Object.fromEntries(Object.entries(await this.entries()).filter(([key]) => wanted(key)));
  }
}

/** The stores for which everything is shown, and whether each can list what it holds (`all`). */
export const STORE_KINDS = [
  { kind: 'memory', lists: true },
  { kind: 'redis', lists: true },
  { kind: 'file', lists: false },
  { kind: 'sql', lists: true },
] as const;

export type StoreKind = (typeof STORE_KINDS)[number]['kind'];

/** What one test file has running for its stores. */
export class StoreYard {
  readonly #open = new Set<TestStore>();
  #server: Promise<RedisServer> | undefined;

  async create(kind: StoreKind): Promise<TestStore> {
    const create = { memory: memoryStore, redis: () => this.#redisStore(), file: fileStore, sql: sqlStore };
    const created = await create[kind]();
    this.#open.add(created);
    return created;
  }

  /** After each test. */
  async clear(): Promise<void> {
    for (const { dispose } of this.#open) await dispose();
    this.#open.clear();
  }

  /** After all tests. */
  async close(): Promise<void> {
    await (await this.#server)?.stop();
  }

  async #redisStore(): Promise<TestStore> {
    this.#server ??= RedisServer.start();
    const client = await createClient({ url: (await this.#server).url }).connect();
    await client.flushAll();
    const prefix = 'desk:';
    const entries = async (): Promise<Entries> => {
      const keys = await client.keys(`${prefix}*`);
      const texts = keys.length > 0 ? await client.mGet(keys) : [];
      return parsed(keys.map((key, index) => [key.slice(prefix.length), texts[index] ?? null]));
    };
    return new TestStore(new RedisStore({ client, prefix }), entries, () => client.close());
  }
}

function memoryStore(): TestStore {
  const store = new session.MemoryStore();
  const { sessions } = store as unknown as { sessions: Record<string, string> };
  return new TestStore(
    store,
    () => parsed(Object.entries(sessions)),
    () => undefined,
  );
}

function fileStore(): TestStore {
  const folder = mkdtempSync(join(tmpdir(), 'sessions-'));
  const FileStore = sessionFileStore(session);
  // By default it looks five times for a file that is not there, a twentieth of a second apart, and says so each time.
  const store = new FileStore({ path: folder, retries: 0, reapInterval: -1, logFn: () => undefined });
  const entries = (): Entries =>
    parsed(
      readdirSync(folder)
        .filter((name) => name.endsWith('.json'))
        .map((name) => [name.replace(/\.json$/, ''), readFileSync(join(folder, name), 'utf8')]),
    );
  return new TestStore(store, entries, () => rmSync(folder, { recursive: true }));
}

/** An embedded SQLite, which brings its binaries in its package: knex's dialect for the driver whose interface it has. */
async function sqlStore(): Promise<TestStore> {
  const require = createRequire(import.meta.url);
  const dialect = require('knex/lib/dialects/better-sqlite3/index.js') as typeof knex.Client;
  class LibsqlDialect extends dialect {
    _driver(): unknown {
      return require('libsql');
    }
  }
  const database = knex({
    client: LibsqlDialect,
    connection: { filename: ':memory:' },
    useNullAsDefault: true,
  });
  const store = new ConnectSessionKnexStore({ knex: database, cleanupInterval: 0 });
  await store.ready;
  const entries = async (): Promise<Entries> => {
    const rows = await database<{ sid: string; sess: string }>('sessions').select('sid', 'sess');
    return parsed(rows.map(({ sid, sess }) => [sid, sess]));
  };
  return new TestStore(store, entries, () => database.destroy());
}

function parsed(texts: [key: string, text: string | null][]): Entries {
  return Object.fromEntries(
    texts.flatMap(([key, text]) => (text === null ? [] : [[key, JSON.parse(text) as Entries[string]]])),
  );
}
