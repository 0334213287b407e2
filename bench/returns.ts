/**
 * Returns of DIME on small tasks over several seeds, with the quickstart's settings.
 * Run: npx tsx bench/returns.ts --env InvertedPendulum-v5 --steps 3000 --seeds 5   (or --env Pendulum)
 */
import { parseArgs } from 'node:util';
import { DimeAgent, EulerMaruyamaSampler, evaluate, mean, Pendulum, std, train } from 'diffrl';
import { makeMujoco } from 'diffrl/mujoco';

const { values } = parseArgs({
  options: {
    env: { type: 'string', default: 'InvertedPendulum-v5' },
    steps: { type: 'string', default: '3000' },
    seeds: { type: 'string', default: '5' },
  },
});
const isPendulum = values.env === 'Pendulum';
const makeEnv = async () => (isPendulum ? new Pendulum() : makeMujoco('InvertedPendulum-v5'));

const returns: number[] = [];
for (let seed = 0; seed < Number(values.seeds); seed++) {
  const env = await makeEnv();
  const agent = await DimeAgent.create({
    env,
    seed,
    sampler: new EulerMaruyamaSampler({ steps: 8 }),
    criticHidden: [256, 256],
    support: isPendulum ? { min: -600, max: 20 } : { min: -10, max: 110 },
    temperature: isPendulum ? 1 : 0.1,
    warmupSteps: 500,
    updatesPerStep: 1,
    actorLearningRate: 1e-3,
    criticLearningRate: 1e-3,
  });
  const start = performance.now();
  await train({ agent, env, steps: Number(values.steps), seed });
  const seconds = (performance.now() - start) / 1000;
  const result = await evaluate({ agent, env: await makeEnv(), episodes: 5, seed: 1000 });
  console.log(`seed ${seed}: mean return of 5 episodes ${result.mean.toFixed(1)}, trained in ${seconds.toFixed(0)} s`);
  returns.push(result.mean);
  agent.dispose();
}
console.log(
  `${values.env}, ${values.steps} steps: ${mean(returns).toFixed(1)} +- ${std(returns).toFixed(1)} over ${returns.length} seeds`,
);
