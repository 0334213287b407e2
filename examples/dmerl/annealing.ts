/**
 * Annealing of DiffPPO's temperature on a task whose best action lies far out, behind a wide hump that catches greedy
 * policies: none, constant, and linear at three speeds.
 *
 *     npx tsx examples/dmerl/annealing.ts [--steps 96000] [--seeds 4]
 */
import { DiffPpoAgent, dmerlSampler, figure, line, mean, panels, type TemperatureSetting } from 'diffrl';
import { useBestBackend } from 'diffrl/node';
import { type BanditFacts, banditFacts, banditSpaces, farHump, play } from './bandit.js';
import { options, report, table } from './report.js';

const [ROWS, FROM, TO] = [192, 0.5, 0.02];
const started = performance.now();
const { steps, seeds } = options({ steps: 96_000, seeds: 4 });
await useBestBackend();

const annealed = (share: number, shape: 'linear' | 'exponential' = 'linear') => ({
  anneal: { from: FROM, to: TO, duration: share * steps, shape },
});
const settings: Record<string, TemperatureSetting> = {
  'T = 0': 0,
  'constant 0.02': TO,
  'fast (10 %)': annealed(0.1),
  'medium (50 %)': annealed(0.5),
  'slow (90 %)': annealed(0.9),
  'exponential (90 %)': annealed(0.9, 'exponential'),
};

interface Curve {
  steps: number[];
  reward: number[];
  entropyBound: number[];
}

async function run(temperature: TemperatureSetting, seed: number): Promise<{ facts: BanditFacts; curve: Curve }> {
  const agent = await DiffPpoAgent.create({
    env: banditSpaces,
    sampler: dmerlSampler({ hidden: [64, 64], priorStd: 0.3 }),
    valueHidden: [64, 64],
    temperature,
    gamma: 0,
    rolloutSteps: ROWS,
    scaleRewards: false,
    normaliseObservations: false,
    learningRate: 1e-3,
    epochs: 2,
    seed,
  });
  const curve: Curve = { steps: [], reward: [], entropyBound: [] };
  const observations = new Float32Array(ROWS).fill(0.5);
  for (let step = ROWS; step <= steps; step += ROWS) {
    const decision = await agent.act(observations);
    const played = play(decision.actions, farHump);
    agent.observe(played, decision);
    const { entropyBound } = await agent.update();
    curve.steps.push(step);
    curve.reward.push(mean(played.rewards));
    curve.entropyBound.push(entropyBound as number);
  }
  const facts = await banditFacts(agent, farHump, TO);
  agent.dispose();
  return { facts, curve };
}

const rows: (string | number)[][] = [];
const curves: [string, Curve][] = [];
for (const [name, temperature] of Object.entries(settings)) {
  const runs = [];
  for (let seed = 0; seed < seeds; seed++) runs.push(await run(temperature, seed));
  const facts = runs.map(({ facts }) => facts);
  const last = runs.map(({ curve }) => curve.entropyBound.at(-1) as number);
  rows.push([
    name,
    facts.map(({ right }) => right.toFixed(2)).join(' '),
    mean(facts.map(({ reward }) => reward)),
    mean(facts.map(({ entropy }) => entropy)),
    mean(last),
  ]);
  curves.push([name, averaged(runs.map(({ curve }) => curve))]);
}

function averaged(all: Curve[]): Curve {
  const average = (part: 'reward' | 'entropyBound') =>
    (all[0] as Curve).steps.map((_, i) => mean(all.map((curve) => curve[part][i] as number)));
  return { steps: (all[0] as Curve).steps, reward: average('reward'), entropyBound: average('entropyBound') };
}

const plot = (part: 'reward' | 'entropyBound', title: string) =>
  figure(
    curves.map(([label, curve]) => line({ x: curve.steps, y: curve[part], label })),
    { title, xLabel: 'steps', width: 520 },
  );
await report(
  'annealing',
  started,
  [
    `DiffPPO, K = 8, ${steps} steps, ${seeds} seeds; temperatures from ${FROM} to ${TO}.`,
    table(['temperature', 'share at the far hump, by seed', 'reward', 'entropy', 'path entropy'], rows),
  ],
  panels([plot('reward', 'reward'), plot('entropyBound', 'path entropy (nats)')], { title: 'Annealing' }),
);
