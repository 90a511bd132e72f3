/** The element that stays visible while the page is covered. */
export const HOST_NAME = 'session-security-dialog';

/**
 * Takes everything but our own element out of view, out of the accessibility tree, out of the tab order and out of
 * find-in-page, in the same task. `display: none` is the only way that a child cannot undo. A constructed style sheet
 * needs no exception in the content security policy and survives a framework that replaces the body.
 *
 * @returns covers the page, or uncovers it as it was
 */
export function pageCover(): (covered: boolean) => void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`:root>:not(${HOST_NAME}){display:none!important}`);
  let focused: HTMLElement | null;
  let position: [number, number] | undefined;
  return (covered) => {
    if (covered === !!position) return;
    const { adoptedStyleSheets } = document;
    if (covered) {
      focused = document.activeElement as HTMLElement | null;
      position = [scrollX, scrollY];
      adoptedStyleSheets.push(sheet);
    } else {
      document.adoptedStyleSheets = adoptedStyleSheets.filter((other) => other !== sheet);
      // Without a box, elements lose the focus and the window its scroll position.
      scrollTo(...position!);
      focused?.focus({ preventScroll: true });
      position = undefined;
    }
  };
}
