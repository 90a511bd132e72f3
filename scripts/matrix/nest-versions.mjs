/** Packages of Nest that carry the number of Nest itself. */
const SAME_NUMBER = [
  'common',
  'core',
  'platform-express',
  'platform-fastify',
  'platform-socket.io',
  'testing',
  'websockets',
].map((name) => `@nestjs/${name}`);

/** The others that the tests use, as they go with a major version of Nest. The newest stand in package.json. */
const COMPANIONS = {
  11: {
    '@nestjs/apollo': '^13.0.0',
    '@nestjs/config': '^4.0.0',
    '@nestjs/graphql': '^13.0.0',
    // Has not every number that Nest has had.
    '@nestjs/platform-ws': '^11.0.0',
    '@nestjs/passport': '^11.0.0',
    '@nestjs/swagger': '^11.0.0',
    '@nestjs/terminus': '^11.0.0',
  },
};

/** What the tests do not need: what is built with it is brought along. */
const NOT_NEEDED = ['@nestjs/cli'];

/**
 * Development dependencies with another Nest.
 *
 * @param {Record<string, string>} dependencies as in package.json
 * @param {string} nest `11`, `12` or a whole version
 * @returns {Record<string, string>}
 */
export function withNest(dependencies, nest) {
  const companions = COMPANIONS[nest.split('.')[0]];
  return Object.fromEntries(
    Object.entries(dependencies)
      .filter(([name]) => !NOT_NEEDED.includes(name))
      .map(([name, version]) => [name, SAME_NUMBER.includes(name) ? nest : (companions?.[name] ?? version)]),
  );
}
