/**
 * Listens on the window for all of `names`: capturing, so that nothing on the page can stop an event on its way, and
 * passive, so that scrolling never waits.
 */
export function listen(
  names: readonly string[],
  listener: (event: Event) => void,
  signal: AbortSignal,
): void {
  for (const name of names) addEventListener(name, listener, { capture: true, passive: true, signal });
}
