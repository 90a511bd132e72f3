import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import ts from 'typescript';

const root = fileURLToPath(new URL('../../..', import.meta.url));
/** Snippets stand in a folder of their own that exists in memory only, beside the modules that they may import. */
const folder = join(root, 'snippets');

interface Snippet {
  readonly page: string;
  readonly line: number;
  readonly file: string;
  readonly text: string;
  /** The file of the sample that it is a copy of, if its first line names one. */
  readonly origin: string | undefined;
}

/** What a reader has, and a snippet takes for granted. */
const GIVEN: Record<string, string> = {
  'app.module.ts': 'export class AppModule {}',
  'csrf.ts': "export { csrfSynchronisedProtection, generateToken } from '../sample/recipes/csrf.js';",
  'signed-out.ts': "export * from '../sample/recipes/browser/signed-out.js';",
  'given.d.ts': `
    declare const myDialog: Record<'open' | 'update' | 'close' | 'complain', (...shown: unknown[]) => void>;
    declare const app: import('@nestjs/common').INestApplication;
    declare const secret: string;
    declare const session: typeof import('express-session');
  `,
};

const PAGES = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)].filter((name) =>
  name.endsWith('.md'),
);
const snippets = PAGES.flatMap(snippetsOf);
const problems = problemsIn(snippets);

describe('E5 the documentation', () => {
  test('has snippets', () => {
    expect(snippets.length).toBeGreaterThan(10);
  });

  test.each(snippets)('$page, line $line: what a reader would copy is sound', ({ file }) => {
    expect(problems.filter((problem) => problem.startsWith(file))).toEqual([]);
  });

  test.each(snippets.filter(({ origin }) => origin !== undefined))(
    '$page, line $line: is $origin, which other tests run',
    ({ origin, text }) => {
      const path = join(root, origin!);
      expect(existsSync(path) && readFileSync(path, 'utf8')).toBe(text.slice(text.indexOf('\n') + 1));
    },
  );

  test('takes only for granted what is given', () => {
    const files = snippets.map(({ file }) => file);
    expect(problems.filter((problem) => !files.some((file) => problem.startsWith(file)))).toEqual([]);
  });
});

/** The TypeScript on a page; in Vue's single-file components, their script. */
function snippetsOf(page: string): Snippet[] {
  const text = readFileSync(join(root, page), 'utf8');
  return [...text.matchAll(/^```(ts|tsx|vue)\n(.*?)^```$/gms)].map(
    ({ 1: language = '', 2: code = '', index }) => {
      const line = text.slice(0, index).split('\n').length + 1;
      const name = `${page.replace(/\W+/g, '-')}-${line}.${language === 'tsx' ? 'tsx' : 'ts'}`;
      return {
        page,
        line,
        file: name,
        text: language === 'vue' ? /<script[^>]*>(.*?)<\/script>/s.exec(code)![1]! : code,
        origin: /^\/\/ (sample\/recipes\/\S+)\n/.exec(code)?.[1],
      };
    },
  );
}

/** What the compiler has to say, with the settings of the project. */
function problemsIn(given: readonly Snippet[]): string[] {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
    config: { compilerOptions: object };
  };
  const { options } = ts.convertCompilerOptionsFromJson(
    {
      ...config.compilerOptions,
      // Snippets name what the reader goes on with.
      noUnusedLocals: false,
      noUnusedParameters: false,
      jsx: 'react-jsx',
      paths: publishedPaths(),
    },
    root,
  );
  const files = new Map(
    [
      ...Object.entries(GIVEN),
      ...given.map(({ file, text }) => [file, `${text}\nexport {};\n`] as const),
    ].map(([name, text]) => [join(folder, name), text]),
  );
  const disk = ts.createCompilerHost(options);
  const host: ts.CompilerHost = {
    ...disk,
    fileExists: (path) => files.has(path) || disk.fileExists(path),
    readFile: (path) => files.get(path) ?? disk.readFile(path),
    directoryExists: (path) => path === folder || (disk.directoryExists?.(path) ?? true),
    getSourceFile: (path, settings, ...rest) => {
      const text = files.get(path);
      return text === undefined
        ? disk.getSourceFile(path, settings, ...rest)
        : ts.createSourceFile(path, text, settings);
    },
  };
  const program = ts.createProgram([...files.keys()], options, host);
  return [...files.keys()].flatMap((path) => {
    const source = program.getSourceFile(path);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ messageText, file, start = 0 }) => {
        const place = file ? file.getLineAndCharacterOfPosition(start).line + 1 : 0;
        return `${relative(folder, path)}:${place} ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
      },
    );
  });
}

/** The package's own names lead to its sources, as its exports lead to what is built of them. */
function publishedPaths(): Record<string, string[]> {
  const { name, exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    name: string;
    exports: Record<string, string | { types: string }>;
  };
  return Object.fromEntries(
    Object.entries(exports).flatMap(([subpath, target]) => {
      if (typeof target === 'string') return [];
      const source = target.types.replace(/\.d\.ts$/, '.ts').replace(/^\.\/dist\//, './');
      const folderOfSource = source.startsWith('./client/') ? source : source.replace(/^\.\//, './lib/');
      return [[subpath.replace(/^\./, name), [folderOfSource]]];
    }),
  );
}
