/** Tags that browsers send for a language that has another tag here; both kinds of Norwegian are read by all. */
const ALIASES: Record<string, string> = { no: 'nb', nn: 'nb' };

/**
 * The language that serves readers of `wanted` best: `de-AT` is served by `de`, `zh-TW` by `zh-Hant`, `pt` by `pt-BR`, every
 * other Portuguese than Brazil's by `pt-PT`. Never one in another script.
 *
 * @param wanted a BCP 47 tag, as it came from outside
 * @param offered BCP 47 tags, in alphabetical order
 */
export function closestLanguage(wanted: string, offered: readonly string[]): string | undefined {
  const reader = likely(wanted);
  if (!reader) return;
  const readable = offered.filter((tag) => {
    const { language, script } = localeOfOffer(tag);
    return language === reader.language && script === reader.script;
  });
  return readable.find((tag) => localeOfOffer(tag).region === reader.region) ?? readable.at(-1);
}

/** Working a locale out takes long, and everybody may ask for twenty languages; offers are few, and always the same. */
const offers = new Map<string, Intl.Locale>();

function localeOfOffer(tag: string): Intl.Locale {
  const locale = offers.get(tag) ?? likely(tag)!;
  offers.set(tag, locale);
  return locale;
}

/**
 * What an `Accept-Language` header asks for, the most wanted first (RFC 9110, section 12.5.4).
 *
 * @param header as it came from outside
 */
export function acceptedLanguages(header: string | string[] | undefined): string[] {
  return String(header ?? '')
    .split(',', 20)
    .map((part) => {
      const [tag = '', weight] = part.split(';q=', 2);
      return { tag: tag.trim(), weight: weight === undefined ? 1 : Number(weight) };
    })
    .filter(({ tag, weight }) => tag !== '' && weight > 0)
    .sort((one, other) => other.weight - one.weight)
    .map(({ tag }) => tag);
}

/** With the script and region that its readers most likely use; undefined for what is no tag. */
function likely(tag: string): Intl.Locale | undefined {
  try {
    const locale = new Intl.Locale(tag.replaceAll('_', '-'));
    return new Intl.Locale(locale, { language: ALIASES[locale.language] ?? locale.language }).maximize();
  } catch {
    return undefined;
  }
}
