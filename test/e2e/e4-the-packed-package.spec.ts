import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import ts from 'typescript';

const root = fileURLToPath(new URL('../..', import.meta.url));
const NAME = 'nestjs-session-security';

/** A fresh project that has installed the package as npm packs it, beside what applications have anyway. */
let project: string;
let tarball: string;

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'fresh-project-'));
  const packed = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', project], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
  tarball = join(project, filename);
  execFileSync('tar', ['-xzf', tarball, '-C', project]);
  const modules = join(project, 'node_modules');
  mkdirSync(modules);
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (!name.startsWith('.')) symlinkSync(join(root, 'node_modules', name), join(modules, name));
  }
  // Copied and not linked, so that it finds its dependencies where the project has them.
  cpSync(join(project, 'package'), join(modules, NAME), { recursive: true });
}, 60_000);
afterAll(() => rmSync(project, { recursive: true, force: true }));

const run = (program: string, ...args: string[]): string =>
  execFileSync(program, args, { cwd: project, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const tool = (name: string): string => join(root, 'node_modules', '.bin', name);

/** What an application does with the package: it boots, somebody signs in, time passes, and it is told. */
const STORY = `
  class Desk {
    login(request) { request.session.user = { id: 'anna' }; return {}; }
    whoami(request) { return { user: request.session.user?.id ?? null }; }
  }
  const decorate = (decorator, name) => decorator(Desk.prototype, name, Object.getOwnPropertyDescriptor(Desk.prototype, name));
  common.Controller()(Desk);
  for (const [method, name] of [[common.Post, 'login'], [common.Get, 'whoami']]) {
    decorate(method(name), name);
    common.Req()(Desk.prototype, name, 0);
  }
  class AppModule {}
  common.Module({
    imports: [library.SessionSecurityModule.forRoot({ warnAfter: 5, expireAfter: 10 })],
    controllers: [Desk],
  })(AppModule);

  async function main() {
    const clock = new kit.VirtualClock();
    const module = await testing.Test.createTestingModule({ imports: [AppModule] })
      .overrideProvider(library.Clock).useValue(clock).compile();
    const app = module.createNestApplication({ logger: false });
    app.use(session({ secret: 'for tests only', resave: false, saveUninitialized: false }));
    await app.listen(0, '127.0.0.1');
    const recorder = new kit.SessionEventRecorder(app);
    const origin = await app.getUrl();
    const cookie = (await fetch(origin + '/login', { method: 'POST' })).headers.get('set-cookie').split(';')[0];
    const user = async () => (await (await fetch(origin + '/whoami', { headers: { cookie } })).json()).user;
    const before = await user();
    await clock.advance(11);
    const after = await user();
    const script = await fetch(origin + '/session-security/client.js');
    console.log(JSON.stringify({
      before, after, events: recorder.events.map(({ kind }) => kind), script: script.status,
      redis: typeof redis.RedisActivityStore,
    }));
    await app.close();
  }
  main();
`;
const TOLD = {
  before: 'anna',
  after: null,
  events: ['start', 'warn', 'expire', 'end'],
  script: 200,
  redis: 'function',
};

describe('E4 the packed package', () => {
  it('E4 boots and expires a session in a project of ES modules', () => {
    const file = join(project, 'main.mjs');
    writeFileSync(
      file,
      `import 'reflect-metadata';
       import * as common from '@nestjs/common';
       import * as testing from '@nestjs/testing';
       import session from 'express-session';
       import * as library from '${NAME}';
       import * as kit from '${NAME}/testing';
       import * as redis from '${NAME}/redis';
       ${STORY}`,
    );
    expect(JSON.parse(run(process.execPath, file))).toEqual(TOLD);
  });

  it('E4 boots and expires a session in a project that requires it', () => {
    const file = join(project, 'main.cjs');
    writeFileSync(
      file,
      `require('reflect-metadata');
       const common = require('@nestjs/common');
       const testing = require('@nestjs/testing');
       const session = require('express-session');
       const library = require('${NAME}');
       const kit = require('${NAME}/testing');
       const redis = require('${NAME}/redis');
       ${STORY}`,
    );
    expect(JSON.parse(run(process.execPath, '--disable-warning=ExperimentalWarning', file))).toEqual(TOLD);
  });

  it('E4 runs the test that its documentation shows, with the test runner of Node.js', () => {
    const [, section] = readFileSync(join(root, 'docs/server.md'), 'utf8').split(
      '## Testing your own timeouts',
    );
    const shown = /^```ts\n(.*?)^```$/ms.exec(section!)![1]!;
    const { outputText } = ts.transpileModule(shown, {
      compilerOptions: {
        module: ts.ModuleKind.ESNext,
        target: ts.ScriptTarget.ES2022,
        experimentalDecorators: true,
        emitDecoratorMetadata: true,
      },
    });
    const file = join(project, 'shown.test.mjs');
    writeFileSync(file, outputText);
    expect(run(process.execPath, '--test', '--test-reporter=tap', file)).toContain('# pass 1');
  });

  it('E4 is found whole where the resolution of modules knows no exports, with the paths that its README gives', () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8');
    const paths = JSON.parse(/"paths": (\{.+?\})/.exec(readme)![1]!) as Record<string, string[]>;
    const found = (subpath: string, given: ts.MapLike<string[]>) =>
      ts.resolveModuleName(
        `${NAME}${subpath}`,
        join(project, 'main.ts'),
        { moduleResolution: ts.ModuleResolutionKind.Node10, baseUrl: project, paths: given },
        ts.sys,
      ).resolvedModule?.resolvedFileName;
    const types = (file: string) => join(project, 'node_modules', NAME, 'dist', file);

    expect(found('', {})).toBe(types('index.d.ts'));
    expect(found('/redis', {})).toBeUndefined();
    expect(found('', paths)).toBe(types('index.d.ts'));
    expect(found('/redis', paths)).toBe(types('redis/index.d.ts'));
    expect(found('/testing', paths)).toBe(types('testing/index.d.ts'));
  });

  it('E4 brings types, words and scripts', () => {
    const files = run('tar', '-tzf', tarball).split('\n');
    for (const wanted of [
      'package/dist/index.d.ts',
      'package/dist/client/index.d.ts',
      'package/dist/client/client.js',
      'package/dist/client/de.json',
      'package/dist/redis/scripts/end.lua',
      'package/LICENSE',
    ]) {
      expect(files).toContain(wanted);
    }
    expect(files.filter((file) => /\/(test|sample|bench)\//.test(file))).toEqual([]);
  });

  it('E4 brings every page and picture that its README leads to, except the sample', () => {
    const files = run('tar', '-tzf', tarball).split('\n');
    const readme = readFileSync(join(root, 'README.md'), 'utf8');
    const leadsTo = [...readme.matchAll(/\]\(([\w./-]+)(?:#[\w-]+)?\)/g)].map(([, path]) => path!);
    const wanted = leadsTo.filter((path) => !path.startsWith('sample/')).map((path) => `package/${path}`);
    expect(wanted.length).toBeGreaterThan(10);
    expect(files).toEqual(expect.arrayContaining(wanted));
  });

  it('E4 has nothing that publint would find', () => {
    expect(run(tool('publint'), tarball, '--strict')).toContain('All good!');
  });

  it('E4 has types wherever modules are resolved as Node and bundlers do it now', () => {
    // Left out: Node before it knew exports, and `require` as it was before Node 20.19.
    const answer = run(tool('attw'), tarball, '--profile', 'esm-only', '--format', 'ascii', '--no-emoji');
    const lines = answer.split('\n').filter((line) => /^(node16 \(from ESM\)|bundler): /.test(line));
    expect(lines.length).toBeGreaterThan(20);
    expect(lines.filter((line) => !/: OK( \((ESM|JSON)\))?\s*$/.test(line))).toEqual([]);
  });
});
