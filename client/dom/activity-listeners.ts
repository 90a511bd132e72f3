/** What counts as activity when nothing else is configured. Focus, blur and visibility are not: they need no person. */
const PERSON_EVENTS = 'pointerdown pointermove keydown input paste wheel touchstart touchmove scroll'.split(
  ' ',
);

/** Scrolling counts this long after an input that can have caused it, in milliseconds. */
const SCROLL_AFTER_INPUT_MS = 1000;

/**
 * Calls `report` for every event by which a person shows to be there.
 *
 * The listeners sit on the window and capture, so that a widget that stops propagation hides nobody; they are passive,
 * so that scrolling never waits for them.
 *
 * @param events replaces the built-in list; any DOM or custom event name
 * @returns removes the listeners
 * @throws TypeError when `events` is not a list of names
 */
export function listenForActivity(report: () => void, events: readonly string[] = PERSON_EVENTS): () => void {
  if (!Array.isArray(events) || !events.every((name) => name && typeof name === 'string'))
    throw new TypeError('events: expected a list of event names');
  let screenX: number | undefined;
  let screenY: number | undefined;
  let inputAt = -Infinity;
  let dragging = false;

  const handle = (event: Event): void => {
    const { type, timeStamp } = event;
    // Only custom events of the application's own choice may come from a script.
    if (!event.isTrusted && PERSON_EVENTS.includes(type)) return;
    if (type === 'pointermove') {
      const move = event as PointerEvent;
      // Browsers report moves of a resting mouse when the page changes under it; the first one tells nothing yet.
      const moved = screenX !== undefined && (move.screenX !== screenX || move.screenY !== screenY);
      ({ screenX, screenY } = move);
      dragging = move.buttons > 0;
      if (!moved) return;
    }
    // Pages scroll by themselves; and dragging a scroll bar sends no pointer events after the first.
    if (type === 'scroll') {
      if (!dragging && timeStamp - inputAt > SCROLL_AFTER_INPUT_MS) return;
    } else {
      inputAt = timeStamp;
      if (type === 'pointerdown') dragging = true;
    }
    report();
  };

  const stop = new AbortController();
  for (const name of events)
    addEventListener(name, handle, { capture: true, passive: true, signal: stop.signal });
  return () => stop.abort();
}
