import { requireLength, requireList } from '../../errors.js';
import { requireOptions } from '../../options.js';
import { extentOf } from '../axis.js';
import type { PlotFrame, PlotLayer } from '../layer.js';
import { element, round } from '../svg.js';

export interface LineOptions {
  x: ArrayLike<number>;
  /** As many numbers as `x`; NaN makes a gap. */
  y: ArrayLike<number>;
  /** Ends of a shaded band around the line, such as a confidence interval. */
  band?: { low: ArrayLike<number>; high: ArrayLike<number> };
  label?: string;
  color?: string;
  /** Width of the line in pixels. Default 2. */
  width?: number;
  /** In (0, 1]; default 1. */
  opacity?: number;
  /** Default `false`. */
  dashed?: boolean;
}

/** A line through points in their order: a learning curve, a density, the path of a point. @throws ShapeError if lengths differ */
export function line(options: LineOptions): PlotLayer {
  const {
    x,
    y,
    band,
    label,
    color,
    width = 2,
    opacity = 1,
    dashed = false,
  } = requireOptions('line', options, {
    x: true,
    y: true,
    band: true,
    label: true,
    color: true,
    width: true,
    opacity: true,
    dashed: true,
  });
  requireList('line', 'x', x);
  requireList('line', 'y', y);
  requireLength('line', 'y', y, x.length, 'as many as x');
  if (band) {
    requireLength('line', 'band.low', band.low, x.length, 'as many as x');
    requireLength('line', 'band.high', band.high, x.length, 'as many as x');
  }
  return {
    label,
    color,
    swatch: dashed ? 'dashed' : 'line',
    x: extentOf(x),
    y: extentOf(y, band?.low, band?.high),
    draw(frame) {
      const path = element('path', {
        d: subpaths(frame, x, y),
        fill: 'none',
        stroke: frame.color,
        'stroke-width': width,
        'stroke-opacity': opacity,
        'stroke-dasharray': dashed ? '5 4' : undefined,
        'stroke-linejoin': 'round',
        'stroke-linecap': 'round',
      });
      return band ? bandOf(frame, x, band) + path : path;
    },
  };
}

function bandOf(frame: PlotFrame, x: ArrayLike<number>, { low, high }: NonNullable<LineOptions['band']>): string {
  const defined = Array.from(x, (_, i) => i).filter((i) => [x[i], low[i], high[i]].every(Number.isFinite));
  if (!defined.length) return '';
  const upper = defined.map((i) => point(frame, x[i], high[i]));
  const lower = defined.reverse().map((i) => point(frame, x[i], low[i]));
  return element('path', { d: `M${[...upper, ...lower].join('L')}Z`, fill: frame.color, 'fill-opacity': 0.18 });
}

/** One `M...L...` for each run of finite points; a lone point gets a line of length 0, which its round ends show. */
function subpaths(frame: PlotFrame, x: ArrayLike<number>, y: ArrayLike<number>): string {
  let path = '';
  let length = 0;
  for (let i = 0; i <= x.length; i++) {
    const isPoint = Number.isFinite(x[i]) && Number.isFinite(y[i]);
    if (isPoint) path += `${length ? 'L' : 'M'}${point(frame, x[i], y[i])}`;
    else if (length === 1) path += 'h0';
    length = isPoint ? length + 1 : 0;
  }
  return path;
}

function point(frame: PlotFrame, x?: number, y?: number): string {
  return `${round(frame.x(x as number))} ${round(frame.y(y as number))}`;
}
