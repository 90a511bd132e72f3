import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript';
import importX from 'eslint-plugin-import-x';
import jest from 'eslint-plugin-jest';
import tseslint from 'typescript-eslint';

/** `from` may not import `target`… read a zone as: nothing in `target` imports anything of `from`. */
const mayNotImport = (target, from, message) => ({
  target: `./${target}`,
  from: [from].flat().map((path) => `./${path}`),
  message,
});

/** The arrows of docs/architecture.md: http -> activity -> policy; the cores know neither HTTP nor DOM. */
const zones = [
  mayNotImport(
    'lib/policy',
    ['lib/activity', 'lib/http', 'lib/events', 'lib/options', 'lib/redis', 'lib/session-security.module.ts'],
    'The policy is pure: it imports nothing.',
  ),
  mayNotImport(
    'lib/options',
    ['lib/activity', 'lib/http', 'lib/events', 'lib/redis', 'lib/session-security.module.ts'],
    'Options lean on the policy only.',
  ),
  mayNotImport(
    'lib/activity',
    ['lib/http', 'lib/events', 'lib/redis', 'lib/session-security.module.ts'],
    'The activity engine knows neither HTTP nor events nor Redis.',
  ),
  mayNotImport(
    'lib/events',
    ['lib/http', 'lib/redis', 'lib/session-security.module.ts'],
    'Events lean on the activity engine.',
  ),
  mayNotImport(
    'lib/redis',
    ['lib/http', 'lib/events', 'lib/session-security.module.ts'],
    'Redis leans on the activity engine.',
  ),
  mayNotImport('lib/http', 'lib/session-security.module.ts', 'Nothing leans on the module file.'),
  mayNotImport('lib', ['client', 'sample', 'test', 'bench'], 'The server package stands alone.'),
  mayNotImport('client', ['lib', 'sample', 'test'], 'The browser side stands alone.'),
  mayNotImport(
    'client/core',
    ['client/dom', 'client/dialog', 'client/index.ts', 'client/auto.ts'],
    'The client core knows no DOM.',
  ),
];

export default tseslint.config(
  { ignores: ['dist', 'site', 'coverage', 'node_modules'] },
  js.configs.recommended,
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: {
      parserOptions: { project: ['./tsconfig.json'], tsconfigRootDir: import.meta.dirname },
    },
    plugins: { 'import-x': importX },
    settings: { 'import-x/resolver-next': [createTypeScriptImportResolver({ project: './tsconfig.json' })] },
    rules: {
      'import-x/no-restricted-paths': ['error', { zones }],
      'import-x/no-cycle': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
  {
    files: ['client/core/**/*.ts'],
    rules: {
      // The core of the client decides and is tested without a browser: everything comes in by injection.
      'no-restricted-globals': [
        'error',
        'window',
        'document',
        'navigator',
        'location',
        'fetch',
        'setTimeout',
        'clearTimeout',
        'performance',
        'BroadcastChannel',
        'localStorage',
      ],
    },
  },
  {
    files: [
      'lib/policy/**/*.ts',
      'lib/activity/**/!(clock).ts',
      'client/core/**/*.ts',
      'lib/http/**/*.ts',
      'lib/events/**/*.ts',
    ],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'Time is injected: use the clock.' },
      ],
    },
  },
  {
    // Express, express-session and browser test code cross untyped boundaries; tests may read them loosely.
    files: ['test/**/*.ts', 'sample/**/*.ts'],
    plugins: { jest },
    rules: {
      'jest/no-focused-tests': 'error',
      'jest/no-disabled-tests': 'error',
      'jest/no-identical-title': 'error',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
    },
  },
  {
    files: ['sample/public/*.js'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: {
      globals: {
        document: 'readonly',
        EventSource: 'readonly',
        fetch: 'readonly',
        performance: 'readonly',
        requestAnimationFrame: 'readonly',
        setTimeout: 'readonly',
      },
    },
  },
  {
    files: ['**/*.mjs'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        setTimeout: 'readonly',
        performance: 'readonly',
        Buffer: 'readonly',
      },
    },
  },
  prettier,
);
