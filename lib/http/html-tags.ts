export interface StartTag {
  /** In lower case. */
  readonly name: string;
  /** The tag as it is written. */
  readonly text: string;
  /** Where the page goes on behind it. */
  readonly end: number;
}

/** How a tag begins. A longer name is nobody's who is asked for. */
const OPENING = /<(\/?)([a-z][^\s/>]{0,15})/iy;
/** In a tag: its end, or what a value follows. */
const END_OR_VALUE = />|=\s*(["']?)/g;
const ATTRIBUTE = /([^\s"'>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/g;

/** In these elements nothing is a tag but their own end. */
const TEXT_ELEMENTS = new Set([
  'iframe',
  'noembed',
  'noframes',
  'script',
  'style',
  'textarea',
  'title',
  'xmp',
]);

/** Finds a start tag of a page as browsers do: not what looks like one in comments, values, texts and scripts. */
export function findStartTag(page: string, isWanted: (tag: StartTag) => boolean): StartTag | undefined {
  for (let at = page.indexOf('<'); at >= 0; at = page.indexOf('<', at)) {
    const [opening, slash, name = ''] = matchAt(OPENING, page, at) ?? [];
    if (opening === undefined) {
      at = page.startsWith('<!--', at) ? endOfComment(page, at) : at + 1;
      continue;
    }
    const end = endOfTag(page, at + opening.length);
    if (end === undefined) return undefined;
    const tag = { name: name.toLowerCase(), text: page.slice(at, end), end };
    if (!slash && isWanted(tag)) return tag;
    at = !slash && TEXT_ELEMENTS.has(tag.name) ? endOfText(page, tag) : end;
  }
  return undefined;
}

/** The value of an attribute, as it is written. */
export function attributeOf({ name: tag, text }: StartTag, wanted: string): string | undefined {
  for (const [, name = '', ...values] of text.slice(tag.length + 1).matchAll(ATTRIBUTE))
    if (name.toLowerCase() === wanted) return values.find((value) => value !== undefined) ?? '';
  return undefined;
}

/** `undefined` if the page ends before the tag does. */
function endOfTag(page: string, from: number): number | undefined {
  for (let at = from; ;) {
    END_OR_VALUE.lastIndex = at;
    const found = END_OR_VALUE.exec(page);
    if (!found) return undefined;
    at = found.index + found[0].length;
    if (found[0] === '>') return at;
    if (found[1]) at = behind(page, found[1], at);
  }
}

/** `<!-->` and `<!--->` are comments too. */
function endOfComment(page: string, at: number): number {
  return behind(page, '-->', at + 2);
}

function endOfText(page: string, { name, end }: StartTag): number {
  const closing = new RegExp(`</${name}[\\s/>]`, 'gi');
  closing.lastIndex = end;
  return closing.exec(page)?.index ?? page.length;
}

function behind(page: string, text: string, from: number): number {
  const at = page.indexOf(text, from);
  return at < 0 ? page.length : at + text.length;
}

function matchAt(pattern: RegExp, page: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(page);
}
