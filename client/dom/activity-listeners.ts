import { listen } from './listen.js';

/** What counts as activity when nothing else is configured. Focus, blur and visibility are not: they need no person. */
const PERSON_EVENTS = [
  'pointerdown',
  'pointermove',
  'keydown',
  'input',
  'paste',
  'wheel',
  'touchstart',
  'touchmove',
  'scroll',
];

/** Scrolling counts this long after an input that can have caused it, in milliseconds. */
const SCROLL_AFTER_INPUT_MS = 1000;

/**
 * Calls `report` for every event by which a person shows to be there.
 *
 * @param names replaces the built-in list; any DOM or custom event name
 * @throws TypeError when `names` is not a list of names
 */
export function listenForActivity(
  report: () => void,
  signal: AbortSignal,
  names?: readonly string[] | null,
): void {
  let position: string | undefined;
  let inputAt = -Infinity;
  let dragging: number;

  const handle = (event: PointerEvent): void => {
    // Every frame counts the `timeStamp` of its events from another origin.
    const now = performance.now();
    // Only custom events of the application's own choice may come from a script.
    if (!event.isTrusted && PERSON_EVENTS.includes(event.type)) return;
    // Undefined in events that are not the mouse's.
    dragging = event.buttons ?? dragging;
    if (event.type === 'pointermove') {
      // Browsers report moves of a resting mouse when the page changes under it; the first one tells nothing yet.
      const before = position;
      position = `${event.screenX},${event.screenY}`;
      if (!before || before === position) return;
    }
    // Pages scroll by themselves; and dragging a scroll bar sends no pointer events after the first.
    if (event.type !== 'scroll') inputAt = now;
    else if (!dragging && now - inputAt > SCROLL_AFTER_INPUT_MS) return;
    report();
  };

  // Throws for anything but a list of strings.
  const trimmed = (names ?? PERSON_EVENTS).map((name) => name.trim());
  const watch = (view: Window): void => {
    try {
      listen(trimmed, handle as (event: Event) => void, signal, view);
      // It does not bubble, but it can be caught on its way. What a frame loads takes the listeners of before away.
      listen(
        ['load'],
        (event) => watch((event.target as HTMLIFrameElement).contentWindow!),
        signal,
        view.document,
      );
      for (let index = 0; view[index]; index++) watch(view[index]!);
    } catch {
      // Something else than a frame, or one of another origin, which has to tell by itself: `client/frame.ts`.
    }
  };
  watch(window);
}
