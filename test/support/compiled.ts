import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformSync } from '@swc/core';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** With the built client, which the server hands out. */
const SOURCES = ['lib', 'test/redis/support', 'sample', 'dist/client'];

/**
 * The library and the programs of the tests as JavaScript, for processes of their own to run. It lies within the
 * project, so that they find its packages, and is a package of the library's name, as the sample imports it.
 *
 * @returns the folder, laid out as the project; to be removed with {@link removeCompiled}
 */
export function compile(): string {
  mkdirSync(join(root, 'node_modules', '.cache'), { recursive: true });
  const folder = mkdtempSync(join(root, 'node_modules', '.cache', 'processes-'));
  const description = {
    name: 'nestjs-session-security',
    type: 'module',
    exports: { '.': './lib/index.js', './redis': './lib/redis/index.js' },
  };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(description));
  for (const source of SOURCES) {
    const files = readdirSync(join(root, source), { recursive: true, withFileTypes: true });
    for (const file of files.filter((entry) => entry.isFile())) {
      const path = join(file.parentPath, file.name).slice(root.length);
      const target = join(folder, path);
      mkdirSync(dirname(target), { recursive: true });
      if (/(?<!\.d)\.ts$/.test(path))
        writeFileSync(target.replace(/ts$/, 'js'), javaScript(join(root, path)));
      else cpSync(join(root, path), target);
    }
  }
  return folder;
}

export function removeCompiled(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

/** By the settings in .swcrc, as the tests themselves. */
function javaScript(path: string): string {
  return transformSync(readFileSync(path, 'utf8'), { filename: path }).code;
}
