import { ArgumentError, requireInteger, requireList, requireNumber, requireObject, show } from '../errors.js';
import { requireOptions } from '../options.js';
import { type Area, domainOf, drawAxes, labelWidth, scalesOf, withEqualUnits } from './axes.js';
import { type AxisRange, isUsable } from './axis.js';
import { document, type Figure, text } from './document.js';
import { type PlotLayer, palette } from './layer.js';
import { COLOR_BAR_WIDTH, drawColorBar, drawLegend, LEGEND_ROW, type LegendEntry, legendRows } from './legend.js';
import { element } from './svg.js';

export interface FigureOptions {
  title?: string;
  xLabel?: string;
  yLabel?: string;
  /** Ends of the x axis. Default: all data in view. */
  x?: AxisRange;
  /** Ends of the y axis. Default: all data in view. */
  y?: AxisRange;
  /** Whether one unit is equally long on both axes, as for positions in a plane. Default `false`. */
  equalAspect?: boolean;
  /** In pixels, at least 160. Default 640. */
  width?: number;
  /** In pixels, at least 120 and enough for the legend. Default 400, and more where the legend has more than two rows. */
  height?: number;
}

/**
 * Draws layers over one another, the first at the bottom, with axes, titles and a legend of all that have a label.
 *
 * @throws ArgumentError if a given range does not go upwards, or a given height leaves no room beside the legend
 *
 * @example
 * ```ts
 * const curve = line({ x: steps, y: returns, band: { low, high }, label: 'DIME' });
 * await writeFile('curve.svg', figure([curve], { title: 'Pendulum', xLabel: 'step', yLabel: 'return' }).svg);
 * ```
 */
export function figure(layers: readonly PlotLayer[], options: FigureOptions = {}): Figure {
  const { title, xLabel, yLabel, equalAspect = false, width = 640 } = requireOptions('figure', options, FIGURE);
  requireNumber('figure', 'width', width, { min: 160 });
  if (options.height !== undefined) requireNumber('figure', 'height', options.height, { min: 120 });
  if (!Array.isArray(layers)) throw new ArgumentError(`figure: layers must be a list of layers, got ${show(layers)}.`);
  const odd = layers.findIndex((layer) => typeof layer?.draw !== 'function');
  if (odd >= 0) {
    throw new ArgumentError(
      `figure: layers must be made by line(), scatter(), heatmap() or histogram(), got ${show(layers[odd])}.`,
    );
  }
  requireRange('x', options.x);
  requireRange('y', options.y);

  const colors = colorsOf(layers);
  const legend = legendRows(entriesOf(layers, colors), width - 2 * MARGIN);
  const { height = 400 + Math.max(legend.length - 2, 0) * LEGEND_ROW } = options;
  const colorBar = layers.find((layer) => layer.colorBar)?.colorBar;
  const given = { x: options.x ?? domainOf('x', layers), y: options.y ?? domainOf('y', layers) };
  const top = MARGIN + (title ? TITLE_HEIGHT : 0) + legend.length * LEGEND_ROW + (colorBar?.label ? LEGEND_ROW : 0);
  const plotHeight = height - top - (xLabel ? 50 : 32);
  if (plotHeight < SMALLEST_PLOT) {
    throw new ArgumentError(
      `figure: height must be at least ${height - plotHeight + SMALLEST_PLOT} for this legend, got ${height}; leave it out to have it fit.`,
    );
  }
  const left = (yLabel ? 32 : 14) + labelWidth(given.y, plotHeight) + 8;
  const area: Area = { left, top, width: width - left - (colorBar ? COLOR_BAR_WIDTH : MARGIN), height: plotHeight };
  const domain = equalAspect ? withEqualUnits(given, area) : given;
  const scales = scalesOf(domain, area);
  const marks = layers.map((layer, i) =>
    layer.draw({ ...scales, width: area.width, height: area.height, color: colors[i] as string }),
  );
  return document(
    width,
    height,
    title,
    [
      title ? text(title, { x: MARGIN, y: 28, class: 'ink', 'font-size': 15, 'font-weight': 600 }) : '',
      drawLegend(legend, MARGIN, MARGIN + (title ? TITLE_HEIGHT : 0) + 8),
      drawAxes(domain, area, scales, { xLabel, yLabel }),
      element('svg', { x: area.left, y: area.top, width: area.width, height: area.height }, ...marks),
      colorBar ? drawColorBar(colorBar, area) : '',
    ].join(''),
  );
}

/**
 * Puts figures side by side, row by row.
 *
 * @throws ArgumentError unless there is a figure and `columns` is an integer >= 1
 */
export function panels(figures: readonly Figure[], options: { columns?: number; title?: string } = {}): Figure {
  const { columns = 2, title } = requireOptions('panels', options, { columns: true, title: true });
  requireInteger('panels', 'columns', columns, { min: 1 });
  requireList('panels', 'figures', figures);
  for (const panel of figures as readonly unknown[]) requireObject('panels', 'each figure', panel);
  if (figures.length === 0) throw new ArgumentError('panels: figures must hold at least one figure, got none.');
  const cells = figures.map((panel, i) => ({ panel, column: i % columns, row: Math.floor(i / columns) }));
  const widths = largest(cells.map(({ panel, column }) => [column, panel.width]));
  const heights = largest(cells.map(({ panel, row }) => [row, panel.height]));
  const top = title ? TITLE_HEIGHT + MARGIN : 0;
  const placed = cells.map(({ panel, column, row }) => {
    const [x, y] = [sum(widths.slice(0, column)), top + sum(heights.slice(0, row))];
    return element('svg', { x, y, width: panel.width, height: panel.height }, panel.content);
  });
  const heading = title ? text(title, { x: MARGIN, y: 30, class: 'ink', 'font-size': 17, 'font-weight': 600 }) : '';
  return document(sum(widths), top + sum(heights), title, heading + placed.join(''));
}

const FIGURE = {
  title: true,
  xLabel: true,
  yLabel: true,
  x: true,
  y: true,
  equalAspect: true,
  width: true,
  height: true,
} as const;
const MARGIN = 18;
const TITLE_HEIGHT = 24;
/** What the smallest height leaves beside a title, a label and one row of legend, in pixels. */
const SMALLEST_PLOT = 8;

/** Layers without a colour take the palette's in turn; those with colours of their own (heat maps) use none up. */
function colorsOf(layers: readonly PlotLayer[]): string[] {
  let taken = 0;
  return layers.map(({ color, colorBar }) => color ?? (palette[colorBar ? 0 : taken++ % palette.length] as string));
}

function entriesOf(layers: readonly PlotLayer[], colors: readonly string[]): LegendEntry[] {
  return layers.flatMap(({ label, swatch }, i) => (label ? [{ label, swatch, color: colors[i] as string }] : []));
}

function requireRange(name: string, range: AxisRange | undefined): void {
  if (!range || isUsable(range)) return;
  throw new ArgumentError(`figure: ${name} must be two finite numbers that go upwards, got [${range.join(', ')}].`);
}

/** The largest value of each index. */
function largest(entries: readonly [index: number, value: number][]): number[] {
  const values: number[] = [];
  for (const [index, value] of entries) values[index] = Math.max(values[index] ?? 0, value);
  return values;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
