import type { FormChanges } from '../dom/form-changes.js';
import { draftCipher } from './draft-cipher.js';
import type { DraftCipher } from './draft-cipher.js';
import type { TellDraftNews } from './draft-event.js';
import type { DraftGrant } from './draft-server.js';
import { droppedLives, forgetDropped, noteDropped } from './dropped-lives.js';
import { openDraftStore } from './draft-store.js';
import type { DraftStore } from './draft-store.js';
import { LONGEST_LIFE_MS } from './draft.js';
import type { Draft, DraftPlace, SealedDraft } from './draft.js';
import { readFields } from './typed-fields.js';

/** Typing is kept this long after it began; together with what follows it in that time. */
const SAVE_AFTER_MS = 1000;

/** A draft of this page, and how to be rid of it. */
export interface FoundDraft {
  draft: Draft;
  remove: () => Promise<void>;
}

/** Keeps what is typed into this page, sealed, for as long as it may be needed. */
export interface DraftKeeper {
  /** Takes the key of the user who is signed in now. Answers false where there can be no drafts. */
  begin: (owner: string, grant: DraftGrant) => Promise<boolean>;
  /** Something was typed. */
  changed: () => void;
  /** Keeps what is in the page now; what is kept lives an hour from then. */
  save: () => Promise<void>;
  /** The page goes away although the session lives: what is in it is not wanted any more, or has been sent. */
  drop: () => void;
  /** The newest draft for this page that another, ended session of this user left. */
  find: () => Promise<FoundDraft | undefined>;
  /** The user has signed out: all drafts of this user in this browser are wiped, and nothing more is kept. */
  wipe: () => Promise<void>;
  /** Stops, and leaves what is kept. */
  close: () => void;
}

/** Pages that went away while their session lived may not have had the time to wipe what they had kept. */
async function wipeDropped(store: DraftStore): Promise<void> {
  const lives = droppedLives();
  if (lives.length) await store.wipeLives(lives);
  lives.forEach(forgetDropped);
}

/** What the user did before signing out of a session in this browser is over, wherever the sign-out was made. */
async function heedSignOuts(store: DraftStore, user: string, { signedOut }: DraftGrant): Promise<void> {
  for (const owner of await store.sessions(user)) {
    const ago = signedOut[owner];
    if (ago !== undefined) await store.wipe(user, Date.now() - ago * 1000);
  }
}

export function createDraftKeeper(
  changes: FormChanges,
  isWanted: (field: HTMLElement) => boolean,
  tell: TellDraftNews,
): DraftKeeper {
  /** This life of this page. */
  const life = Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join('');
  let owner: string;
  let key: string | undefined;
  let cipher: DraftCipher | undefined;
  let store: DraftStore | undefined;
  let kept: { place: DraftPlace; page: string } | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let cleaning: ReturnType<typeof setTimeout> | undefined;
  /** Counts what was decided, so that a slow save does not undo what was decided after it. */
  let decision = 0;

  const storageFails = (): void => tell('unavailable', 'storage');
  const pageNow = (): string => location.pathname + location.search;

  const changed = (): void => {
    timer ??= setTimeout(() => void save().catch(storageFails), SAVE_AFTER_MS);
  };
  const cleanUp = async (): Promise<void> => {
    cleaning = undefined;
    const next = (await store?.wipeOver(Date.now())) ?? Infinity;
    if (next < Infinity) cleanUpIn(next - Date.now());
  };
  const cleanUpIn = (delayMs: number): void => {
    clearTimeout(cleaning);
    cleaning = setTimeout(() => void cleanUp().catch(storageFails), delayMs);
  };
  const save = async (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    if (!cipher || !store) return;
    const number = ++decision;
    const [page, savedAt] = [pageNow(), Date.now()];
    const fields = await readFields(changes.fields(), isWanted);
    const sealed = fields.length && (await cipher.seal({ owner, savedAt, fields }, page, life));
    if (number !== decision) return;
    // In a page that changes its address by itself, the last one was left while the session lived.
    if (kept && (!sealed || kept.page !== page)) forget();
    if (sealed) await keep(sealed, page);
  };
  const keep = async (sealed: SealedDraft, page: string): Promise<void> => {
    kept = { place: sealed, page };
    forgetDropped(life);
    await store!.put(sealed);
    tell('kept');
    if (cleaning === undefined) cleanUpIn(LONGEST_LIFE_MS);
  };
  const forget = (): void => {
    decision++;
    clearTimeout(timer);
    timer = undefined;
    if (kept) void store?.remove(kept.place).catch(() => {});
    kept = undefined;
  };
  const close = (): void => {
    decision++;
    clearTimeout(timer);
    clearTimeout(cleaning);
    timer = cleaning = undefined;
    cipher = undefined;
  };
  const found = async (): Promise<{ sealed: SealedDraft; draft: Draft }[]> => {
    if (!cipher || !store) return [];
    const opened: { sealed: SealedDraft; draft: Draft }[] = [];
    for (const sealed of await store.find(cipher.user, await cipher.markOf(pageNow()))) {
      const draft = await cipher.open(sealed, Date.now());
      if (draft) opened.push({ sealed, draft });
      else await store.remove(sealed);
    }
    return opened.sort((left, right) => right.draft.savedAt - left.draft.savedAt);
  };

  return {
    async begin(currentOwner, grant) {
      owner = currentOwner;
      if (key === grant.key && cipher) return true;
      // Somebody else signed in here: what is in the page is not theirs to keep.
      if (key !== undefined && key !== grant.key) changes.clean();
      key = grant.key;
      try {
        store ??= await openDraftStore();
        cipher = await draftCipher(key);
        await cleanUp();
        await wipeDropped(store);
        await heedSignOuts(store, cipher.user, grant);
        await store.noteSession(cipher.user, owner, Date.now());
        // For what was typed before there was a key.
        changed();
      } catch {
        cipher = undefined;
        storageFails();
      }
      return !!cipher;
    },
    changed,
    save: () => save().catch(storageFails),
    drop() {
      if (kept) noteDropped(life);
      forget();
    },
    async find() {
      const other = (await found().catch(() => [])).find(
        ({ sealed, draft }) => draft.owner !== owner && sealed.document !== life,
      );
      return other && { draft: other.draft, remove: () => store!.remove(other.sealed).catch(storageFails) };
    },
    async wipe() {
      const [wiped, user] = [store, cipher?.user];
      close();
      if (!wiped || user === undefined) return;
      await wiped.wipe(user).then(() => tell('wiped'), storageFails);
    },
    close() {
      close();
      store?.close();
      store = undefined;
    },
  };
}
