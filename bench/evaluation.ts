/**
 * What each way of running DIME's chain without exploration gives and costs: one agent is trained, then evaluated in all of them from
 * the same starts.
 *
 *     npx tsx bench/evaluation.ts --env Pendulum-v1 --steps 4000 --seed 0
 *
 *     [--episodes 20]     of each evaluation
 */
import { parseArgs } from 'node:util';
import {
  createAgent,
  type DimeAgent,
  evaluate,
  loadState,
  presetFor,
  progressBar,
  type SamplingMode,
  train,
} from 'diffrl';
import { useBestBackend } from 'diffrl/node';
import { samplingModes } from '../src/diffusion/chain.js';
import { makeEnvironment } from '../src/runs/environment.js';
import { best, machine } from './measure.js';

const { values } = parseArgs({
  options: {
    env: { type: 'string', default: 'Pendulum-v1' },
    steps: { type: 'string', default: '4000' },
    seed: { type: 'string', default: '0' },
    episodes: { type: 'string', default: '20' },
  },
});
const [steps, seed, episodes] = [values.steps, values.seed, values.episodes].map(Number) as [number, number, number];
const makeEnv = () => makeEnvironment('bench/evaluation.ts', values.env);

/** An agent that shows its policy in one way. */
const create = async (evaluation: SamplingMode, evaluationParticles: number) => {
  const options = { ...presetFor('dime', values.env).options, evaluation, evaluationParticles };
  return (await createAgent('dime', { env: await makeEnv(), seed }, options)) as DimeAgent;
};

await useBestBackend();
const trained = await create('sde', 1);
await train({ agent: trained, env: await makeEnv(), steps, seed, callbacks: [progressBar()] });
const state = await trained.state();

console.log(`${values.env}, ${steps} steps, seed ${seed}, ${episodes} episodes; ${machine}\n`);
console.log(
  '| evaluation | particles | return | deviation | time of act, 1 row | 256 rows |\n|---|---|---|---|---|---|',
);
const ways = [...samplingModes.map((mode) => [mode, 1] as const), ['sde', 8] as const, ['sde', 32] as const];
let plain: number[] | undefined;
for (const [mode, particles] of ways) {
  const agent = await create(mode, particles);
  await loadState(agent, state);
  const { mean, std } = await evaluate({ agent, env: await makeEnv(), episodes, seed: 1000 });
  const rows = (count: number) => new Float32Array(count * agent.sampler.sizes.observationSize).fill(0.1);
  const times: number[] = [];
  for (const count of [1, 256]) times.push(await best(() => agent.act(rows(count), { explore: false }), 300));
  plain ??= times;
  const ratios = times.map((time, i) => `${(time / (plain as number[])[i]!).toFixed(1)}x`);
  console.log(`| ${[mode, particles, mean.toFixed(0), std.toFixed(0), ...ratios].join(' | ')} |`);
  agent.dispose();
}
process.exit(0);
