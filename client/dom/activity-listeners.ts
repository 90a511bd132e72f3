import { listen } from './listen.js';

/**
 * What counts as activity when nothing else is configured. Focus, blur and visibility are not: they need no person. A touch
 * begins with a `pointerdown`; while it scrolls the page, only `touchmove` goes on.
 */
const PERSON_EVENTS = [
  'pointerdown',
  'pointermove',
  'pointerup',
  'pointercancel',
  'keydown',
  'input',
  'paste',
  'wheel',
  'touchmove',
  'scroll',
];

/**
 * Pages scroll by themselves: it counts this long after an input that can have caused it, in milliseconds. Moves of the mouse
 * cause none.
 */
const SCROLL_AFTER_INPUT_MS = 1000;
/** And for as long while a scroll bar is dragged: menus that open keep to themselves that the button has been released. */
const LONGEST_DRAG_MS = 60_000;

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
  /** Both coordinates in one. */
  let position: number;
  /** By one clock for all frames, each of which counts the `timeStamp` of its events from another origin. */
  let inputAt: number;
  /** Dragging a scroll bar sends no pointer events after the first, till the next move of the mouse at the latest. */
  let dragging: number;

  /** Has a person done this? */
  const isDone = (event: PointerEvent): unknown => {
    if (event.type === 'scroll')
      return performance.now() - inputAt! < (dragging ? LONGEST_DRAG_MS : SCROLL_AFTER_INPUT_MS);
    // Undefined in events that are not the mouse's.
    dragging = event.buttons;
    // Browsers report moves of a resting mouse when the page changes under it; the first one tells nothing yet. Not told by
    // `movementX`, which Safari has not always known (https://bugs.webkit.org/show_bug.cgi?id=255207).
    if (event.type === 'pointermove') return position! - (position = event.screenX * 1e3 + event.screenY);
    return (inputAt = performance.now());
  };
  const handle = (event: PointerEvent): void => {
    // Only custom events of the application's own choice may come from a script.
    if ((event.isTrusted || !PERSON_EVENTS.includes(event.type)) && isDone(event)) report();
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
