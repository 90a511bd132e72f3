import { COLOURS, drawBox, drawText, picture } from '../browser/svg.js';
import type { Outcome } from './row.js';

export interface PlottedClient {
  readonly name: string;
  readonly verdicts: readonly Outcome['verdict'][];
}

const CELL = 34;
const HEIGHT = 26;
const LEFT = 190;
const TOP = 30;

const FILL = { P: COLOURS.ours, F: COLOURS.bad, '–': COLOURS.peer } as const;

/** A field of verdicts: a row a client, a column a row of the bench. */
export function verdictPlot(ids: readonly string[], clients: readonly PlottedClient[]): string {
  // The three failures of one row share its number.
  const heads = ids.map((id, column) => {
    const [number, ...detail] = id.split(' ');
    const x = LEFT + column * CELL + CELL / 2;
    const below = detail.join(' ').replace('no answer', 'none');
    return [
      drawText({ x, y: below ? 12 : 22, text: number!, anchor: 'middle' }),
      drawText({ x, y: 24, text: below, anchor: 'middle', size: 10 }),
    ].join('');
  });
  const lines = clients.map(({ name, verdicts }, line) => {
    const y = TOP + line * HEIGHT;
    const cells = verdicts.map((verdict, column) => {
      const x = LEFT + column * CELL;
      const box = drawBox({ x: x + 1, y: y + 1, width: CELL - 2, height: HEIGHT - 2, fill: FILL[verdict] });
      return box + drawText({ x: x + CELL / 2, y: y + 17, text: verdict, anchor: 'middle', fill: '#fff' });
    });
    return drawText({ x: LEFT - 8, y: y + 17, text: name, anchor: 'end' }) + cells.join('');
  });
  const passed = clients.map(
    ({ name, verdicts }) => `${name} ${verdicts.filter((verdict) => verdict === 'P').length}`,
  );
  return picture(
    LEFT + ids.length * CELL + 8,
    TOP + clients.length * HEIGHT + 8,
    `Rows of the torture bench that pass, of ${ids.length}: ${passed.join(', ')}`,
    [...heads, ...lines],
  );
}
