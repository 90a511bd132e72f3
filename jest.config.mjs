/** One project per layer, so that each can be run alone: `npx jest --selectProjects unit`. */
const project = (name) => ({
  displayName: name,
  rootDir: '.',
  roots: [`<rootDir>/test/${name}`],
  testMatch: ['**/*.spec.ts'],
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts', '.tsx'],
  moduleNameMapper: {
    // TypeScript's NodeNext resolution writes ".js"; under jest the sources themselves are loaded.
    '^(\\.{1,2}/.*)\\.js$': '$1',
    // The sample imports the package by its name, as every application does.
    '^nestjs-session-security$': '<rootDir>/lib/index.ts',
    '^nestjs-session-security/redis$': '<rootDir>/lib/redis/index.ts',
  },
  // By the settings in .swcrc, as the processes that tests start.
  transform: { '^.+\\.tsx?$': '@swc/jest' },
});

export default {
  // Ends a test that hangs; it measures nothing, because the machine may be busy.
  testTimeout: 90_000,
  projects: [
    ...['unit', 'e2e', 'simulation', 'stories'].map(project),
    ...['redis', 'browser'].map((name) => ({
      ...project(name),
      globalSetup: `<rootDir>/test/support/setup/${name}.mjs`,
    })),
    // What applications see does not depend on the adapter: the same specs on Fastify, but for those without an adapter.
    {
      ...project('e2e'),
      displayName: 'fastify',
      globals: { httpAdapter: 'fastify' },
      roots: ['<rootDir>/test/e2e', '<rootDir>/test/fastify'],
      testPathIgnorePatterns: [
        'c7-',
        'configuration-traps',
        'e2e/passport',
        'e4-',
        'open-api',
        'recipes',
        'sample',
        'single-sign-on',
        'testing-kit',
      ],
    },
  ],
};
