import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { Injectable, Logger } from '@nestjs/common';

/** The built browser side; this file is as far from the package's root in `lib` as it is in `dist`. */
const FOLDER = new URL('../../dist/client/', import.meta.url);
const TYPES: Record<string, string> = {
  js: 'text/javascript; charset=utf-8',
  json: 'application/json; charset=utf-8',
};

/** One file of the browser side, ready to be served. */
export interface ClientFile {
  readonly content: Buffer;
  readonly type: string;
  /** Of the content; part of the address, so that it can be cached for long. */
  readonly hash: string;
}

/** The files of the client script, read once. Only what stands in its folder can be asked for. */
@Injectable()
export class ClientFiles {
  readonly #files = new Map<string, ClientFile>();

  constructor() {
    for (const name of namesIn(FOLDER)) {
      const type = TYPES[name.slice(name.lastIndexOf('.') + 1)];
      if (type === undefined) continue;
      const content = readFileSync(new URL(name, FOLDER));
      const hash = createHash('sha256').update(content).digest('base64url').slice(0, 16);
      this.#files.set(name, { content, type, hash });
    }
    if (!this.#files.has('client.js')) {
      new Logger('SessionSecurity').error(
        'The client script is not built: run "npm run build" in the package.',
      );
    }
  }

  find(name: string): ClientFile | undefined {
    return this.#files.get(name);
  }

  /** All files of this type, by name without its ending. */
  ofType(type: string): [name: string, file: ClientFile][] {
    const ending = `.${type}`;
    return [...this.#files]
      .filter(([name]) => name.endsWith(ending))
      .map(([name, file]) => [name.slice(0, -ending.length), file]);
  }
}

function namesIn(folder: URL): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
