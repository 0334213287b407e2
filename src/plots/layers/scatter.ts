import { requireLength, requireList } from '../../errors.js';
import { requireOptions } from '../../options.js';
import { extentOf } from '../axis.js';
import type { PlotLayer } from '../layer.js';
import { element } from '../svg.js';

export interface ScatterOptions {
  x: ArrayLike<number>;
  /** As many numbers as `x`; points with NaN are left out. */
  y: ArrayLike<number>;
  label?: string;
  color?: string;
  /** Default `'dot'`. */
  symbol?: 'dot' | 'ring' | 'cross';
  /** Radius in pixels. Default 2.5. */
  radius?: number;
  /** In (0, 1]; default 0.7. */
  opacity?: number;
}

/** Separate points. @throws ShapeError if lengths differ */
export function scatter(options: ScatterOptions): PlotLayer {
  const {
    x,
    y,
    label,
    color,
    symbol = 'dot',
    radius = 2.5,
    opacity = 0.7,
  } = requireOptions('scatter', options, {
    x: true,
    y: true,
    label: true,
    color: true,
    symbol: true,
    radius: true,
    opacity: true,
  });
  requireList('scatter', 'x', x);
  requireList('scatter', 'y', y);
  requireLength('scatter', 'y', y, x.length, 'as many as x');
  return {
    label,
    color,
    swatch: symbol,
    x: extentOf(x),
    y: extentOf(y),
    draw(frame) {
      const marks = Array.from(x, (value, i) => [value, y[i] as number] as const)
        .filter(([px, py]) => Number.isFinite(px) && Number.isFinite(py))
        .map(([px, py]) => mark(symbol, frame.x(px), frame.y(py), radius));
      const look =
        symbol === 'dot'
          ? { fill: frame.color, 'fill-opacity': opacity }
          : { fill: 'none', stroke: frame.color, 'stroke-width': 2, 'stroke-opacity': opacity };
      return element('g', look, ...marks);
    },
  };
}

function mark(symbol: ScatterOptions['symbol'], cx: number, cy: number, r: number): string {
  if (symbol !== 'cross') return element('circle', { cx, cy, r });
  const arms = `M${cx - r} ${cy - r}L${cx + r} ${cy + r}M${cx - r} ${cy + r}L${cx + r} ${cy - r}`;
  return element('path', { d: arms.replace(/\d+\.\d{3,}/g, (number) => Number(number).toFixed(2)) });
}
