/** What a benchmark found: tables of numbers, and how they stand to the targets. */
export interface Report {
  readonly title: string;
  readonly tables: readonly Table[];
  readonly targets: readonly Target[];
}

export interface Table {
  readonly caption: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface Target {
  readonly what: string;
  readonly measured: number;
  readonly unit: string;
  /** The measured number must not be above… */
  readonly atMost?: number;
  /** …or below this. */
  readonly atLeast?: number;
}

/** The report as Markdown, which is readable in a terminal too and can be kept in `docs/benchmarks.md`. */
export function written({ title, tables, targets }: Report): string {
  const parts = tables.map(({ caption, columns, rows }) => `${caption}:\n\n${aligned([columns, ...rows])}`);
  if (targets.length > 0) parts.push(aligned([TARGET_COLUMNS, ...targets.map(targetRow)]));
  return [`## ${title}`, ...parts].join('\n\n');
}

const TARGET_COLUMNS = ['target', 'wanted', 'measured', ''];

function targetRow({ what, measured, unit, atMost, atLeast }: Target): string[] {
  const met = (atMost === undefined || measured <= atMost) && (atLeast === undefined || measured >= atLeast);
  const wanted = atMost === undefined ? `>= ${atLeast}` : `<= ${atMost}`;
  return [what, `${wanted} ${unit}`, `${rounded(measured)} ${unit}`, met ? 'met' : 'MISSED'];
}

/** Rows of a Markdown table, the first its head, padded so that the columns stand below each other. */
function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(3, ...rows.map((row) => row[column]!.length)));
  const lines = rows.map(
    (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`,
  );
  lines.splice(1, 0, `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`);
  return lines.join('\n');
}

/** Three significant digits, and never fewer digits than the number has before its point. */
export function rounded(value: number): string {
  if (value === 0) return '0';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 6));
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}
