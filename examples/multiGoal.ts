/**
 * Where do policies go that may choose among four equally good goals? Trains DIME and a Gaussian policy, everything
 * else equal, and draws 60 runs of each into runs/multiGoal.svg. Run: npx tsx examples/multiGoal.ts [--steps 6000]
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import {
  DimeAgent,
  EulerMaruyamaSampler,
  figure,
  GaussianSampler,
  line,
  MultiGoal,
  panels,
  progressBar,
  type Sampler,
  scatter,
  train,
} from 'diffrl';

const { values } = parseArgs({
  options: { steps: { type: 'string', default: '6000' }, out: { type: 'string', default: 'runs/multiGoal.svg' } },
});

async function learn(sampler: Sampler): Promise<DimeAgent> {
  const env = new MultiGoal();
  const agent = await DimeAgent.create({
    env,
    sampler,
    criticHidden: [256, 256],
    support: { min: -800, max: 50 },
    temperature: 10,
    temperatureLearningRate: 0,
    warmupSteps: 1000,
    updatesPerStep: 1,
    actorLearningRate: 1e-3,
    criticLearningRate: 1e-3,
  });
  await train({ agent, env, steps: Number(values.steps), callbacks: [progressBar()] });
  return agent;
}

/** The positions of one episode. */
async function run(agent: DimeAgent, seed: number): Promise<{ x: number[]; y: number[] }> {
  const env = new MultiGoal();
  let { observation } = env.reset({ seed });
  const places = [observation];
  for (let done = false; !done; ) {
    const result = env.step(await agent.act(observation));
    observation = result.observation;
    places.push(observation);
    done = result.terminated || result.truncated;
  }
  return { x: places.map((place) => place[0]!), y: places.map((place) => place[1]!) };
}

/** Draws the runs, and prints how many ended nearest to each goal. */
async function picture(name: string, agent: DimeAgent) {
  const { goals } = new MultiGoal();
  const runs = await Promise.all(Array.from({ length: 60 }, (_, seed) => run(agent, seed)));
  const counts = goals.map(() => 0);
  for (const { x, y } of runs) {
    const distances = goals.map(([goalX, goalY]) => Math.hypot(x.at(-1)! - goalX, y.at(-1)! - goalY));
    counts[distances.indexOf(Math.min(...distances))]! += 1;
  }
  console.log(`${name.padEnd(16)} runs to each goal: ${counts.join(', ')}`);
  const paths = runs.map(({ x, y }) => line({ x, y, color: '#4c78a8', width: 1, opacity: 0.5 }));
  const places = scatter({
    x: goals.map(([x]) => x),
    y: goals.map(([, y]) => y),
    color: '#e45756',
    symbol: 'cross',
    radius: 7,
    label: 'goals',
  });
  return figure([...paths, places], {
    title: name,
    x: [-7, 7],
    y: [-7, 7],
    equalAspect: true,
    width: 420,
    height: 440,
  });
}

const pictures = [
  await picture('Diffusion policy', await learn(new EulerMaruyamaSampler({ steps: 16 }))),
  await picture('Gaussian policy', await learn(new GaussianSampler())),
];
await mkdir('runs', { recursive: true });
await writeFile(values.out, panels(pictures).svg);
console.log(values.out);
