import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

interface Provisioning {
  provide: (requirement: object, say: (line: string) => void) => string;
}

// The scripts are plain JavaScript: they run before anything is built.
const script = new URL('../../../scripts/provision/provision.mjs', import.meta.url).href;
const { provide } = (await import(script)) as Provisioning;

const { PATH } = process.env;
let folder: string;
let said: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'provision-'));
  process.env['PATH'] = `${folder}:/usr/bin:/bin`;
  said = [];
});
afterEach(() => {
  process.env['PATH'] = PATH;
  delete process.env['FAKE_PATH'];
  rmSync(folder, { recursive: true });
});

/** Puts a program into the folder that stands first on the PATH. */
function program(name: string, exitCode = 0): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\nexit ${exitCode}\n`);
  chmodSync(path, 0o755);
  return path;
}

const installer = (name: string, commandLine: string[], isUsable = true) => ({
  name,
  isUsable: () => isUsable,
  commandLines: () => [commandLine],
});

function find(requirement: object = {}): string {
  const fake = {
    name: 'Fake',
    environmentVariable: 'FAKE_PATH',
    commands: ['fake-program', 'fake-program-old'],
    otherPlaces: () => [],
    installers: [],
    advice: 'Install it yourself.',
    ...requirement,
  };
  return provide(fake, (line) => said.push(line));
}

test('the program that the environment variable names comes first', () => {
  program('fake-program');
  process.env['FAKE_PATH'] = program('named');
  expect(find()).toBe(join(folder, 'named'));
});

test('an environment variable that names no working program is an error, not passed over', () => {
  program('fake-program');
  process.env['FAKE_PATH'] = join(folder, 'absent');
  expect(() => find()).toThrow(`FAKE_PATH is ${join(folder, 'absent')}, but that does not run as Fake.`);
});

test('a program on the PATH is found; one that only tells where to get the real one is passed over', () => {
  program('fake-program', 1);
  program('fake-program-old');
  expect(find()).toBe(join(folder, 'fake-program-old'));
});

test('what is not there is installed, by the first way that works', () => {
  const found = find({
    installers: [
      installer('never', ['false'], false),
      installer('broken', ['false']),
      installer('working', ['cp', program('source'), join(folder, 'fake-program')]),
    ],
  });

  expect(found).toBe(join(folder, 'fake-program'));
  expect(said).toContain('Fake: not found, installing with broken');
  expect(said).toContain('Fake: false failed');
  expect(said).not.toContain('Fake: not found, installing with never');
});

test('what can be neither found nor installed is an error that says what to do', () => {
  expect(() => find({ installers: [installer('broken', ['false'])] })).toThrow(
    'Fake could not be found or installed. Install it yourself.',
  );
});
