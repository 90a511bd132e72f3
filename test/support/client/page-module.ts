import { build } from 'esbuild';
import type { Page } from 'playwright-core';

/** What a test file has bundled, by entry and global name. */
const bundles = new Map<string, Promise<string>>();

/** Loads one module of the client into the page, its exports under a global name. */
export async function loadModule(page: Page, entry: string, globalName: string): Promise<void> {
  const key = `${entry} ${globalName}`;
  if (!bundles.has(key)) bundles.set(key, bundled(entry, globalName));
  await page.addScriptTag({ content: await bundles.get(key)! });
}

async function bundled(entry: string, globalName: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    format: 'iife',
    globalName,
    target: 'es2022',
    write: false,
  });
  return outputFiles[0]!.text;
}
