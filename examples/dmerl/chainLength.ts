/**
 * What do more diffusion steps K buy? DiffSAC on Pendulum, everything else equal, against environment steps (not diffusion
 * steps). On HalfCheetah-v5: `npx tsx bench/learning.ts diffsac-5-steps`, `diffsac-10-steps` and `diffsac-20-steps`.
 *
 *     npx tsx examples/dmerl/chainLength.ts [--steps 5000] [--seeds 0,1,2] [--K 5,10,20]
 */
import { createAgent, evaluation, figure, line, mean, Pendulum, presetFor, std, train } from 'diffrl';
import { useBestBackend } from 'diffrl/node';
import { options, report, table } from './report.js';

const started = performance.now();
const { steps, seeds, K } = options({ steps: 5000, seeds: [0, 1, 2], K: [5, 10, 20] });
await useBestBackend();

const CHECKPOINTS = 10;
const preset = presetFor('diffsac', 'Pendulum-v1').options;

interface Run {
  /** Mean return of five episodes at every checkpoint. */
  returns: number[];
  seconds: number;
}

async function run(count: number, seed: number): Promise<Run> {
  const env = new Pendulum();
  const sampler = { steps: count, hidden: [128, 128] };
  const agent = await createAgent('diffsac', { env, seed }, { ...preset, sampler });
  const start = performance.now();
  const callbacks = [evaluation({ env: new Pendulum(), every: steps / CHECKPOINTS, episodes: 5 })];
  const { history } = await train({ agent, env, steps, seed, callbacks });
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
  const cells = shown.map((i) => `${centre[i]?.toFixed(0)} ± ${spread[i]?.toFixed(0)}`);
  rows.push([count, ...cells, mean(centre), mean(runs.map(({ seconds }) => seconds))]);
  const band = { low: centre.map((y, i) => y - spread[i]!), high: centre.map((y, i) => y + spread[i]!) };
  curves.push(line({ x: checkpoints, y: centre, band, label: `K = ${count}` }));
}

await report(
  'chainLength',
  started,
  [
    `DiffSAC on Pendulum, seeds ${seeds}: return after environment steps, mean ± deviation over seeds.`,
    table(['K', ...shown.map((i) => `${checkpoints[i]}`), 'mean of the curve', 'seconds a run'], rows),
  ],
  figure(curves, { title: 'DiffSAC on Pendulum', xLabel: 'environment steps', yLabel: 'return' }),
);
