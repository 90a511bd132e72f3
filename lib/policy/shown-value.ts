/**
 * A wrong value as messages show it: small plain values as they are, of everything else only what it is. Objects may
 * carry passwords, and may refer to themselves.
 */
export function shownValue(value: unknown): string {
  if (Array.isArray(value))
    return `[${value.map((part) => (Array.isArray(part) ? 'a list' : shownValue(part))).join(',')}]`;
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'bigint':
      return `${value}n`;
    case 'function':
      return 'a function';
    case 'object':
      return value === null ? 'null' : shownObject(value);
    default:
      return String(value);
  }
}

/** As {@link shownValue}, of a value that should be a number: what comes from the environment is a text. */
export function shownAsNoNumber(value: unknown): string {
  const isWritten = typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value));
  const advice = ', a text: write Number(...) around it, environment variables are texts';
  return shownValue(value) + (isWritten ? advice : '');
}

function shownObject(value: object): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return 'an object';
  const { name } = (prototype as { constructor: { name?: unknown } }).constructor;
  return typeof name === 'string' && name !== '' ? `an object of class ${name}` : 'an object';
}
