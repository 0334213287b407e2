/**
 * How tight is the bound that diffusion policies are trained on? KL divergences of paths (trained) and of actions
 * (wanted) against the number of steps K, for four schedules and for fixed or learned variances, on a target with two
 * modes. Exact, by quadrature; no training.
 *
 *     npx tsx examples/dmerl/boundTightness.ts [--steps 1,2,4,8,16,32,64] [--total 6]
 */
import { figure, line, palette, panels } from 'diffrl';
import { type Bound, chainBound, stepTimes, twoModes } from './gridChain.js';
import { options, report, table } from './report.js';

const PRIOR_STD = 1.5;

const schedules: Record<string, (share: number) => number> = {
  equal: () => 1,
  linear: (share) => 0.05 + 0.95 * share,
  cubic: (share) => 0.005 + 0.995 * share ** 3,
  cosine: (share) => 0.01 + 0.99 * Math.sin((Math.PI / 2) * share) ** 2,
};

const started = performance.now();
const { steps, total } = options({ steps: [1, 2, 4, 8, 16, 32, 64], total: 6 });

const runs = Object.entries(schedules).flatMap(([schedule, size]) =>
  (['fixed', 'matched'] as const).map((variance) => ({
    name: `${schedule}, ${variance} variance`,
    bounds: steps.map((count) => chainBound(twoModes, stepTimes(count, total, size), PRIOR_STD, variance)),
  })),
);

const cells = ({ joint, marginal, gap }: Bound) => [joint, marginal, gap].map((value) => value.toFixed(3)).join(' / ');
const rows = runs.map(({ name, bounds }) => [name, ...bounds.map(cells)]);
const curves = (part: keyof Bound, title: string) =>
  figure(
    runs.map(({ name, bounds }, i) =>
      line({
        x: steps.map(Math.log2),
        y: bounds.map((bound) => Math.log10(Math.max(bound[part], 1e-4))),
        label: name,
        color: palette[Math.floor(i / 2)],
        dashed: i % 2 === 1,
      }),
    ),
    { title, xLabel: 'log2 K', yLabel: 'log10 nats', width: 520 },
  );

await report(
  'boundTightness',
  started,
  [
    'KL of paths / KL of actions / what the bound gives away, in nats.',
    table(['schedule', ...steps.map((k) => `K = ${k}`)], rows),
  ],
  panels([curves('joint', 'KL of paths (the bound)'), curves('marginal', 'KL of actions')], {
    title: 'Bound tightness, two modes',
  }),
);
