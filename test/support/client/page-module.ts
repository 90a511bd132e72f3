import { build } from 'esbuild';
import type { Page } from 'playwright-core';

/** Loads one module of the client into the page, its exports under a global name. */
export async function loadModule(page: Page, entry: string, globalName: string): Promise<void> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    format: 'iife',
    globalName,
    target: 'es2022',
    write: false,
  });
  await page.addScriptTag({ content: outputFiles[0]!.text });
}
