import type { Area } from './axes.js';
import { niceTicks, tickLabels } from './axis.js';
import { text, textWidth } from './document.js';
import type { ColorBar, PlotLayer } from './layer.js';
import { element, round } from './svg.js';

/** A layer's name and look in the legend. */
export interface LegendEntry {
  readonly label: string;
  readonly color: string;
  readonly swatch: PlotLayer['swatch'];
}

/** Height of one row of a legend, in pixels. */
export const LEGEND_ROW = 20;

/** Distributes entries to rows of `width` pixels. */
export function legendRows(entries: readonly LegendEntry[], width: number): LegendEntry[][] {
  const rows: LegendEntry[][] = [];
  let used = Number.POSITIVE_INFINITY;
  for (const entry of entries) {
    if (used + entryWidth(entry) > width) {
      rows.push([]);
      used = 0;
    }
    rows.at(-1)?.push(entry);
    used += entryWidth(entry);
  }
  return rows;
}

export function drawLegend(rows: readonly LegendEntry[][], left: number, top: number): string {
  return rows
    .map((row, i) => {
      let x = left;
      return row
        .map((entry) => {
          const drawn = drawEntry(entry, x, top + i * LEGEND_ROW);
          x += entryWidth(entry);
          return drawn;
        })
        .join('');
    })
    .join('');
}

/** The colours of a layer and what they stand for, right of the plot. */
export function drawColorBar({ range, color, label }: ColorBar, { left, top, width, height }: Area): string {
  const stripe = height / STRIPES;
  const stripes = Array.from({ length: STRIPES }, (_, i) =>
    element('rect', {
      y: height - (i + 1) * stripe,
      width: 12,
      height: stripe + 0.3,
      fill: color((i + 0.5) / STRIPES),
    }),
  );
  const ticks = niceTicks(range, height / 60);
  const labels = tickLabels(ticks);
  const y = (tick: number) => height * (1 - (tick - range[0]) / (range[1] - range[0]));
  return element(
    'g',
    { transform: `translate(${round(left + width + 14)} ${round(top)})` },
    ...stripes,
    ...ticks.map((tick, i) => text(labels[i] as string, { x: 18, y: y(tick) + 4, class: 'muted' })),
    label ? text(label, { x: 0, y: -7, class: 'ink' }) : '',
  );
}

/** Room for a colour bar, in pixels. */
export const COLOR_BAR_WIDTH = 76;

const STRIPES = 64;

function drawEntry({ label, color, swatch = 'line' }: LegendEntry, x: number, y: number): string {
  const middle = y - 4;
  const stroke = { stroke: color, 'stroke-width': 2, fill: 'none' };
  const marks = {
    line: () => element('path', { ...stroke, d: `M${x} ${middle}h16` }),
    dashed: () => element('path', { ...stroke, d: `M${x} ${middle}h16`, 'stroke-dasharray': '5 3' }),
    dot: () => element('circle', { cx: x + 8, cy: middle, r: 4, fill: color }),
    ring: () => element('circle', { ...stroke, cx: x + 8, cy: middle, r: 4 }),
    cross: () => element('path', { ...stroke, d: `M${x + 4} ${middle - 4}l8 8m-8 0l8 -8` }),
    box: () =>
      element('rect', { x: x + 2, y: y - 10, width: 12, height: 12, fill: color, 'fill-opacity': 0.4, stroke: color }),
  };
  return marks[swatch]() + text(label, { x: x + 22, y, class: 'ink' });
}

function entryWidth({ label }: LegendEntry): number {
  return 40 + textWidth(label);
}
