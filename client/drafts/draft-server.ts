import { isLive, readReply } from '../core/answer.js';
import type { PingAnswer, StartValues } from '../core/answer.js';
import type { Transport } from '../core/ports.js';

/** What the server gives to signed-in pages, so that they can keep drafts; docs/wire.md. */
export interface DraftGrant {
  /** 256 bits, base64url. */
  key: string;
  /** Sessions that the user has signed out of lately, by their owners: how many seconds ago. */
  signedOut: Record<string, number>;
  /** Texts that replace the built-in ones, by key. */
  texts: Record<string, string> | null;
}

/** Who is signed in now: `null` for nobody. */
export interface Standing {
  owner: string | null;
  grant: DraftGrant | null;
  settings: Partial<StartValues>;
}

const LONGEST_REQUEST_MS = 10_000;

/** Asks who is signed in, which moves nothing; undefined when the server could not be asked. */
export async function askStanding(transport: Transport): Promise<Standing | undefined> {
  const { lang } = document.documentElement;
  const asked = transport(`ping?start=1&drafts=1&language=${lang}`, undefined, LONGEST_REQUEST_MS);
  const answer: (PingAnswer & { drafts?: DraftGrant | null }) | undefined = readReply(
    await asked.catch(() => undefined),
  );
  if (!answer) return;
  const { drafts = null, client = {} } = answer;
  // An exempt session has no owner of interest: it does not end by itself.
  const owner = isLive(answer) ? answer.owner : answer.state === 'exempt' ? '' : null;
  return { owner, grant: isLive(answer) ? drafts : null, settings: client };
}
