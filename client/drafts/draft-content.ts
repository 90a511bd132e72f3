import type { Draft } from './draft.js';
import { KeptFile } from './kept-file.js';

/** The length is rounded up to this many bytes, so that it tells little of what was typed. */
const BLOCK_BYTES = 1024;
const LENGTH_BYTES = 4;

/** A draft as bytes: the length of its JSON, the JSON, the contents of its files one after the other, and padding. */
export function writeContent(draft: Draft): Uint8Array<ArrayBuffer> {
  const contents: ArrayBuffer[] = [];
  const json = JSON.stringify(draft, (_name, value: unknown) => {
    if (!(value instanceof KeptFile)) return value;
    contents.push(value.content);
    return { ...value, content: value.content.byteLength };
  });
  const text = new TextEncoder().encode(json);
  const used = contents.reduce((sum, { byteLength }) => sum + byteLength, LENGTH_BYTES + text.length);
  const bytes = new Uint8Array(Math.ceil(used / BLOCK_BYTES) * BLOCK_BYTES);
  new DataView(bytes.buffer).setUint32(0, text.length);
  bytes.set(text, LENGTH_BYTES);
  let position = LENGTH_BYTES + text.length;
  for (const content of contents) {
    bytes.set(new Uint8Array(content), position);
    position += content.byteLength;
  }
  return bytes;
}

/** The draft in these bytes. */
export function readContent(bytes: ArrayBuffer): Draft {
  const end = LENGTH_BYTES + new DataView(bytes).getUint32(0);
  let position = end;
  return JSON.parse(new TextDecoder().decode(bytes.slice(LENGTH_BYTES, end)), (_name, value: unknown) => {
    const file = value as { name: string; type: string; lastModified: number; content: number } | null;
    if (typeof file?.content !== 'number') return value;
    const content = bytes.slice(position, (position += file.content));
    return new KeptFile(file.name, file.type, file.lastModified, content);
  }) as Draft;
}
