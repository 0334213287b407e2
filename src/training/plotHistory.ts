import { requireList, requireNamed } from '../errors.js';
import type { Figure } from '../plots/document.js';
import { type FigureOptions, figure } from '../plots/figure.js';
import { line } from '../plots/layers/line.js';
import { scatter } from '../plots/layers/scatter.js';
import type { EpisodeRecord, TrainingHistory } from './history.js';

/**
 * The learning curve of one run: returns of training (points, and their moving mean) and of evaluations (mean and one
 * standard deviation of the episodes of each) over environment steps.
 */
export function plotHistory(history: TrainingHistory, options: FigureOptions = {}): Figure {
  const { episodes, evaluations } = requireNamed('plotHistory', history, 'history');
  requireList('plotHistory', 'history.episodes', episodes);
  requireList('plotHistory', 'history.evaluations', evaluations);
  const shown = thinned(episodes);
  const layers = [
    scatter({ ...points(shown), radius: 1.5, opacity: 0.35, color: TRAINING }),
    line({ ...points(thinned(movingMean(episodes))), label: 'training', color: TRAINING }),
    ...(evaluations.length
      ? [
          line({
            x: evaluations.map(({ step }) => step),
            y: evaluations.map((evaluation) => evaluation.mean),
            band: {
              low: evaluations.map((evaluation) => evaluation.mean - evaluation.std),
              high: evaluations.map((evaluation) => evaluation.mean + evaluation.std),
            },
            label: 'evaluation',
            color: EVALUATION,
          }),
        ]
      : []),
  ];
  return figure(layers, { xLabel: 'environment steps', yLabel: 'return', ...options });
}

const [EVALUATION, TRAINING] = ['#2f7fd1', '#7d8590'];
const MOST_POINTS = 1000;

type Point = Pick<EpisodeRecord, 'step' | 'return'>;

function points(episodes: readonly Point[]) {
  return { x: episodes.map(({ step }) => step), y: episodes.map((episode) => episode.return) };
}

/** Each return replaced by the mean of the twentieth part of all episodes that ends with it. */
function movingMean(episodes: readonly Point[]): Point[] {
  const window = Math.ceil(episodes.length / 20);
  let sum = 0;
  return episodes.map(({ step, return: value }, i) => {
    sum += value - (i >= window ? (episodes[i - window] as Point).return : 0);
    return { step, return: sum / Math.min(i + 1, window) };
  });
}

/** At most {@link MOST_POINTS} of the entries, evenly spread. */
function thinned(entries: readonly Point[]): Point[] {
  const stride = Math.ceil(entries.length / MOST_POINTS);
  return entries.filter((_, i) => i % stride === 0);
}
