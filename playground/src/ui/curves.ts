import type { Progress } from 'diffrl/web';
import { Chart, type Point, short, smoothed, thinned } from './chart.js';
import { element } from './elements.js';

/** What is drawn of an agent's metrics, under the names that agents give them. */
const METERS = [
  { id: 'entropy', metrics: ['entropyBound', 'entropy'], color: '--noise' },
  { id: 'temperature', metrics: ['temperature'], color: '--action' },
  { id: 'critic', metrics: ['value', 'valueLoss', 'criticLoss'], color: '--good' },
] as const;

/** Milliseconds between two drawings. */
const EVERY = 250;

/** Points that a chart keeps. */
const KEPT = 4000;

/** The learning curve and the meters beside it. */
export class Curves {
  private readonly curve = new Chart(element<HTMLCanvasElement>('curve'));
  private readonly meters = METERS.map((meter) => ({
    ...meter,
    chart: new Chart(element<HTMLCanvasElement>(meter.id)),
    output: element<HTMLOutputElement>(`${meter.id}-value`),
    points: [] as Point[],
  }));
  private returns: Point[] = [];
  private drawn = 0;

  /** The mean return of the last three episodes. */
  get recentReturn(): number | undefined {
    const last = this.returns.slice(-3);
    return last.length ? last.reduce((sum, [, value]) => sum + value, 0) / last.length : undefined;
  }

  /** Forgets everything, or goes on from the episodes of a run. */
  reset(returns: Point[] = []): void {
    this.returns = returns;
    for (const meter of this.meters) {
      meter.points = [];
      meter.output.value = '–';
    }
    this.draw();
  }

  add({ step, episodes, metrics }: Progress): void {
    for (const episode of episodes) this.returns.push([episode.step, episode.return]);
    for (const meter of this.meters) {
      const name = meter.metrics.find((candidate) => Number.isFinite(metrics[candidate]));
      if (!name) continue;
      meter.points.push([step, metrics[name]!]);
      if (meter.points.length > KEPT) meter.points.shift();
      meter.output.value = short(Number(metrics[name]!.toPrecision(3)));
    }
    if (performance.now() - this.drawn > EVERY) this.draw();
  }

  draw(): void {
    this.drawn = performance.now();
    const recent = this.returns.slice(-KEPT);
    const mean = smoothed(recent, 3);
    const layers = [
      { points: thinned(recent, 600), color: '--noise', kind: 'dots' },
      { points: thinned(mean, 300), color: '--action', kind: 'line', filled: true },
    ] as const;
    this.curve.draw(layers, { labelled: true, x: [0, Math.max(recent.at(-1)?.[0] ?? 0, 500)] });
    for (const { chart, points, color } of this.meters) {
      chart.draw([{ points: thinned(points, 160), color, kind: 'line', filled: true }]);
    }
  }
}
