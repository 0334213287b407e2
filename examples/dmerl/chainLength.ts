/**
 * What do more diffusion steps K buy? DiffSAC, everything else equal, against environment steps (not diffusion steps).
 *
 *     npx tsx examples/dmerl/chainLength.ts [--steps 50000] [--seeds 0,1,2] [--K 5,10,20] [--env HalfCheetah-v5] [--envs 5]
 *
 * Minutes instead of hours: `--env Pendulum --envs 1 --steps 5000`.
 */
import {
  DiffSacAgent,
  dmerlSampler,
  evaluation,
  figure,
  line,
  mean,
  Pendulum,
  SyncVectorEnv,
  std,
  train,
} from 'diffrl';
import { type MujocoId, makeMujoco } from 'diffrl/mujoco';
import { useBestBackend } from 'diffrl/node';
import { options, report, table } from './report.js';

const started = performance.now();
const { steps, seeds, K, env, envs } = options({
  steps: 50_000,
  seeds: [0, 1, 2],
  K: [5, 10, 20],
  env: 'HalfCheetah-v5',
  envs: 5,
});
await useBestBackend();

const CHECKPOINTS = 10;
const isPendulum = env === 'Pendulum';
const makeEnv = async () => (isPendulum ? new Pendulum() : makeMujoco(env as MujocoId));
const width = isPendulum ? 128 : 256;
const rates = isPendulum
  ? { actorLearningRate: 1e-3, criticLearningRate: 3e-3, targetRate: 0.05 }
  : { actorLearningRate: 3e-4, criticLearningRate: 1e-3, targetRate: 0.01 };

interface Run {
  /** Mean return of five episodes at every checkpoint. */
  returns: number[];
  seconds: number;
}

async function run(count: number, seed: number): Promise<Run> {
  const environments = await SyncVectorEnv.create(envs, makeEnv);
  const agent = await DiffSacAgent.create({
    env: environments,
    sampler: dmerlSampler({ steps: count, hidden: [width, width] }),
    criticHidden: [width, width],
    batchSize: width,
    warmupSteps: steps / 10,
    gamma: isPendulum ? 0.95 : 0.99,
    ...rates,
    seed,
  });
  const start = performance.now();
  const callbacks = [evaluation({ env: await makeEnv(), every: steps / CHECKPOINTS, episodes: 5 })];
  const { history } = await train({ agent, env: environments, steps, seed, callbacks });
  const returns = history.evaluations.map((result) => result.mean);
  const seconds = (performance.now() - start) / 1000;
  console.error(`K = ${count}, seed ${seed}: return ${returns.at(-1)?.toFixed(0)}, ${seconds.toFixed(0)} s`);
  agent.dispose();
  return { returns, seconds };
}

const checkpoints = Array.from({ length: CHECKPOINTS }, (_, i) => ((i + 1) * steps) / CHECKPOINTS);
const shown = [1, 3, 5, 7, 9];
const rows: (string | number)[][] = [];
const curves = [];
for (const count of K) {
  const runs: Run[] = [];
  for (const seed of seeds) runs.push(await run(count, seed));
  const at = (i: number) => runs.map(({ returns }) => returns[i] as number);
  const centre = checkpoints.map((_, i) => mean(at(i)));
  const spread = checkpoints.map((_, i) => std(at(i)));
  const cells = shown.map((i) => `${centre[i]?.toFixed(0)} +- ${spread[i]?.toFixed(0)}`);
  rows.push([count, ...cells, mean(centre), mean(runs.map(({ seconds }) => seconds))]);
  const band = { low: centre.map((y, i) => y - spread[i]!), high: centre.map((y, i) => y + spread[i]!) };
  curves.push(line({ x: checkpoints, y: centre, band, label: `K = ${count}` }));
}

await report(
  'chainLength',
  started,
  [
    `DiffSAC on ${env}, ${envs} environments, seeds ${seeds}: return after environment steps, mean +- deviation over seeds.`,
    table(['K', ...shown.map((i) => `${checkpoints[i]}`), 'mean of the curve', 'seconds a run'], rows),
  ],
  figure(curves, { title: `DiffSAC on ${env}`, xLabel: 'environment steps', yLabel: 'return' }),
);
