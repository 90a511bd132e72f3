const KEPT_LINES = 60;

/** What happened, line by line: a hash of everything, the last lines for the report, all lines on demand. */
export class Trace {
  #hash = 0x811c9dc5;
  #lines: string[] = [];
  #count = 0;

  /** @param print told of every line, for `--trace`. */
  constructor(private readonly print?: (line: string) => void) {}

  add(at: number, what: string): void {
    const line = `${at} ${what}`;
    this.#count++;
    this.#mix(line);
    this.#lines.push(line);
    if (this.#lines.length > 2 * KEPT_LINES) this.#lines = this.#lines.slice(-KEPT_LINES);
    this.print?.(line);
  }

  /** Two runs with the same fingerprint went the same way. */
  get fingerprint(): string {
    return `${this.#count}-${(this.#hash >>> 0).toString(16).padStart(8, '0')}`;
  }

  get lastLines(): readonly string[] {
    return this.#lines.slice(-KEPT_LINES);
  }

  /** FNV-1a, 32 bits. */
  #mix(line: string): void {
    for (let index = 0; index < line.length; index++)
      this.#hash = Math.imul(this.#hash ^ line.charCodeAt(index), 0x01000193);
  }
}
