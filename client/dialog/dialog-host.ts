import { HOST_NAME } from '../dom/page-cover.js';
import { STYLE } from './style.js';

/** Makes an element, with its id as the name of its part. */
type CreatePart = <Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  id: string,
  properties?: object,
) => HTMLElementTagNameMap[Name];

/**
 * The element that all dialogs of the client have, with their styles, so that what styles the one styles the other.
 *
 * @param texts their language, and its direction
 * @returns the element, for the page; its shadow root, for the dialog; and what makes the dialog's parts
 */
export function dialogHost({
  lang,
  dir,
}: Record<'lang' | 'dir', string>): [host: HTMLElement, root: ShadowRoot, create: CreatePart] {
  const host = Object.assign(document.createElement(HOST_NAME), { lang, dir });
  const root = host.attachShadow({ mode: 'open' });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets.push(sheet);
  return [
    host,
    root,
    (name, id, properties) => Object.assign(document.createElement(name), { part: id, id }, properties),
  ];
}
