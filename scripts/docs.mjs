/**
 * Builds the documentation as a site, which needs no server and no network: `npm run docs`, and open site/index.html. The
 * guides and the reference of everything that the package exports; a link that leads nowhere, a snippet in a language
 * that is not known, a type that is not explained fail it.
 */
import { rm } from 'node:fs/promises';
import { brokenLinks } from './documentation/broken-links.mjs';
import { createReference } from './documentation/reference.mjs';

const OUT = 'site';

await rm(OUT, { recursive: true, force: true });
console.log('Reading sources and guides …');
const application = await createReference();
const project = await application.convert();
if (project) application.validate(project);
stopIfTold();

console.log('Writing pages …');
await application.generateDocs(project, OUT);
stopIfTold();

console.log('Checking links …');
const broken = brokenLinks(OUT);
for (const line of broken) console.error(line);
if (broken.length > 0) stop(`${broken.length} links lead nowhere.`);
console.log(`The documentation is in ${OUT}/index.html.`);

function stopIfTold() {
  const { errorCount, warningCount } = application.logger;
  if (errorCount + warningCount > 0)
    stop(`${errorCount} errors and ${warningCount} warnings; the documentation is not complete.`);
}

function stop(message) {
  console.error(`\n${message}`);
  process.exit(1);
}
