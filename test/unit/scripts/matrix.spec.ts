import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

interface Result {
  nest: string;
  node: string;
  outcome: string;
}

// The scripts are plain JavaScript: they run before anything is built.
const load = (name: string) => import(new URL(`../../../scripts/matrix/${name}`, import.meta.url).href);
const { withNest } = (await load('nest-versions.mjs')) as {
  withNest: (dependencies: Record<string, string>, nest: string) => Record<string, string>;
};
const { tableOf } = (await load('table.mjs')) as { tableOf: (results: Result[]) => string };

const { devDependencies } = JSON.parse(
  readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
) as { devDependencies: Record<string, string> };

test('every package of Nest that the tests use is known for Nest 11 too', () => {
  const before = withNest(devDependencies, '11.0.1');
  const unchanged = Object.keys(before).filter(
    (name) => name.startsWith('@nestjs/') && before[name] === devDependencies[name],
  );
  expect(unchanged).toEqual([]);
  expect(before).toMatchObject({
    '@nestjs/core': '11.0.1',
    '@nestjs/graphql': '^13.0.0',
    fastify: expect.any(String),
  });
});

test('the newest Nest has the companions of package.json', () => {
  const newest = withNest(devDependencies, '12');
  expect(newest['@nestjs/core']).toBe('12');
  expect(newest['@nestjs/graphql']).toBe(devDependencies['@nestjs/graphql']);
  expect(newest).not.toHaveProperty('@nestjs/cli');
});

test('the table has a row for each Nest and a column for each Node', () => {
  const table = tableOf([
    { nest: '11.0.1', node: '20.19.0', outcome: '7 passed, 0 failed' },
    { nest: '11.0.1', node: '24', outcome: 'no such Node here' },
    { nest: '12.5.1', node: '20.19.0', outcome: '6 passed, 1 failed' },
  ]);
  expect(table.split('\n')).toEqual([
    '             Node 20.19.0        Node 24',
    'Nest 11.0.1  7 passed, 0 failed  no such Node here',
    'Nest 12.5.1  6 passed, 1 failed',
  ]);
});
