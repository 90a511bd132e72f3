import { listenForActivity } from './dom/activity-listeners.js';
import type { SessionSecurityClient } from './session-security-client.js';

/** What a frame of another origin tells the page around it. */
const ACTIVITY = 'session-security:activity';
const TELL_EVERY_MS = 1000;

/** @throws TypeError for anything but an origin, because a mistake here would be silent */
function checkOrigin(origin: string): string {
  if (new URL(origin).origin !== origin) throw new TypeError(`"${origin}" is not an origin.`);
  return origin;
}

/**
 * For a frame of another origin: tells the page around it when a person does something in the frame. Frames of the same
 * origin are watched without it.
 *
 * @example
 * import { reportActivity } from 'nestjs-session-security/client/frame';
 * reportActivity('https://clinic.example');
 *
 * @param pageOrigin of the page around the frame; no other page is told
 * @param events names of the events that count, in place of the built-in list
 * @returns stops it
 */
export function reportActivity(pageOrigin: string, events?: readonly string[]): () => void {
  const origin = checkOrigin(pageOrigin);
  const listening = new AbortController();
  let toldAt = -Infinity;
  const tell = (): void => {
    const now = performance.now();
    if (now - toldAt < TELL_EVERY_MS) return;
    toldAt = now;
    parent.postMessage(ACTIVITY, origin);
  };
  listenForActivity(tell, listening.signal, events);
  return () => listening.abort();
}

/**
 * For the page around frames of other origins: what they report counts as activity.
 *
 * @example
 * import { acceptActivity } from 'nestjs-session-security/client/frame';
 * acceptActivity(start(), ['https://images.example']);
 *
 * @param frameOrigins of the frames that are believed
 * @returns stops it
 */
export function acceptActivity(
  client: Pick<SessionSecurityClient, 'activity'>,
  frameOrigins: readonly string[],
): () => void {
  const origins = frameOrigins.map(checkOrigin);
  const listening = new AbortController();
  addEventListener(
    'message',
    ({ data, origin }) => {
      if (data === ACTIVITY && origins.includes(origin)) client.activity();
    },
    { signal: listening.signal },
  );
  return () => listening.abort();
}
