import { Injectable } from '@nestjs/common';
import {
  type ClientTagOptions,
  SessionSecurityOptions,
  type SessionSecurityRequest,
} from '../options/index.js';
import { ClientTag } from './client-tag.js';
import { attributeOf, findStartTag, type StartTag } from './html-tags.js';
import type { SessionSecurityResponse } from './response-headers.js';

/** What engines pass to a helper: nothing, what the template says, or that as Handlebars packs it. */
type HelperArgument = ClientTagOptions | { readonly hash: ClientTagOptions } | undefined;

const HTML = /^text\/html\b/i;

/** Brings the client's tag into pages: by a helper for templates, or without their doing. */
@Injectable()
export class PageTags {
  constructor(
    private readonly tag: ClientTag,
    private readonly options: SessionSecurityOptions,
  ) {}

  /** The name by which templates call the helper, if there is to be one. */
  get helperName(): string | null {
    return this.options.tagHelper;
  }

  get injects(): boolean {
    return this.options.injectTag !== false;
  }

  /** The helper for what is rendered for this request. */
  helperFor(request: SessionSecurityRequest): (given?: HelperArgument) => Markup {
    return (given = {}) => new Markup(this.tag.write(request, 'hash' in given ? given.hash : given));
  }

  /** The same page with the tag in its head; what is no page, has no head or has the tag already stays as it is. */
  inject(
    request: SessionSecurityRequest,
    response: SessionSecurityResponse,
    contentType: unknown,
    body: unknown,
  ): unknown {
    if (typeof body !== 'string' || !HTML.test(String(contentType))) return body;
    // There the script is known before anything else of the page is read.
    const head = findStartTag(body, ({ name }) => name === 'head');
    if (!head || hasScript(body, this.tag.addressFor(request))) return body;
    const { injectTag } = this.options;
    const wanted = typeof injectTag === 'function' ? injectTag(request, response) : {};
    if (!wanted) return body;
    return body.slice(0, head.end) + this.tag.write(request, wanted) + body.slice(head.end);
  }
}

/** Many a page names the address without bringing the script: it shows what it was asked for. */
function hasScript(page: string, address: string): boolean {
  return page.includes(address) && findStartTag(page, (tag) => isScriptOf(tag, address)) !== undefined;
}

function isScriptOf(tag: StartTag, address: string): boolean {
  const [source = ''] = attributeOf(tag, 'src')?.split(/[?#]/, 1) ?? [];
  return tag.name === 'script' && source.trim().endsWith(address);
}

/** Markup that template engines put into a page as it is. */
export class Markup {
  constructor(private readonly text: string) {}

  toString(): string {
    return this.text;
  }

  /** By this Handlebars knows that there is nothing to escape. */
  toHTML(): string {
    return this.text;
  }
}
