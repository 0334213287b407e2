export type { Grid, Mode } from './actionDensity.js';
export { type AxisRange, niceTicks, tickLabels } from './axis.js';
export type { Figure } from './document.js';
export { type FigureOptions, figure, panels } from './figure.js';
export { type AnimationOptions, animation, type FilmStripOptions, filmStrip } from './film.js';
export { type ColorBar, type PlotFrame, type PlotLayer, palette } from './layer.js';
export { type HeatmapOptions, heatmap } from './layers/heatmap.js';
export { type HistogramOptions, histogram } from './layers/histogram.js';
export { type LineOptions, line } from './layers/line.js';
export { type ScatterOptions, scatter } from './layers/scatter.js';
export {
  type ChainAgent,
  type LookOptions,
  Microscope,
  type MicroscopeOptions,
  microscope,
  type PolicyPicture,
} from './microscope.js';
export { microscopeFigure } from './microscopeFigure.js';
