import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A Node of this version: the one that runs this script if it fits, else one that is installed from its npm package.
 *
 * @param {string} wanted `22` or a whole version
 * @param {string} scratch where it may be installed
 * @returns {{ program: string, version: string } | undefined} nothing if it is not to be had for this machine
 */
export function nodeOf(wanted, scratch) {
  if (process.versions.node === wanted || process.versions.node.split('.')[0] === wanted) {
    return { program: process.execPath, version: process.versions.node };
  }
  const folder = join(scratch, `node-${wanted}`);
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  mkdirSync(folder, { recursive: true });
  const npm = ['install', '--silent', '--no-save', '--no-audit', '--prefix', folder, `${name}@${wanted}`];
  spawnSync('npm', npm, { stdio: 'ignore' });
  const program = join(folder, 'node_modules', name, 'bin', 'node');
  if (!existsSync(program)) return undefined;
  const { stdout, status } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  return status === 0 ? { program, version: stdout.trim().slice(1) } : undefined;
}
