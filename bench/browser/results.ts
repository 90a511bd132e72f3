import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';

const FOLDER = 'dist/bench/results';

export interface Findings {
  readonly markdown: string;
  readonly json: unknown;
  /** SVG by file name without its ending. */
  readonly plots: Readonly<Record<string, string>>;
}

/** Where a benchmark of the client leaves what it found, to be taken over into `docs/benchmarks.md`. */
export class Results {
  constructor(
    private readonly name: string,
    private readonly chromiumVersion: string,
  ) {}

  async write({ markdown, json, plots }: Findings): Promise<void> {
    const [processor] = cpus();
    const machine = `Node ${process.version}, Chromium ${this.chromiumVersion}, ${cpus().length} × ${processor?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB`;
    await mkdir(FOLDER, { recursive: true });
    await Promise.all([
      writeFile(`${FOLDER}/${this.name}.md`, `${machine}\n\n${markdown}\n`),
      writeFile(`${FOLDER}/${this.name}.json`, `${JSON.stringify({ machine, found: json }, null, 2)}\n`),
      ...Object.entries(plots).map(([name, svg]) => writeFile(`${FOLDER}/${name}.svg`, svg)),
    ]);
    console.log(`\n${machine}\n\n${markdown}\n\nAlso in ${FOLDER}.`);
  }
}
