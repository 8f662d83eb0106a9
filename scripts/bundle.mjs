import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

export const repository = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * string-width and its relatives build a grapheme segmenter and an emoji expression while they
 * load: 35 ms of each start for text that rescuekit hardly ever prints. Built on first use instead.
 */
const lazyUnicodeTables = {
  name: 'lazy-unicode-tables',
  setup({ onLoad }) {
    onLoad(
      { filter: /node_modules\/(string-width|wrap-ansi|fast-string-[a-z-]+)\/.*\.js$/ },
      async ({ path }) => {
        const source = await readFile(path, 'utf8');
        // Replacer functions: `$'` in a replacement string would mean something else.
        const contents = source
          .replaceAll(
            'new Intl.Segmenter()',
            () =>
              '{ segment(text) { this.real ??= new Intl.Segmenter(); return this.real.segment(text); } }',
          )
          .replaceAll(
            String.raw`/^\p{RGI_Emoji}$/v`,
            () =>
              String.raw`{ test(text) { this.real ??= new RegExp('^\\p{RGI_Emoji}$', 'v'); return this.real.test(text); } }`,
          );
        return { contents, loader: 'js' };
      },
    );
  },
};

/**
 * yargs writes a command's whole help text whenever the command runs, for one that has handlers
 * which show it later; rescuekit's do not. It is a tenth of the program's own work in a short command.
 */
const noHelpUnasked = {
  name: 'no-help-unasked',
  setup({ onLoad }) {
    onLoad({ filter: /node_modules\/yargs\/build\/lib\/command\.js$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      const call = 'yargs.getInternalMethods().getUsageInstance().cacheHelpMessage();';
      if (!source.includes(call)) throw new Error(`yargs no longer has: ${call}`);
      return { contents: source.replace(call, ''), loader: 'js' };
    });
  },
};

/** zod carries its messages in forty languages, a quarter of the whole program. */
const englishOnly = {
  name: 'english-only',
  setup({ onLoad }) {
    onLoad({ filter: /node_modules\/zod\/v4\/locales\/index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js';",
      loader: 'js',
    }));
  },
};

/** What both forms of the program have in common. */
const common = {
  absWorkingDir: repository,
  bundle: true,
  platform: 'node',
  target: 'node22',
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  logLevel: 'warning',
  plugins: [lazyUnicodeTables, noHelpUnasked, englishOnly],
};

// Some packages are CommonJS inside and call require() for Node's own modules.
const requireForCommonJs = [
  "import { createRequire as __createRequire } from 'node:module';",
  'const require = __createRequire(import.meta.url);',
].join('\n');

/** Writes the program as ES modules: `rescuekit.mjs` and a chunk for each part loaded on use. */
export const bundleModules = async (outdir) =>
  build({
    ...common,
    entryPoints: { rescuekit: 'src/cli.ts' },
    outdir,
    format: 'esm',
    splitting: true,
    outExtension: { '.js': '.mjs' },
    chunkNames: 'chunks/[name]-[hash]',
    banner: { js: requireForCommonJs },
  });

/**
 * Writes the program as one CommonJS file, for the executable: there it starts faster than an ES
 * module, because Node's own modules are loaded when they are needed and not all at the start.
 */
export const bundleCommonJs = async (outfile) =>
  build({
    ...common,
    entryPoints: ['src/cli.ts'],
    outfile,
    format: 'cjs',
    define: { 'import.meta.url': '__moduleUrl' },
    banner: { js: "const __moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
  });
