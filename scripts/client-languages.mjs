import { readdir, readFile } from 'node:fs/promises';
import { build } from 'esbuild';

const FOLDER = new URL('../client/locales/', import.meta.url);

/**
 * Reads the texts of all languages that are loaded apart, by tag.
 *
 * @returns {Promise<Map<string, Record<string, string>>>}
 * @throws when a language lacks a text, has one too many, or leaves out the time
 */
export async function readLanguages() {
  const english = await englishTexts();
  const languages = new Map();
  for (const file of (await readdir(FOLDER)).sort()) {
    const tag = file.replace(/\.json$/, '');
    const texts = JSON.parse(await readFile(new URL(file, FOLDER), 'utf8'));
    const problems = problemsIn(texts, tag, english);
    if (problems.length > 0) throw new Error(`client/locales/${file}: ${problems.join('; ')}`);
    languages.set(tag, texts);
  }
  return languages;
}

/**
 * @param {Record<string, unknown>} texts
 * @param {string} tag
 * @param {Record<string, string>} english has every key that there is
 */
export function problemsIn(texts, tag, english) {
  const isText = (value) => typeof value === 'string' && value.trim() === value && value !== '';
  return [
    ...Object.keys(english)
      .filter((key) => !isText(texts[key]))
      .map((key) => `"${key}" is missing`),
    ...Object.keys(texts)
      .filter((key) => !Object.hasOwn(english, key))
      .map((key) => `"${key}" is no text of the client`),
    ...Object.keys(english)
      .filter((key) => english[key].includes('{time}') !== String(texts[key]).includes('{time}'))
      .map((key) => `"${key}" has {time} where English has none, or none where English has it`),
    ...(texts.lang === tag ? [] : [`"lang" is not "${tag}"`]),
    ...(['ltr', 'rtl'].includes(texts.dir) ? [] : ['"dir" is neither "ltr" nor "rtl"']),
  ];
}

/** What the scripts carry themselves. */
export async function englishTexts() {
  const { outputFiles } = await build({
    entryPoints: ['client/dialog/texts.ts', 'client/drafts/texts.ts', 'client/ending/texts.ts'],
    format: 'esm',
    outdir: '.',
    write: false,
  });
  const modules = await Promise.all(
    outputFiles.map(({ text }) => import(`data:text/javascript,${encodeURIComponent(text)}`)),
  );
  return Object.assign({}, ...modules.map(({ ENGLISH }) => ENGLISH));
}
