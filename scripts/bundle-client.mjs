import { minify as minifyAgain } from '@swc/core';
import { build } from 'esbuild';
import { minify as minifyOnce } from 'terser';
import { minify as minifyLast } from 'uglify-js';

/**
 * Properties that never leave the client: neither on the wire, nor on the tab channel (tabs may run different versions),
 * nor in the public API, nor on an object of the browser, nor to a file that is loaded apart. Only these are shortened.
 */
const INTERNAL =
  /^(wall|monotonic|setTimer|clearTimer|transport|channel|lock|chance|isVisible|isHidden|suspend|retryAfter|watch|notify|wake|restore|start|send|finish)$/;

/**
 * Nothing in the client relies on what these options may change. `unsafe_comps` and `unsafe_math` are not among them: they
 * break what is done about NaN and bigints, which anybody may send on a channel.
 */
const COMPRESS = {
  passes: 5,
  ecma: 2022,
  pure_getters: true,
  keep_fargs: false,
  unsafe: true,
  unsafe_arrows: true,
  unsafe_methods: true,
  unsafe_undefined: true,
};

/** What the client loads when the end of the session comes near: a file of its own, beside the module or below the script. */
const loadedApart = (format) => ({
  name: 'loaded apart',
  setup({ onResolve }) {
    onResolve({ filter: /\/ending\.js$/ }, ({ kind }) =>
      kind === 'dynamic-import'
        ? { path: format === 'iife' ? './client/ending.js' : './ending.js', external: true }
        : undefined,
    );
  },
});

/**
 * Bundles one entry of the client with esbuild, and lets terser, swc and UglifyJS take out what esbuild leaves: each of
 * them finds what the others do not, together 9 % of the whole.
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
    plugins: [loadedApart(format)],
    format,
    target: 'es2022',
    mangleProps: INTERNAL,
    legalComments: 'none',
    sourcemap: sourceMap && 'external',
    write: false,
  });
  const bundle = outputFiles.find(({ path }) => path.endsWith('.js')).text;
  const bundleMap = outputFiles.find(({ path }) => path.endsWith('.map'))?.text;
  // The function around a script has to stay, or its variables would be everybody's.
  const module = format === 'esm';
  const once = await minifyOnce(bundle, {
    module,
    ecma: 2022,
    toplevel: module,
    // A copy, because it writes its own settings into what it is given.
    compress: { ...COMPRESS },
    sourceMap: bundleMap === undefined ? false : { content: bundleMap },
  });
  const again = await minifyAgain(once.code, {
    module,
    ecma: 2022,
    compress: { ...COMPRESS, toplevel: module },
    mangle: { toplevel: module },
    sourceMap: once.map === undefined ? false : { content: once.map },
  });
  // None of its options that are called unsafe: they may take a number for what is not one. Calls stay calls where
  // that compresses better.
  const { error, code, map } = minifyLast(again.code, {
    module,
    toplevel: module,
    compress: { pure_getters: true, evaluate: 'eager', inline: 2, reduce_funcs: false },
    sourceMap: again.map === undefined ? false : { content: again.map },
  });
  if (error) throw error;
  return { code, map };
}
