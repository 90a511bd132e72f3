/** The element that stays visible while the page is covered. */
export const HOST_NAME = 'session-security-dialog';

/** Hides the page. */
export interface PageCover {
  cover(): void;
  uncover(): void;
}

/**
 * Takes everything but our own element out of view, out of the accessibility tree, out of the tab order and out of
 * find-in-page, in the same task. `display: none` is the only way that a child cannot undo. A constructed style sheet
 * needs no exception in the content security policy and survives a framework that replaces the body.
 */
export function pageCover(): PageCover {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`:root>:not(${HOST_NAME}){display:none!important}`);
  let restore: (() => void) | undefined;
  return {
    cover() {
      if (restore) return;
      const focused = document.activeElement as HTMLElement | null;
      const { scrollX, scrollY } = window;
      document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
      restore = () => {
        document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== sheet);
        // Without a box, elements lose the focus and the window its scroll position.
        scrollTo({ left: scrollX, top: scrollY, behavior: 'instant' });
        focused?.focus({ preventScroll: true });
      };
    },
    uncover() {
      restore?.();
      restore = undefined;
    },
  };
}
