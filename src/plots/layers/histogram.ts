import { ArgumentError, requireInteger, requireList } from '../../errors.js';
import { requireOptions } from '../../options.js';
import { type AxisRange, extentOf, isUsable, usable } from '../axis.js';
import type { PlotLayer } from '../layer.js';
import { element, round } from '../svg.js';

export interface HistogramOptions {
  values: ArrayLike<number>;
  /** Number of bins. Default 40. */
  bins?: number;
  /** Ends of the first and the last bin; values outside are left out. Default: the values' own extent. */
  range?: AxisRange;
  label?: string;
  color?: string;
}

/**
 * Bars whose area is the share of the values in each bin, so that a density drawn as a {@link line} fits them.
 *
 * @throws ArgumentError unless `bins` is an integer >= 1 and `range` goes upwards
 */
export function histogram(options: HistogramOptions): PlotLayer {
  const {
    values,
    bins = 40,
    range,
    label,
    color,
  } = requireOptions('histogram', options, { values: true, bins: true, range: true, label: true, color: true });
  requireList('histogram', 'values', values);
  requireInteger('histogram', 'bins', bins, { min: 1 });
  if (range && !isUsable(range))
    throw new ArgumentError(`histogram: range must go upwards, got [${range.join(', ')}].`);
  const [low, high] = usable(range ?? extentOf(values) ?? [0, 1]);
  const densities = densitiesOf(values, bins, low, high);
  return {
    label,
    color,
    swatch: 'box',
    x: [low, high],
    y: [0, Math.max(...densities)],
    draw(frame) {
      const edges = Array.from({ length: bins + 1 }, (_, i) => round(frame.x(low + (i * (high - low)) / bins)));
      const tops = Array.from(densities, (density, i) => `V${round(frame.y(density))}H${edges[i + 1]}`);
      const outline = `M${edges[0]} ${round(frame.y(0))}${tops.join('')}V${round(frame.y(0))}`;
      return element('path', { d: outline, fill: frame.color, 'fill-opacity': 0.3, stroke: frame.color });
    },
  };
}

function densitiesOf(values: ArrayLike<number>, bins: number, low: number, high: number): Float64Array {
  const counts = new Float64Array(bins);
  const finite = Array.from(values).filter(Number.isFinite);
  for (const value of finite) {
    const bin = Math.floor(((value - low) / (high - low)) * bins);
    const index = value === high ? bins - 1 : bin;
    if (index >= 0 && index < bins) counts[index] = (counts[index] as number) + 1;
  }
  return counts.map((count) => (count / Math.max(finite.length, 1)) * (bins / (high - low)));
}
