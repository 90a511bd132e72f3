import { readdirSync, readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';

/**
 * What a reader without a network would miss: links to pages and places that are not there, and whatever a page loads
 * from elsewhere. Links that lead to other sites are not followed.
 *
 * @param {string} folder of a site that is built
 * @returns {string[]} a line for each
 */
export function brokenLinks(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => resolve(parentPath, name));
  const textsOf = (ending) =>
    files.filter((file) => file.endsWith(ending)).map((file) => [file, readFileSync(file, 'utf8')]);
  const pages = textsOf('.html');
  const places = new Map([...pages, ...textsOf('.svg')].map(([file, text]) => [file, placesIn(text)]));

  return pages.flatMap(([page, html]) =>
    [...new Set(addressesIn(html))]
      .filter((address) => !leadsSomewhere(page, address))
      .map((address) => `${relative(folder, page)}: nothing is at ${address}`)
      .concat(loadedFromElsewhere(html).map((address) => `${relative(folder, page)} loads ${address}`)),
  );

  function leadsSomewhere(page, address) {
    const [path, place = ''] = address.split('#').map(decodeURIComponent);
    const target = path === '' ? page : resolve(dirname(page), path);
    // Some links of TypeDoc leave out the name of the first page.
    const file = target === resolve(folder) ? resolve(folder, 'index.html') : target;
    return files.includes(file) && (place === '' || !!places.get(file)?.has(place));
  }
}

function placesIn(html) {
  return new Set([...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => unescaped(id)));
}

/** Addresses within the site. */
function addressesIn(html) {
  return [...html.matchAll(/ (?:href|src)="([^"]*)"/g)]
    .map(([, address]) => unescaped(address))
    .filter((address) => !/^([a-z]+:|\/\/)/.test(address));
}

function loadedFromElsewhere(html) {
  const elements = html.matchAll(
    /<(?:link|script|img|iframe|source)\b[^>]*? (?:href|src)="((?:https?:)?\/\/[^"]*)"/g,
  );
  return [...elements].map(([, address]) => address);
}

function unescaped(text) {
  return text
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}
