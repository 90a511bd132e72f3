/**
 * Listens on a target, the window as a rule, for all of `names`: capturing, so that nothing on the page can stop an event on its way, and
 * passive, so that scrolling never waits.
 */
export const listen = (
  names: readonly string[],
  listener: (event: Event) => void,
  signal: AbortSignal,
  target: EventTarget = window,
): void => {
  for (const name of names) target.addEventListener(name, listener, { capture: true, passive: true, signal });
};
