import { type AxisRange, extentOf, niceTicks, tickLabels, usable } from './axis.js';
import { text, textWidth } from './document.js';
import type { PlotLayer } from './layer.js';
import { element, round } from './svg.js';

/** The ends of both axes. */
export interface Domain {
  readonly x: AxisRange;
  readonly y: AxisRange;
}

/** The part of a figure that data are drawn in, in pixels. */
export interface Area {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** From data to pixels within the area. */
export interface Scales {
  x(value: number): number;
  y(value: number): number;
}

/** All data of one axis, with a little air at ends that are not 0; layers with a colour bar fill the area. */
export function domainOf(axis: 'x' | 'y', layers: readonly PlotLayer[]): AxisRange {
  const [low, high] = usable(extentOf(...layers.map((layer) => layer[axis])) ?? [0, 1]);
  const air = layers.some(({ colorBar }) => colorBar) ? 0 : (axis === 'x' ? 0.02 : 0.05) * (high - low);
  return [low === 0 ? 0 : low - air, high === 0 ? 0 : high + air];
}

/** `domain`, with one of its ranges widened on both sides until a unit is equally long on both axes. */
export function withEqualUnits({ x, y }: Domain, { width, height }: Area): Domain {
  const unit = Math.max((x[1] - x[0]) / width, (y[1] - y[0]) / height);
  const widen = ([low, high]: AxisRange, size: number): AxisRange => {
    const missing = unit * size - (high - low);
    return [low - missing / 2, high + missing / 2];
  };
  return { x: widen(x, width), y: widen(y, height) };
}

export function scalesOf({ x, y }: Domain, { width, height }: Area): Scales {
  return {
    x: (value) => ((value - x[0]) / (x[1] - x[0])) * width,
    y: (value) => height - ((value - y[0]) / (y[1] - y[0])) * height,
  };
}

/** Room for the labels of the y axis, in pixels. */
export function labelWidth(y: AxisRange, height: number): number {
  return Math.max(...tickLabels(ticksOf(y, height / 45)).map(textWidth));
}

/** Grid, axis lines, tick labels and names. */
export function drawAxes(
  { x, y }: Domain,
  { left, top, width, height }: Area,
  scales: Scales,
  names: { xLabel?: string; yLabel?: string },
): string {
  const [xTicks, yTicks] = [ticksOf(x, width / 65), ticksOf(y, height / 45)];
  const [xLabels, yLabels] = [tickLabels(xTicks), tickLabels(yTicks)];
  const vertical = xTicks.map((tick) => `M${round(scales.x(tick))} 0V${round(height)}`);
  const horizontal = yTicks.map((tick) => `M0 ${round(scales.y(tick))}H${round(width)}`);
  return element(
    'g',
    { transform: `translate(${round(left)} ${round(top)})` },
    element('path', { class: 'grid', d: [...vertical, ...horizontal].join('') }),
    element('path', { class: 'axis', fill: 'none', d: `M0 0V${round(height)}H${round(width)}` }),
    ...xTicks.map((tick, i) =>
      text(xLabels[i] as string, { x: scales.x(tick), y: height + 17, class: 'muted', 'text-anchor': 'middle' }),
    ),
    ...yTicks.map((tick, i) =>
      text(yLabels[i] as string, { x: -8, y: scales.y(tick) + 4, class: 'muted', 'text-anchor': 'end' }),
    ),
    names.xLabel ? text(names.xLabel, { x: width / 2, y: height + 38, class: 'ink', 'text-anchor': 'middle' }) : '',
    names.yLabel
      ? text(names.yLabel, {
          transform: `translate(${round(16 - left)} ${round(height / 2)}) rotate(-90)`,
          class: 'ink',
          'text-anchor': 'middle',
        })
      : '',
  );
}

function ticksOf(range: AxisRange, count: number): number[] {
  return niceTicks(range, Math.min(Math.max(count, 2), 10));
}
