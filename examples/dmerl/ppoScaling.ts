/**
 * How should PPO's clipping and its number of gradient steps grow with the diffusion steps K? DiffPPO on Pendulum over a
 * grid of K, clip scaling and update scaling, without early stopping: chain KL of an update, share of clipped ratios and
 * return.
 *
 *     npx tsx examples/dmerl/ppoScaling.ts [--steps 100000] [--seeds 2] [--K 1,4,8,16]
 */
import {
  type ClipScaling,
  DiffPpoAgent,
  dmerlSampler,
  evaluate,
  figure,
  line,
  mean,
  Pendulum,
  panels,
  SyncVectorEnv,
  TrainingRun,
  type UpdateScaling,
} from 'diffrl';
import { useBestBackend } from 'diffrl/node';
import { options, report, table } from './report.js';

const started = performance.now();
const { steps, seeds, K } = options({ steps: 100_000, seeds: 2, K: [1, 4, 8, 16] });
await useBestBackend();

interface Outcome {
  /** Between the policies before and after an update, mean over the second half of training. */
  chainKl: number;
  clipFraction: number;
  return: number;
}

async function run(
  count: number,
  clipScaling: ClipScaling,
  updateScaling: UpdateScaling,
  seed: number,
): Promise<Outcome> {
  const env = await SyncVectorEnv.create(16, () => new Pendulum());
  const agent = await DiffPpoAgent.create({
    env,
    sampler: dmerlSampler({ steps: count, hidden: [64, 64] }),
    valueHidden: [64, 64],
    clipScaling,
    updateScaling,
    targetChainKl: 1e6,
    gamma: 0.95,
    learningRate: 1e-3,
    seed,
  });
  const training = new TrainingRun({ agent, env, seed });
  const [kls, clipped]: [number[], number[]] = [[], []];
  while (training.step < steps) {
    const { metrics } = await training.advance();
    if (metrics.chainKl === undefined || training.step < steps / 2) continue;
    kls.push(metrics.chainKl as number);
    clipped.push(metrics.clipFraction as number);
  }
  const { mean: value } = await evaluate({ agent, env: new Pendulum(), episodes: 20 });
  agent.dispose();
  return { chainKl: mean(kls), clipFraction: mean(clipped), return: value };
}

const rows: (string | number)[][] = [];
const curves: { label: string; kl: number[]; returns: number[] }[] = [];
for (const updateScaling of ['minibatches', 'none'] as const) {
  for (const clipScaling of ['none', 'sqrtK', 'linearK'] as const) {
    const curve = {
      label: `clip ${clipScaling}, updates ${updateScaling}`,
      kl: [] as number[],
      returns: [] as number[],
    };
    for (const count of K) {
      const outcomes: Outcome[] = [];
      for (let seed = 0; seed < seeds; seed++) outcomes.push(await run(count, clipScaling, updateScaling, seed));
      const of = (name: keyof Outcome) => mean(outcomes.map((outcome) => outcome[name]));
      rows.push([count, clipScaling, updateScaling, of('chainKl'), of('clipFraction'), of('return')]);
      curve.kl.push(of('chainKl'));
      curve.returns.push(of('return'));
    }
    curves.push(curve);
  }
}

const x = K.map(Math.log2);
const plot = (y: (curve: (typeof curves)[number]) => number[], title: string) =>
  figure(
    curves.map((curve, i) => line({ x, y: y(curve), label: curve.label, dashed: i >= 3 })),
    { title, xLabel: 'log2 K', width: 560, height: 460 },
  );
await report(
  'ppoScaling',
  started,
  [
    `DiffPPO on Pendulum, 16 environments, ${steps} steps, ${seeds} seeds.`,
    table(['K', 'clip scaling', 'update scaling', 'chain KL of an update', 'clipped', 'return'], rows),
  ],
  panels(
    [plot(({ kl }) => kl.map(Math.log10), 'log10 chain KL of an update'), plot(({ returns }) => returns, 'return')],
    {
      title: 'DiffPPO against K',
    },
  ),
);
