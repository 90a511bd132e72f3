import { Injectable } from '@nestjs/common';
import { SessionSecurityOptions, type SessionSecurityRequest } from '../options/index.js';
import { ClientFiles } from './client-files.js';
import { acceptedLanguages, closestLanguage } from './language-match.js';

type Texts = Record<string, string>;

/** What the client script speaks by itself. */
const BUILT_IN = 'en';

/** The client's texts in the reader's language, so that its scripts carry one language and ask for no other. */
@Injectable()
export class ClientTexts {
  readonly #languages = new Map<string, Texts>();

  constructor(
    files: ClientFiles,
    private readonly options: SessionSecurityOptions,
  ) {
    for (const [name, { content }] of files.ofType('json'))
      this.#languages.set(name, JSON.parse(content.toString()) as Texts);
  }

  /**
   * What replaces the client's own texts; `null`: nothing does. The application's texts come before ours.
   *
   * @param part the texts of drafts, which few pages need, or all others
   * @param pageLanguage what the page is written in, as it came from outside
   */
  for(
    request: SessionSecurityRequest,
    part: 'dialog' | 'drafts' = 'dialog',
    pageLanguage?: unknown,
  ): Texts | null {
    const { language = pageLanguage, texts = {} } = this.options.client;
    const entries = Object.entries(texts);
    const inAll = entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string');
    const inOne = new Map(entries.filter((entry): entry is [string, Texts] => typeof entry[1] === 'object'));
    const wanted =
      typeof language === 'string' && language !== ''
        ? [language]
        : acceptedLanguages(request.headers['accept-language']);
    const offered = [...new Set([BUILT_IN, ...this.#languages.keys(), ...inOne.keys()])].sort();
    const tag = wanted.map((one) => closestLanguage(one, offered)).find(Boolean) ?? BUILT_IN;
    const ours = closestLanguage(tag, [BUILT_IN, ...this.#languages.keys()].sort());
    const answer = {
      ...(ours === undefined && { lang: tag }),
      ...(ours !== BUILT_IN && this.#languages.get(ours ?? '')),
      ...Object.fromEntries(inAll),
      ...inOne.get(tag),
    };
    const needed = Object.entries(answer).filter(([key]) => isNeeded(key, part));
    return needed.length > 0 ? Object.fromEntries(needed) : null;
  }
}

/** Both say what language they are in. */
function isNeeded(key: string, part: 'dialog' | 'drafts'): boolean {
  return key === 'lang' || key === 'dir' || key.startsWith('draft') === (part === 'drafts');
}
