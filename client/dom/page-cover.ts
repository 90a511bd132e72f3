/** The element that stays visible while the page is covered. */
export const HOST_NAME = 'session-security-dialog';

/**
 * Takes everything but our own element out of view, out of print, out of the accessibility tree, out of the tab order and
 * out of find-in-page, in the same task. `display: none` is the only way that a child cannot undo, and only `!important` on
 * the element itself wins over all that style sheets can say, in layers too; but for a transition, which is therefore taken
 * away with it. Set by script it needs no exception in the content security policy.
 *
 * @returns covers the page, or uncovers it as it was
 */
export function pageCover(): (covered: boolean) => void {
  /** What the elements said themselves, for each property that is set to `none`. */
  const replaced = ['display', 'transition-property'].map(
    (name) => [name, new Map<CSSStyleDeclaration, [value: string, priority: string]>()] as const,
  );
  let focused: HTMLElement | null;
  let position: [number, number] | undefined;

  /** @returns whether there was anything to hide */
  const hide = (): boolean => {
    let found = false;
    for (const { style } of document.querySelectorAll<HTMLElement>(`:root>:not(${HOST_NAME})`))
      for (const [name, said] of replaced) {
        const says: [string, string] = [style.getPropertyValue(name), style.getPropertyPriority(name)];
        if (says.join() === 'none,important') continue;
        said.set(style, says);
        style.setProperty(name, 'none', 'important');
        found = true;
      }
    return found;
  };
  const watch = (): void => {
    if (!position) return;
    hide();
    observer.observe(document, { subtree: true, childList: true, attributes: true });
  };
  // The application may replace the body or rewrite its style.
  const observer = new MutationObserver(() => {
    if (!hide()) return;
    // No more than once a task: an application that watches its style and puts it back would make this endless.
    observer.disconnect();
    setTimeout(watch);
  });

  return (covered) => {
    if (covered === !!position) return;
    if (covered) {
      focused = document.activeElement as HTMLElement | null;
      position = [scrollX, scrollY];
      watch();
    } else {
      observer.disconnect();
      for (const [name, said] of replaced) {
        said.forEach((says, style) => style.setProperty(name, ...says));
        said.clear();
      }
      // Without a box, elements lose the focus and the window its scroll position.
      scrollTo(...position!);
      focused?.focus({ preventScroll: true });
      position = undefined;
    }
  };
}
