// Follows the live sessions and what happens to them: asks once a second, on a passive route, and moves the bars on in
// between.
const ASK_EVERY_MS = 1000;
const sessionList = document.querySelector('[data-sessions]');
const eventList = document.querySelector('[data-events]');

/** The sessions of the last answer, each with the element that shows it and the instant at which it ends. */
let shown = [];
let lastNumber = 0;

const copyOf = (template) => document.getElementById(template).content.firstElementChild.cloneNode(true);
const clockTime = (instant) => new Date(instant).toLocaleTimeString();
const seconds = (milliseconds) => (milliseconds === undefined ? '' : `${(milliseconds / 1000).toFixed(1)} s`);

function elementFor({ session, user, userId, startedAt, limits }) {
  const known = shown.find((entry) => entry.session === session);
  const element = known?.element ?? copyOf('session');
  element.querySelector('[data-user]').textContent = user;
  element.querySelector('[data-since]').textContent = clockTime(startedAt);
  element.querySelector('input').value = userId;
  element.querySelector('button').setAttribute('aria-label', `End all sessions of ${user}`);
  const bar = element.querySelector('meter');
  bar.max = limits.expireAfter;
  bar.low = limits.expireAfter - limits.warnAfter;
  bar.optimum = limits.expireAfter;
  bar.setAttribute('aria-label', `Time left for ${user}`);
  return element;
}

function showSessions(sessions, answeredAt) {
  shown = sessions.map((entry) => ({
    session: entry.session,
    element: elementFor(entry),
    endsAt: answeredAt + entry.expireIn * 1000,
  }));
  const elements = shown.map(({ element }) => element);
  // Elements that stay are left in place, so that a button does not lose the focus.
  for (const old of [...sessionList.children]) if (!elements.includes(old)) old.remove();
  for (const element of elements) if (!element.isConnected) sessionList.append(element);
}

function moveBars(now) {
  for (const { element, endsAt } of shown) {
    const remaining = Math.max(0, (endsAt - now) / 1000);
    element.querySelector('meter').value = remaining;
    const text = `signed out in ${Math.ceil(remaining)} s`;
    const label = element.querySelector('[data-remaining]');
    if (label.textContent !== text) label.textContent = text;
  }
  requestAnimationFrame(moveBars);
}

function showEvent({ number, kind, user, reason, recordedAt, idleMs, lateMs }) {
  lastNumber = Math.max(lastNumber, number);
  const row = copyOf('event');
  row.querySelector('[data-at]').textContent = clockTime(recordedAt);
  row.querySelector('[data-kind]').textContent = kind;
  row.querySelector('[data-kind]').dataset.kind = kind;
  row.querySelector('[data-user]').textContent = user;
  row.querySelector('[data-reason]').textContent = reason ?? '';
  row.querySelector('[data-idle]').textContent = seconds(idleMs);
  row.querySelector('[data-late]').textContent = seconds(lateMs);
  eventList.prepend(row);
}

/** @returns {Promise<boolean>} whether there is more to follow */
async function ask() {
  const response = await fetch(`/administration/live?after=${lastNumber}`, {
    headers: { Accept: 'application/json' },
  });
  if (response.ok) {
    const { sessions, events } = await response.json();
    showSessions(sessions, performance.now());
    events.forEach(showEvent);
  }
  // Signed out: the session script covers this page.
  return response.status !== 401;
}

async function follow() {
  // A question that fails is made up for by the next one.
  const goesOn = await ask().catch(() => true);
  if (goesOn) setTimeout(follow, ASK_EVERY_MS);
}

void follow();
requestAnimationFrame(moveBars);
