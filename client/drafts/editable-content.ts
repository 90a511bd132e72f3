/** Rich text: text, and elements as their name, their link if they are one, and what is in them. */
export type EditableNode = string | [name: string, link: string | null, content: EditableNode[]];

/** Elements that people make when they write. Of anything else, what is in it is kept. */
const WRITTEN =
  /^(p|div|br|b|strong|i|em|u|s|del|ins|sub|sup|mark|small|code|pre|blockquote|ul|ol|li|h[1-6]|a|span)$/;
const SAFE_LINK = /^(https?:|mailto:|tel:)/;

/** Whether a person edits this element, and not only something in or around it. */
export function isEditable(element: Element): boolean {
  const value = element.getAttribute('contenteditable');
  return value !== null && value !== 'false' && value !== 'inherit';
}

export function readEditable(element: Node): EditableNode[] {
  return [...element.childNodes].flatMap((node): EditableNode[] => {
    if (node instanceof Text) return [node.data];
    if (!(node instanceof HTMLElement)) return [];
    const content = readEditable(node);
    if (!WRITTEN.test(node.localName)) return content;
    const link = node instanceof HTMLAnchorElement && SAFE_LINK.test(node.protocol) ? node.href : null;
    return [[node.localName, link, content]];
  });
}

/** Builds nodes instead of writing markup: that is what Trusted Types allow, and nothing in it can run. */
export function writeEditable(element: Element, nodes: EditableNode[]): void {
  element.replaceChildren(...nodes.map(buildNode));
}

function buildNode(node: EditableNode): Node | string {
  if (typeof node === 'string') return node;
  const [name, link, content] = node;
  const element = document.createElement(WRITTEN.test(name) ? name : 'span');
  if (link && SAFE_LINK.test(link)) element.setAttribute('href', link);
  element.append(...content.map(buildNode));
  return element;
}
