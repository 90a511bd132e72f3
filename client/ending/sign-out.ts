import { isLive, readReply } from '../core/answer.js';
import type { MonitorPorts } from '../core/ports.js';
import type { SessionMonitor } from '../core/session-monitor.js';

/** Ends the session on the server, and then in all tabs. Answers whether that worked. */
export async function signOut(
  send: SessionMonitor['send'],
  finish: SessionMonitor['finish'],
  notify: MonitorPorts['notify'],
): Promise<boolean> {
  const reply = await send('end', {});
  const answer = readReply(reply);
  const isOver = !!answer && !isLive(answer);
  if (isOver) finish({ ...answer, state: 'expired', reason: 'logout' });
  else notify('error', { request: 'end', status: reply?.status ?? 0 });
  return isOver;
}
