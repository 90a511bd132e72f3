import { isOver, LONGEST_LIFE_MS, savedAt } from './draft.js';
import type { DraftPlace, SealedDraft } from './draft.js';

const DATABASE = 'session-security-drafts';
const DRAFTS = 'drafts';

/** Where sealed drafts rest. What is asked for is sent to the browser at once, so that it is done after the page is gone. */
export interface DraftStore {
  put: (draft: SealedDraft) => Promise<void>;
  /** Notes that a session of a user took place in this browser, so that signing out of it wipes the user's drafts here. */
  noteSession: (user: string, owner: string, now: number) => Promise<void>;
  /** The sessions of a user that took place in this browser. */
  sessions: (user: string) => Promise<string[]>;
  /** The drafts of a user for a page. */
  find: (user: string, page: string) => Promise<SealedDraft[]>;
  remove: (place: DraftPlace) => Promise<void>;
  /** Wipes the drafts of a user that were saved before an instant; without one: all of them. */
  wipe: (user: string, before?: number) => Promise<void>;
  /** Wipes what these lives of pages left. */
  wipeLives: (lives: readonly string[]) => Promise<void>;
  /** Wipes what is over, whoever it belonged to; answers when the next one will be, in epoch milliseconds. */
  wipeOver: (now: number) => Promise<number>;
  close: () => void;
}

/** Stands where drafts have the mark of their page, which is longer. */
const SESSION = 'session';

const settled = <Result>(request: IDBRequest<Result>): Promise<Result> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error!);
  });

const keyOf = ({ user, page, document }: DraftPlace): string[] => [user, page, document];

/** Everything whose key begins so: an array sorts behind every string (https://w3c.github.io/IndexedDB/#key-construct). */
const beginningWith = (...start: string[]): IDBKeyRange => IDBKeyRange.bound(start, [...start, []]);

/** @throws DOMException where the browser gives no storage to this page */
export async function openDraftStore(): Promise<DraftStore> {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () =>
    opening.result.createObjectStore(DRAFTS, { keyPath: ['user', 'page', 'document'] });
  const database = await settled(opening);
  // A connection that is in the way of another one's upgrade.
  database.onversionchange = () => database.close();

  const read = async (range?: IDBKeyRange): Promise<SealedDraft[]> =>
    settled(database.transaction(DRAFTS).objectStore(DRAFTS).getAll(range) as IDBRequest<SealedDraft[]>);
  const write = (change: (drafts: IDBObjectStore) => void): Promise<void> => {
    const transaction = database.transaction(DRAFTS, 'readwrite', { durability: 'relaxed' });
    change(transaction.objectStore(DRAFTS));
    // Nothing more will follow: a page that is just going away need not hear of the outcome for it to happen.
    transaction.commit();
    return new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error!);
    });
  };
  const removeAll = (drafts: SealedDraft[]): Promise<void> =>
    write((store) => drafts.forEach((draft) => store.delete(keyOf(draft))));

  const put = (draft: SealedDraft): Promise<void> => write((drafts) => drafts.put(draft));

  return {
    put,
    noteSession: (user, document, now) =>
      put({
        user,
        page: SESSION,
        document,
        expiresAt: now + LONGEST_LIFE_MS,
        nonce: new Uint8Array(),
        content: new ArrayBuffer(),
      }),
    sessions: async (user) => (await read(beginningWith(user, SESSION))).map(({ document }) => document),
    find: (user, page) => read(beginningWith(user, page)),
    remove: (place) => write((drafts) => drafts.delete(keyOf(place))),
    async wipe(user, before) {
      const range = beginningWith(user);
      if (before === undefined) return write((drafts) => drafts.delete(range));
      await removeAll((await read(range)).filter((draft) => savedAt(draft) <= before));
    },
    wipeLives: async (lives) => removeAll((await read()).filter(({ document }) => lives.includes(document))),
    async wipeOver(now) {
      const drafts = await read();
      await removeAll(drafts.filter((draft) => isOver(draft, now)));
      return Math.min(...drafts.filter((draft) => !isOver(draft, now)).map(({ expiresAt }) => expiresAt));
    },
    close: () => database.close(),
  };
}
