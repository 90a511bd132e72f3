/** The value by which a form or a part of a page opts out. */
const OFF = 'off';

/** The nearest element that says something about itself and what is in it: the element, or one around it. */
export const nearestWith = (element: Element, attribute: string): Element | null =>
  element.closest(`[${attribute}]`);

/**
 * Whether a form or field is asked for by an attribute such as `data-session-guard`, on itself or around it.
 *
 * @param everywhere what holds where the page says nothing
 */
export function asksFor(element: Element, attribute: string, everywhere: boolean): boolean {
  const nearest = nearestWith(element, attribute);
  return nearest ? nearest.getAttribute(attribute) !== OFF : everywhere;
}
