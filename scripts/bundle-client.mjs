import { build } from 'esbuild';
import { minify } from 'terser';

/**
 * Properties that never leave the client: neither on the wire, nor on the tab channel (tabs may run different versions),
 * nor in the public API, nor on an object of the browser. Only these are shortened.
 */
const INTERNAL =
  /^(wall|monotonic|setTimer|clearTimer|transport|channel|lock|chance|isVisible|isHidden|suspend|retryAfter|watch|notify|wake|restore|send|finish)$/;

/**
 * Bundles one entry of the client with esbuild, and lets terser take out what esbuild leaves (5 % of the whole).
 *
 * @param {string} entry
 * @param {{ format: 'iife' | 'esm', sourceMap?: boolean }} options
 * @returns {Promise<{ code: string, map?: string }>}
 */
export async function bundleClient(entry, { format, sourceMap = false }) {
  const { outputFiles } = await build({
    entryPoints: [entry],
    outfile: 'bundle.js',
    bundle: true,
    // The frameworks that the bindings bind to are the application's.
    packages: 'external',
    minify: true,
    format,
    target: 'es2022',
    mangleProps: INTERNAL,
    legalComments: 'none',
    sourcemap: sourceMap && 'external',
    write: false,
  });
  const bundle = outputFiles.find(({ path }) => path.endsWith('.js')).text;
  const bundleMap = outputFiles.find(({ path }) => path.endsWith('.map'))?.text;
  const { code, map } = await minify(bundle, {
    ecma: 2022,
    module: format === 'esm',
    toplevel: true,
    compress: {
      passes: 5,
      ecma: 2022,
      unsafe_arrows: true,
      pure_getters: true,
      keep_fargs: false,
      unsafe: true,
    },
    sourceMap: bundleMap === undefined ? false : { content: bundleMap },
  });
  return { code, map };
}
