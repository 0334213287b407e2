/**
 * Where do policies go that may choose among four equally good goals? Trains DIME and a Gaussian policy, everything
 * else equal, and draws 60 runs of each into runs/multiGoal.svg. Run: npx tsx examples/multiGoal.ts [--steps 5000]
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import {
  DimeAgent,
  EulerMaruyamaSampler,
  type Figure,
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
  options: { steps: { type: 'string', default: '5000' }, out: { type: 'string', default: 'runs/multiGoal.svg' } },
});

/** Moving is cheap enough to try everything. */
const makeEnv = () => new MultiGoal({ actionCost: 10 });

async function learn(sampler: Sampler): Promise<DimeAgent> {
  const env = makeEnv();
  const agent = await DimeAgent.create({
    env,
    sampler,
    criticHidden: [256, 256],
    support: { min: -400, max: 200 },
    temperature: 10,
    temperatureLearningRate: 0,
    warmupSteps: 1000,
    updatesPerTransition: 1,
    actorLearningRate: 1e-3,
    criticLearningRate: 1e-3,
  });
  await train({ agent, env, steps: Number(values.steps), callbacks: [progressBar()] });
  return agent;
}

/** The positions of one episode. */
async function run(agent: DimeAgent, seed: number): Promise<{ x: number[]; y: number[] }> {
  const env = makeEnv();
  let { observation } = env.reset({ seed });
  const places = [observation];
  for (let done = false; !done; ) {
    const result = env.step((await agent.act(observation)).actions);
    observation = result.observation;
    places.push(observation);
    done = result.terminated || result.truncated;
  }
  return { x: places.map((place) => place[0]!), y: places.map((place) => place[1]!) };
}

/** Pixels to a unit of the plane, so that the ring around a goal is where runs end. */
const UNIT = 25;

/** Draws the runs, and prints how many arrived at each goal. */
async function drawRuns(name: string, agent: DimeAgent): Promise<Figure> {
  const env = makeEnv();
  const runs = await Promise.all(Array.from({ length: 60 }, (_, seed) => run(agent, seed)));
  const counts = env.goals.map(() => 0);
  for (const { x, y } of runs) {
    const { index, distance } = env.nearestGoal([x.at(-1)!, y.at(-1)!]);
    if (distance < 1) counts[index]! += 1;
  }
  console.log(`${name.padEnd(16)} of ${runs.length} runs arrived at each goal: ${counts.join(', ')}`);
  const paths = runs.map(({ x, y }) => line({ x, y, color: '#4c78a8', width: 1, opacity: 0.5 }));
  const [x, y] = [env.goals.map((goal) => goal[0]), env.goals.map((goal) => goal[1])];
  const goals = scatter({ x, y, color: '#e45756', symbol: 'ring', radius: UNIT, label: 'goals' });
  return figure([...paths, goals], { title: name, x: [-7, 7], y: [-7, 7], equalAspect: true, width: 420, height: 440 });
}

const pictures = [
  await drawRuns('Diffusion policy', await learn(new EulerMaruyamaSampler({ steps: 8 }))),
  await drawRuns('Gaussian policy', await learn(new GaussianSampler())),
];
await mkdir(dirname(values.out), { recursive: true });
await writeFile(values.out, panels(pictures).svg);
console.log(values.out);
