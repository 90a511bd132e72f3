import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

// The scripts are plain JavaScript: they run before anything is built.
const script = new URL('../../../scripts/documentation/broken-links.mjs', import.meta.url).href;
const { brokenLinks } = (await import(script)) as { brokenLinks: (folder: string) => string[] };

let site: string;

beforeEach(() => {
  site = mkdtempSync(join(tmpdir(), 'site-'));
  mkdirSync(join(site, 'guides'));
  writeFileSync(join(site, 'index.html'), '<h2 id="a&amp;b">A</h2>');
});
afterEach(() => rmSync(site, { recursive: true }));

test.each([
  '../index.html',
  '../index.html#a&amp;b',
  '../',
  '..#a&amp;b',
  '#here',
  '',
  'https://example.org/nowhere',
])('a link to "%s" is sound', (address) => {
  writeFileSync(join(site, 'guides/page.html'), `<p id="here"><a class="x" href="${address}">A</a></p>`);
  expect(brokenLinks(site)).toEqual([]);
});

test.each(['../other.html', '../index.html#b', '#there', 'guides/page.html'])(
  'a link to "%s" leads nowhere',
  (address) => {
    writeFileSync(join(site, 'guides/page.html'), `<p id="here"><a href="${address}">A</a></p>`);
    expect(brokenLinks(site)).toEqual([`guides/page.html: nothing is at ${address}`]);
  },
);

test('a page that loads something from elsewhere cannot be read without a network', () => {
  writeFileSync(join(site, 'guides/page.html'), '<script async src="//cdn.example/a.js"></script>');
  expect(brokenLinks(site)).toContain('guides/page.html loads //cdn.example/a.js');
});
