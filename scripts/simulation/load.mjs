import { cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Inside of node_modules, so that the bundle finds the packages that it leaves out. */
const folder = resolve(root, 'node_modules/.cache/simulation');

/**
 * Loads the simulation as one module, with sources of the engine changed on the way if that is asked for.
 *
 * @param {{ name?: string, changes?: { file: string, from: string, to: string }[] }} [fault]
 * @returns {Promise<typeof import('../../test/simulation/index.ts')>}
 * @throws if a change does not fit its file exactly once: the fault is out of date.
 */
export async function loadSimulation({ name = 'sound', changes = [] } = {}) {
  mkdirSync(folder, { recursive: true });
  // The engine reads its scripts for Redis from beside itself.
  cpSync(resolve(root, 'lib/redis/scripts'), resolve(folder, 'scripts'), { recursive: true });
  const outfile = resolve(folder, `${process.pid}-${name.replace(/\W+/g, '-')}.mjs`);
  await build({
    entryPoints: [resolve(root, 'test/simulation/index.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'es2022',
    packages: 'external',
    logLevel: 'error',
    sourcemap: 'inline',
    plugins: [changing(changes)],
  });
  try {
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(outfile);
  }
}

/** An esbuild plugin that replaces text in sources. */
function changing(changes) {
  const files = [...new Set(changes.map(({ file }) => file))];
  return {
    name: 'changes',
    setup(bundler) {
      const left = new Set(files);
      bundler.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const file = relative(root, path);
        if (!files.includes(file)) return undefined;
        left.delete(file);
        const source = readFileSync(path, 'utf8');
        const wanted = changes.filter((change) => change.file === file);
        return { contents: wanted.reduce(replaceOnce, source), loader: 'ts' };
      });
      bundler.onEnd(() => {
        if (left.size > 0) throw new Error(`Nothing in the simulation loads ${[...left].join(', ')}.`);
      });
    },
  };
}

function replaceOnce(source, { file, from, to }) {
  const found = source.split(from).length - 1;
  if (found !== 1) throw new Error(`${file} holds this ${found} times instead of once:\n${from}`);
  return source.replace(from, () => to);
}
