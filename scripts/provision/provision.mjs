import { spawnSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * Something the tests need and npm cannot bring.
 *
 * @typedef {object} Requirement
 * @property {string} name what to call it in messages
 * @property {string} environmentVariable names the program outright; then nothing else is looked at
 * @property {string[]} commands names it may have on the PATH
 * @property {() => string[]} otherPlaces full paths where it may lie outside the PATH, best first
 * @property {Installer[]} installers ways to install it, tried in order
 * @property {string} advice what a person can do when nothing worked
 *
 * @typedef {object} Installer
 * @property {string} name
 * @property {() => boolean} isUsable
 * @property {() => string[][]} commandLines each a program and its arguments, run one after the other
 */

/** The requirement could neither be found nor installed; the message says what to do. */
export class ProvisioningError extends Error {}

/**
 * Finds the program or installs it.
 *
 * @param {Requirement} requirement
 * @param {(line: string) => void} say receives progress
 * @returns {string} the full path of a program that answered when asked for its version
 */
export function provide(requirement, say) {
  const found = find(requirement, say) ?? install(requirement, say);
  if (found !== undefined) return found;
  throw new ProvisioningError(`${requirement.name} could not be found or installed. ${requirement.advice}`);
}

function find(requirement, say) {
  const { name, environmentVariable } = requirement;
  const named = process.env[environmentVariable];
  if (named) {
    if (!works(named)) {
      throw new ProvisioningError(`${environmentVariable} is ${named}, but that does not run as ${name}.`);
    }
    say(`${name}: ${named} (from ${environmentVariable})`);
    return named;
  }
  const path = [...onPath(requirement.commands), ...requirement.otherPlaces()].find(works);
  if (path !== undefined) say(`${name}: ${path}`);
  return path;
}

function install(requirement, say) {
  for (const installer of requirement.installers) {
    if (!installer.isUsable()) continue;
    say(`${requirement.name}: not found, installing with ${installer.name}`);
    const failed = installer.commandLines().find((commandLine) => !succeeds(commandLine, say));
    if (failed !== undefined) say(`${requirement.name}: ${failed.join(' ')} failed`);
    const path = find(requirement, say);
    if (path !== undefined) return path;
  }
  return undefined;
}

/** What installers print goes to stderr: stdout is for the path that was found. */
function succeeds([program, ...args], say) {
  say(`  $ ${[program, ...args].join(' ')}`);
  return spawnSync(program, args, { stdio: ['ignore', process.stderr.fd, process.stderr.fd] }).status === 0;
}

/** A file of the right name may be a stub that only tells where to get the real program, so it is asked. */
function works(path) {
  return (
    isExecutable(path) && spawnSync(path, ['--version'], { stdio: 'ignore', timeout: 30_000 }).status === 0
  );
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** @returns {string[]} the full paths of those of the commands that are on the PATH */
export function onPath(commands) {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return commands.flatMap((command) => folders.map((folder) => join(folder, command))).filter(isExecutable);
}

/** Installs a Debian package, as root or through sudo when that asks for no password. */
export function aptInstaller(packageName) {
  const isRoot = process.getuid?.() === 0;
  const aptGet = [...(isRoot ? [] : ['sudo', '-n']), 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get'];
  const maySudo = () => spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0;
  return {
    name: 'apt',
    isUsable: () => onPath(['apt-get']).length > 0 && (isRoot || maySudo()),
    commandLines: () => [
      [...aptGet, 'update'],
      [...aptGet, 'install', '--yes', '--no-install-recommends', packageName],
    ],
  };
}

/** Installs with Homebrew, on macOS. */
export function brewInstaller(...args) {
  return {
    name: 'brew',
    isUsable: () => onPath(['brew']).length > 0,
    commandLines: () => [['brew', 'install', ...args]],
  };
}
