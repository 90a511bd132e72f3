import type { KeptField } from './draft.js';
import { readValue, writeValue } from './field-values.js';
import type { FieldValue } from './field-values.js';
import { fieldsByName } from './kept-fields.js';
import { KeptFile } from './kept-file.js';

/** Files of one draft together are kept up to this size; those that would go beyond are left out. */
export const LARGEST_FILES_BYTES = 5 * 1024 * 1024;
/** Pages build their forms late; a draft waits this long for its fields to appear. */
const LONGEST_WAIT_MS = 10_000;

/** Contents of chosen files, read once; read early, because at the end there is no time for it. */
const contents = new WeakMap<File, Promise<ArrayBuffer>>();

function contentOf(file: File): Promise<ArrayBuffer> {
  const known = contents.get(file) ?? file.arrayBuffer();
  contents.set(file, known);
  return known;
}

/**
 * What is in these fields, by their names. The values are taken at once, only files take their time.
 *
 * @param isWanted which of them are to be kept
 */
export function readFields(
  changed: readonly HTMLElement[],
  isWanted: (field: HTMLElement) => boolean,
): Promise<KeptField[]> {
  const read = [...fieldsByName()]
    .filter(([, field]) => changed.includes(field) && isWanted(field))
    .map(([name, field]) => ({ name, value: readValue(field) }));
  return withFiles(read);
}

async function withFiles(
  read: readonly { name: string; value: ReturnType<typeof readValue> }[],
): Promise<KeptField[]> {
  const kept: KeptField[] = [];
  let room = LARGEST_FILES_BYTES;
  for (const { name, value } of read) {
    if (value && 'chosen' in value) {
      const fitting = value.chosen.filter(({ size }) => size <= room && (room -= size) >= 0);
      if (fitting.length) kept.push({ name, value: { files: await Promise.all(fitting.map(keep)) } });
    } else if (value) kept.push({ name, value });
  }
  return kept;
}

async function keep(file: File): Promise<KeptFile> {
  return new KeptFile(file.name, file.type, file.lastModified, await contentOf(file));
}

/**
 * Puts values back into their fields, also into those that appear a little later.
 *
 * @param isWanted which of them may be written: a page may have changed its mind about secrets
 * @param onWritten tells of each field as it is written
 * @returns whether all of them were there in the end
 */
export function writeFields(
  fields: readonly KeptField[],
  isWanted: (field: HTMLElement) => boolean,
  onWritten: (field: HTMLElement) => void,
  signal: AbortSignal,
): Promise<boolean> {
  let missing: { name: string; value: FieldValue }[] = [...fields];
  const write = (): void => {
    const present = fieldsByName();
    const found = missing.filter(({ name }) => present.has(name));
    missing = missing.filter(({ name }) => !present.has(name));
    for (const { name, value } of found) {
      const field = present.get(name)!;
      if (isWanted(field) && writeValue(field, value)) onWritten(field);
    }
    if (!missing.length) stop();
  };
  const observer = new MutationObserver(write);
  let stop = (): void => {};
  return new Promise((resolve) => {
    const timer = setTimeout(() => stop(), LONGEST_WAIT_MS);
    stop = () => {
      observer.disconnect();
      clearTimeout(timer);
      resolve(!missing.length);
    };
    observer.observe(document, { childList: true, subtree: true });
    signal.addEventListener('abort', stop);
    write();
  });
}
