import { COLOURS, drawBox, drawText, picture } from '../browser/svg.js';

export interface Bar {
  readonly name: string;
  readonly value: number | undefined;
  readonly text: string;
  readonly ours: boolean;
}

export interface Panel {
  readonly title: string;
  readonly bars: readonly Bar[];
}

const NAMES = 180;
const LENGTH = 260;
const WIDTH = NAMES + LENGTH + 110;
const LINE = 20;
const HEAD = 26;

/** Bars below each other, shorter is better; each panel has its own scale. */
export function barPlot(panels: readonly Panel[]): string {
  const parts: string[] = [];
  let top = 0;
  for (const { title, bars } of panels) {
    parts.push(drawText({ x: 0, y: top + 16, text: title, size: 14 }));
    const most = Math.max(...bars.map(({ value }) => value ?? 0), Number.MIN_VALUE);
    bars.forEach(({ name, value, text, ours }, line) => {
      const y = top + HEAD + line * LINE;
      const width = ((value ?? 0) / most) * LENGTH;
      parts.push(drawText({ x: NAMES - 8, y: y + 13, text: name, anchor: 'end' }));
      if (value !== undefined)
        parts.push(
          drawBox({
            x: NAMES,
            y: y + 2,
            width: Math.max(1, width),
            height: LINE - 5,
            fill: ours ? COLOURS.ours : COLOURS.peer,
          }),
        );
      parts.push(drawText({ x: NAMES + width + 6, y: y + 13, text }));
    });
    top += HEAD + bars.length * LINE + 12;
  }
  return picture(WIDTH, top, 'The client beside its peers; shorter bars are better', parts);
}
