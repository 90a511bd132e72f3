import { readFileSync } from 'node:fs';
import { Application, Converter, OptionDefaults, ReferenceType, ReflectionKind } from 'typedoc';

/** The guides, in the order in which somebody new would read them. */
const PAGES = [
  'docs/server.md',
  'docs/client.md',
  'docs/single-page.md',
  'docs/sign-in.md',
  'docs/forms.md',
  'docs/recipes.md',
  'docs/redis.md',
  'docs/migration.md',
  'docs/wire.md',
  'SECURITY.md',
  'docs/architecture.md',
  'docs/benchmarks.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
];

/** What applications hand over or are given, and have no reason to name. */
const NEVER_NAMED = [
  'ApplicationSessionStore',
  'ENGLISH',
  'FastifyResponse',
  'IoredisClient',
  'NodeRedisClient',
  'NodeRedisCluster',
  'NodeRedisSentinel',
  'PRESETS',
  'ResponseHeaders',
  'SharedStore',
];

/** TypeDoc with the guides and with every module that the package exports, by the names that applications import. */
export async function createReference() {
  const { name, exports } = JSON.parse(readFileSync('package.json', 'utf8'));
  const modules = modulesOf(name, exports);
  const application = await Application.bootstrapWithPlugins({
    name,
    tsconfig: 'tsconfig.docs.json',
    entryPoints: [...modules.keys()],
    sortEntryPoints: false,
    readme: 'README.md',
    projectDocuments: PAGES,
    // The types step of the tests has done it.
    skipErrorChecking: true,
    excludePrivate: true,
    excludeExternals: true,
    modifierTags: [...OptionDefaults.modifierTags, '@publicApi'],
    excludeTags: [...OptionDefaults.excludeTags, '@publicApi'],
    logLevel: 'Warn',
    disableSources: true,
    includeVersion: true,
    markdownItOptions: { html: true, linkify: false },
    highlightLanguages: ['ts', 'tsx', 'js', 'json', 'html', 'css', 'vue', 'sh'],
    validation: { notExported: true, invalidLink: true, invalidPath: true, rewrittenLink: true },
    intentionallyNotExported: NEVER_NAMED,
    treatWarningsAsErrors: true,
  });
  application.converter.on(Converter.EVENT_RESOLVE_END, ({ project }) => {
    nameAfterImports(project, name, modules);
    nameAfterHeadings(project);
    leaveOutWhatIsNotForApplications(project, name);
  });
  return application;
}

/** The source of each export, with the name by which it is imported. */
function modulesOf(name, exports) {
  return new Map(
    Object.entries(exports)
      .filter(([, target]) => target.types !== undefined)
      .map(([subpath, { types }]) => {
        const built = types.replace(/^\.\/dist\//, '').replace(/\.d\.ts$/, '.ts');
        return [built.startsWith('client/') ? built : `lib/${built}`, subpath.replace(/^\./, name)];
      }),
  );
}

function nameAfterImports(project, name, modules) {
  for (const module of project.children) {
    const source = [...modules.keys()].find((path) => path.replace(/(\/index)?\.ts$/, '') === module.name);
    module.name = modules.get(source);
  }
}

/** The first heading of a page is its title; TypeDoc would take the name of its file. */
function nameAfterHeadings(project) {
  for (const page of project.documents) {
    const text = page.content.map((part) => part.text).join('');
    page.name = /^# (.+)$/m.exec(text)[1];
  }
}

/**
 * Constructors that take what the package does not export are called by Nest alone, and methods that a base class asks for
 * which it does not export, by the engine alone.
 */
function leaveOutWhatIsNotForApplications(project, name) {
  const isOurs = (type) => type instanceof ReferenceType && type.package === name;
  const isForNest = ({ signatures = [] }) =>
    signatures.some(({ parameters = [] }) => parameters.some(({ type }) => isOurs(type) && !type.reflection));
  const isForEngine = ({ overwrites, inheritedFrom }) =>
    [overwrites, inheritedFrom].some((base) => base !== undefined && !base.reflection);

  for (const member of project.getReflectionsByKind(ReflectionKind.ClassMember)) {
    const isForNobody = member.kind === ReflectionKind.Constructor ? isForNest(member) : isForEngine(member);
    if (isForNobody) project.removeReflection(member);
  }
}
