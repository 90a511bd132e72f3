// Shows news as they come. Browsers allow six connections to a server over HTTP/1.1, all tabs together, so a tab
// that is not looked at gives its stream up.
const list = document.querySelector('[data-notifications]');
const empty = document.querySelector('[data-notifications-empty]');
const SHOWN_NEWS = 6;

let stream;

function show({ text, at }) {
  const time = document.createElement('time');
  time.dateTime = new Date(at).toISOString();
  time.textContent = new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  const item = document.createElement('li');
  item.append(text, ' ', time);
  list.prepend(item);
  while (list.children.length > SHOWN_NEWS) list.lastElementChild.remove();
  empty.hidden = true;
}

function follow() {
  stream?.close();
  stream = undefined;
  if (document.visibilityState !== 'visible') return;
  stream = new EventSource('/notifications/stream');
  stream.addEventListener('message', (event) => show(JSON.parse(event.data)));
}

document.addEventListener('visibilitychange', follow);
follow();
