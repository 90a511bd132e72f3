import { isLive, readReply } from './answer.js';
import type { MonitorPorts } from './ports.js';
import type { SessionMonitor } from './session-monitor.js';

/** Ends the session on the server, and then in all tabs. Answers whether that worked. */
export async function signOut(
  { send, finish }: SessionMonitor,
  notify: MonitorPorts['notify'],
): Promise<boolean> {
  const reply = await send('end', {});
  const answer = readReply(reply);
  const isOver = !!answer && !isLive(answer);
  if (isOver) finish({ ...answer, state: 'expired', reason: 'logout' });
  else notify('error', { request: 'end', status: reply?.status ?? 0 });
  return isOver;
}
