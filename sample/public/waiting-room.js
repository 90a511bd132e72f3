// Looks who is waiting, again and again. The route is passive: it keeps nobody signed in.
const LOOK_EVERY_MS = 2000;
const queue = document.querySelector('[data-queue]');
const lookedAt = document.querySelector('[data-looked-at]');

function row({ name, room, minutes }) {
  const line = document.createElement('tr');
  const heading = document.createElement('th');
  heading.scope = 'row';
  heading.textContent = name;
  line.append(heading);
  for (const text of [room, `${minutes} min`]) line.insertCell().textContent = text;
  return line;
}

/** @returns {Promise<boolean>} whether there is more to look at */
async function look() {
  const response = await fetch('/waiting-room/queue', { headers: { Accept: 'application/json' } });
  if (response.ok) {
    queue.replaceChildren(...(await response.json()).map(row));
    lookedAt.textContent = `at ${new Date().toLocaleTimeString()}`;
  }
  // Signed out: the session script covers this page.
  return response.status !== 401;
}

async function keepLooking() {
  // A look that fails is made up for by the next one.
  const goesOn = await look().catch(() => true);
  if (goesOn) setTimeout(keepLooking, LOOK_EVERY_MS);
}

setTimeout(keepLooking, LOOK_EVERY_MS);
