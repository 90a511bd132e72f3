/** The element that stays visible while the page is covered. */
export const HOST_NAME = 'session-security-dialog';

const OTHERS = `:root>:not(${HOST_NAME})`;

/**
 * Takes everything but our own element out of view, out of print, out of the accessibility tree, out of the tab order and
 * out of find-in-page, in the same task. `display: none` is the only way that a child cannot undo.
 *
 * It is said twice, because applications style their pages in many ways. Only `!important` on the element itself wins over
 * `!important` in a cascade layer (https://www.w3.org/TR/css-cascade-5/#cascade-sort); a constructed style sheet survives a
 * framework that replaces the body or rewrites its style. Neither needs an exception in the content security policy.
 *
 * @returns covers the page, or uncovers it as it was
 */
export function pageCover(): (covered: boolean) => void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`${OTHERS}{display:none!important;transition:none!important}`);
  let focused: HTMLElement | null;
  let position: [number, number] | undefined;
  let restores: (() => void)[];
  return (covered) => {
    if (covered === !!position) return;
    sheet.disabled = !covered;
    if (covered) {
      focused = document.activeElement as HTMLElement | null;
      position = [scrollX, scrollY];
      document.adoptedStyleSheets.push(sheet);
      restores = [...document.querySelectorAll<HTMLElement>(OTHERS)].map(({ style }) => {
        const { display } = style;
        const priority = style.getPropertyPriority('display');
        style.setProperty('display', 'none', 'important');
        return () => style.setProperty('display', display, priority);
      });
    } else {
      for (const restore of restores) restore();
      // Without a box, elements lose the focus and the window its scroll position, which the focus moves.
      focused?.focus();
      scrollTo(...position!);
      position = undefined;
    }
  };
}
