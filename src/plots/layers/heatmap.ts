import { ArgumentError, requireInteger, requireLength, requireList } from '../../errors.js';
import { requireOptions } from '../../options.js';
import { type AxisRange, extentOf, isUsable, usable } from '../axis.js';
import type { PlotLayer } from '../layer.js';
import { element } from '../svg.js';

export interface HeatmapOptions {
  /** `[rows * columns]`, row by row, the first row at the bottom; NaN leaves a hole. */
  values: ArrayLike<number>;
  columns: number;
  /** Ends of the first and the last column. */
  x: AxisRange;
  /** Ends of the first and the last row. */
  y: AxisRange;
  /** Name of the values, beside the colour bar. */
  label?: string;
}

/**
 * A function of two numbers as colours, with a colour bar.
 *
 * @throws ArgumentError, ShapeError unless the values fill whole rows
 *
 * @example
 * ```ts
 * heatmap({ values: q, columns: 50, x: [-7, 7], y: [-7, 7], label: 'Q' });
 * ```
 */
export function heatmap(options: HeatmapOptions): PlotLayer {
  const { values, columns, x, y, label } = requireOptions('heatmap', options, {
    values: true,
    columns: true,
    x: true,
    y: true,
    label: true,
  });
  requireList('heatmap', 'values', values);
  requireInteger('heatmap', 'columns', columns, { min: 1 });
  const rows = Math.max(Math.round(values.length / columns), 1);
  requireLength('heatmap', 'values', values, rows * columns, `whole rows of ${columns} columns`);
  for (const [name, range] of Object.entries({ x, y })) {
    if (!isUsable(range)) throw new ArgumentError(`heatmap: ${name} must go upwards, got [${range}].`);
  }
  const range = usable(extentOf(values) ?? [0, 1]);
  return {
    x,
    y,
    colorBar: { range, color: rampColor, label },
    draw(frame) {
      const [left, top] = [frame.x(x[0]), frame.y(y[1])];
      const [width, height] = [(frame.x(x[1]) - left) / columns, (frame.y(y[0]) - top) / rows];
      const cells = Array.from(values, (value, i) => {
        if (!Number.isFinite(value)) return '';
        const [column, row] = [i % columns, Math.floor(i / columns)];
        const share = (value - range[0]) / (range[1] - range[0]);
        return element('rect', {
          x: left + column * width,
          y: top + (rows - 1 - row) * height,
          width,
          height,
          fill: rampColor(share),
        });
      });
      return element('g', { 'shape-rendering': 'crispEdges' }, ...cells);
    },
  };
}

/** Dark blue over teal and green to yellow: lightness grows evenly, and it can be told apart with colour blindness. */
const RAMP = ['#26345c', '#2b5a85', '#2a8290', '#45a97f', '#9ac765', '#f2dd62'];

function rampColor(share: number): string {
  const position = Math.min(Math.max(share, 0), 1) * (RAMP.length - 1);
  const index = Math.min(Math.floor(position), RAMP.length - 2);
  const [from, to] = [channels(RAMP[index] as string), channels(RAMP[index + 1] as string)];
  const mixed = from.map((value, i) => Math.round(value + (position - index) * ((to[i] as number) - value)));
  return `#${mixed.map((value) => value.toString(16).padStart(2, '0')).join('')}`;
}

function channels(color: string): number[] {
  return [1, 3, 5].map((start) => Number.parseInt(color.slice(start, start + 2), 16));
}
