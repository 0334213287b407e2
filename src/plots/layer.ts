import type { AxisRange } from './axis.js';

/** Where a layer draws: pixels of the plot's area, from its top left corner. */
export interface PlotFrame {
  readonly width: number;
  readonly height: number;
  /** From data to pixels. */
  x(value: number): number;
  y(value: number): number;
  /** The layer's colour. */
  readonly color: string;
}

/** Colours for numbers. */
export interface ColorBar {
  readonly range: AxisRange;
  /** The colour at a share in [0, 1] of the range. */
  color(share: number): string;
  readonly label?: string;
}

/**
 * One set of marks in a {@link figure}. Those of this library are made by {@link line}, {@link scatter},
 * {@link histogram} and {@link heatmap}; any object of this form will do.
 */
export interface PlotLayer {
  /** Its name in the legend; none by default. */
  readonly label?: string;
  /** Any CSS colour; the next one of {@link palette} by default. */
  readonly color?: string;
  /** How the legend shows it. */
  readonly swatch?: 'line' | 'dashed' | 'dot' | 'ring' | 'cross' | 'box';
  /** The data that must be in view; `undefined` if there is none. */
  readonly x?: AxisRange;
  readonly y?: AxisRange;
  /** What the layer's colours stand for, shown beside the plot. */
  readonly colorBar?: ColorBar;
  /** SVG markup. */
  draw(frame: PlotFrame): string;
}

/** Colours that can be told apart on light and on dark ground. */
export const palette: readonly string[] = [
  '#2f7fd1',
  '#d9730d',
  '#2e9e5b',
  '#9a5fd0',
  '#d64550',
  '#1a9a9a',
  '#a37b45',
  '#7d8590',
  '#cf5a9d',
];
