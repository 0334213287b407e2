import { requireList, requireObject } from '../errors.js';
import { requireOptions } from '../options.js';
import { mean } from '../stats/summary.js';
import type { Figure } from './document.js';
import { figure, panels } from './figure.js';
import type { PlotLayer } from './layer.js';
import { heatmap } from './layers/heatmap.js';
import { histogram } from './layers/histogram.js';
import { line } from './layers/line.js';
import { scatter } from './layers/scatter.js';
import type { PolicyPicture } from './microscope.js';

/** Draws that are followed step by step. */
const FOLLOWED = 60;

/** Draws a {@link PolicyPicture}: the way from noise to action, where actions gather and what they are worth, the log-ratios. */
export function microscopeFigure(picture: PolicyPicture, options: { title?: string } = {}): Figure {
  const { title } = requireOptions('microscopeFigure', options, { title: true });
  requireObject('microscopeFigure', 'picture', picture);
  requireList('microscopeFigure', 'picture.dimensions', picture.dimensions);
  const figures = [chainFigure(picture), densityFigure(picture)];
  if (picture.steps && picture.logRatios) figures.push(ratioFigure(picture, picture.logRatios));
  return panels(figures, { columns: figures.length, title });
}

/** The chosen dimensions' first along the chain, a line for each draw. */
function chainFigure({ steps, samples, actionSize, states, dimensions }: PolicyPicture): Figure {
  const [axis = 0] = dimensions;
  const time = Array.from({ length: steps + 1 }, (_, k) => k);
  const of = (sample: number) => time.map((k) => states[(k * samples + sample) * actionSize + axis]!);
  const followed = Array.from({ length: Math.min(samples, FOLLOWED) }, (_, i) => i);
  const lines = followed.map((i) => line({ x: time, y: of(i), color: NOISE, width: 1, opacity: 0.35 }));
  const last = followed.map((i) => of(i)[steps]!);
  const ends = scatter({ x: last.map(() => steps), y: last, color: ACTION, radius: 2.5 });
  const options = { title: 'From noise to action', xLabel: 'step of the chain', yLabel: `latent ${axis}` };
  return figure([...lines, ends], { ...options, width: 420, height: 340 });
}

function densityFigure(picture: PolicyPicture): Figure {
  return picture.dimensions.length === 2 ? landscapeFigure(picture) : lineFigure(picture);
}

/** Two dimensions: draws over the critic's landscape, or over their density where there is no critic. */
function landscapeFigure({ landscape, density, dimensions, actions, actionSize, modes }: PolicyPicture): Figure {
  const [first, second] = dimensions as [number, number];
  const under = landscape ?? density;
  const column = (axis: number) =>
    Array.from({ length: actions.length / actionSize }, (_, i) => actions[i * actionSize + axis]!);
  const layers: PlotLayer[] = [
    heatmap({
      values: under.values,
      columns: under.resolution,
      x: [-1, 1],
      y: [-1, 1],
      label: landscape ? 'critic value' : 'density',
    }),
    scatter({ x: column(first), y: column(second), color: ACTION, label: 'actions' }),
    scatter({
      ...{ x: modes.map(({ action }) => action[first]!), y: modes.map(({ action }) => action[second]!) },
      ...{ symbol: 'ring', radius: 8, opacity: 1, color: '#ffffff', label: 'modes' },
    }),
  ];
  const labels = { xLabel: `action ${first}`, yLabel: `action ${second}` };
  return figure(layers, { title: 'Actions', ...labels, width: 420, height: 340, x: [-1, 1], y: [-1, 1] });
}

/** One dimension: the density, and the critic's value stretched to its height. */
function lineFigure({ density, landscape, dimensions, actions, actionSize }: PolicyPicture): Figure {
  const [axis = 0] = dimensions;
  const x = Array.from({ length: density.resolution }, (_, i) => (2 * i) / (density.resolution - 1) - 1);
  const values = Array.from({ length: actions.length / actionSize }, (_, i) => actions[i * actionSize + axis]!);
  const layers: PlotLayer[] = [
    histogram({ values, range: [-1, 1], bins: 32, color: ACTION, label: 'actions' }),
    line({ x, y: density.values, color: ACTION }),
  ];
  if (landscape) {
    const [low, high] = [Math.min(...landscape.values), Math.max(...landscape.values)];
    const top = Math.max(...density.values);
    const y = Array.from(landscape.values, (value) => ((value - low) / (high - low || 1)) * top);
    const label = `critic value, ${low.toPrecision(3)} to ${high.toPrecision(3)}`;
    layers.push(line({ x, y, color: NOISE, dashed: true, label }));
  }
  return figure(layers, { title: 'Actions', xLabel: `action ${axis}`, yLabel: 'density', width: 420, height: 340 });
}

/** The log-ratio of every step: mean over the draws, and the middle 80 %. */
function ratioFigure({ steps, samples, entropyBound }: PolicyPicture, logRatios: Float32Array): Figure {
  const x = Array.from({ length: steps }, (_, k) => k);
  const rows = x.map((k) => Array.from(logRatios.subarray(k * samples, (k + 1) * samples)).sort((a, b) => a - b));
  const quantile = (share: number) => rows.map((row) => row[Math.round(share * (samples - 1))]!);
  const curve = line({ x, y: rows.map(mean), band: { low: quantile(0.1), high: quantile(0.9) }, color: NOISE });
  const bound = entropyBound ? `, entropy ≥ ${entropyBound.mean.toFixed(2)} nats` : '';
  const options = { title: `Log-ratios${bound}`, xLabel: 'step of the chain', yLabel: 'log F − log B' };
  return figure([curve], { ...options, width: 420, height: 340 });
}

const NOISE = '#5b68f0';
const ACTION = '#f08a34';
