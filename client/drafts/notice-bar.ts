/** What the browser's own style lacks. System colours follow light, dark and forced colours by themselves. */
const STYLE = `
:host{position:sticky;inset-block-start:0;z-index:2147483647;display:block;color-scheme:light dark;font:1rem/1.5 system-ui}
section,div{display:flex;flex-wrap:wrap;gap:.5em 1em;align-items:center}
section{padding:.75em 1em;background:Canvas;color:CanvasText;border-block-end:2px solid}
p{margin:0;flex:1 1 16em}
button{font:inherit;padding:.25em 1em}`;

const HOST_NAME = 'session-security-drafts';

/** A button of the bar: what is on it, and what it does. */
export type NoticeAction = [text: string, act: () => void];

/** A bar at the top of the page that says one thing and offers what to do about it. */
export interface NoticeBar {
  /** @param urgent interrupts what a screen reader is saying: the person is waiting for it */
  show: (text: string, actions: NoticeAction[], urgent?: boolean) => void;
  /** Takes the bar away. The focus goes back to where it was before, unless it is elsewhere by now. */
  hide: () => void;
}

/**
 * First in the page and so first in the order of the keyboard, without taking the focus: nobody is to be interrupted. Native
 * elements in a shadow root, and a constructed style sheet, which needs no exception in the content security policy.
 *
 * @param texts what they are in: language and direction
 */
export function noticeBar({ lang, dir }: { lang: string; dir: string }): NoticeBar {
  if (!customElements.get(HOST_NAME)) customElements.define(HOST_NAME, class extends HTMLElement {});
  const host = document.createElement(HOST_NAME);
  const root = host.attachShadow({ mode: 'open' });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [sheet];
  const create = <Name extends keyof HTMLElementTagNameMap>(name: Name, part: string) =>
    Object.assign(document.createElement(name), { part });
  const section = create('section', 'bar');
  const status = create('p', 'text');
  status.id = 'text';
  section.setAttribute('aria-labelledby', 'text');
  Object.assign(host, { lang, dir });
  root.append(section);
  let before: Element | null = null;
  host.addEventListener(
    'focusin',
    ({ relatedTarget }) => (before = (relatedTarget as Element | null) ?? before),
  );

  return {
    show(text, actions, urgent = false) {
      const buttons = actions.map(([label, act], index) =>
        Object.assign(create('button', `button-${index + 1}`), {
          type: 'button',
          textContent: label,
          onclick: act,
        }),
      );
      status.role = urgent ? 'alert' : 'status';
      status.textContent = '';
      const focused = root.activeElement !== null;
      // Together, so that they come below the text together where there is no room beside it.
      const group = create('div', 'buttons');
      group.append(...buttons);
      section.replaceChildren(status, group);
      if (!host.isConnected) document.body.prepend(host);
      if (focused) buttons[0]?.focus();
      // Screen readers announce what changes in a region that they know already.
      requestAnimationFrame(() => (status.textContent = text));
    },
    hide() {
      const focused = root.activeElement !== null;
      host.remove();
      if (focused && before instanceof HTMLElement) before.focus();
    },
  };
}
