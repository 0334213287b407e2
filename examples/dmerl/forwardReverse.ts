/**
 * Forward against reverse KL divergence, everything else equal: DiffSAC on a one-step task with two equal humps, at
 * several temperatures. Reverse KL seeks modes, forward KL covers them, at the price of importance weights.
 *
 *     npx tsx examples/dmerl/forwardReverse.ts [--steps 4000] [--seeds 3] [--temperatures 0.5,0.2,0.1]
 */
import { DiffSacAgent, dmerlSampler, figure, line, mean, panels, std } from 'diffrl';
import { useBestBackend } from 'diffrl/node';
import { type BanditFacts, banditFacts, banditSpaces, boltzmannFacts, play, randomPlay, twoHumps } from './bandit.js';
import { options, report, table } from './report.js';

const started = performance.now();
const { steps, seeds, temperatures } = options({ steps: 4000, seeds: 3, temperatures: [0.5, 0.2, 0.1] });
await useBestBackend();

/** Trains one agent with `steps` updates on eight actions each. */
async function run(divergence: 'reverse' | 'forward', temperature: number, seed: number): Promise<BanditFacts> {
  const agent = await DiffSacAgent.create({
    env: banditSpaces,
    sampler: dmerlSampler({ hidden: [64, 64] }),
    criticHidden: [128, 128],
    divergence,
    groupSize: 8,
    temperature,
    batchSize: 64,
    gamma: 0,
    targetRate: 0.02,
    actorLearningRate: 1e-3,
    criticLearningRate: 1e-3,
    evaluation: 'sde',
    seed,
  });
  agent.observe(randomPlay(500, twoHumps, seed), null);
  for (let i = 0; i < steps; i++) {
    const decision = await agent.act(new Float32Array(8).fill(0.5));
    agent.observe(play(decision.actions, twoHumps), decision);
    await agent.update();
  }
  const facts = await banditFacts(agent, twoHumps, temperature);
  agent.dispose();
  return facts;
}

const rows: (string | number)[][] = [];
const curves: Record<string, { reward: number[]; distance: number[] }> = {};
for (const divergence of ['reverse', 'forward'] as const) {
  const curve = { reward: [] as number[], distance: [] as number[] };
  curves[divergence] = curve;
  for (const temperature of temperatures) {
    const facts: BanditFacts[] = [];
    for (let seed = 0; seed < seeds; seed++) facts.push(await run(divergence, temperature, seed));
    const of = (name: keyof BanditFacts) => facts.map((fact) => fact[name]);
    const exact = boltzmannFacts(twoHumps, temperature);
    const pair = (name: 'reward' | 'entropy') => `${mean(of(name)).toFixed(3)} (${exact[name].toFixed(3)})`;
    const right = of('right')
      .map((share) => share.toFixed(2))
      .join(' ');
    const distance = `${mean(of('distance')).toFixed(3)} +- ${std(of('distance')).toFixed(3)}`;
    rows.push([divergence, temperature, pair('reward'), pair('entropy'), right, distance]);
    curve.reward.push(mean(of('reward')));
    curve.distance.push(mean(of('distance')));
  }
}

const plot = (name: 'reward' | 'distance', yLabel: string) =>
  figure(
    Object.entries(curves).map(([label, curve]) => line({ x: temperatures, y: curve[name], label: `${label} KL` })),
    { xLabel: 'temperature', yLabel, width: 460 },
  );
await report(
  'forwardReverse',
  started,
  [
    `DiffSAC, K = 8, ${steps} updates of 64 x 8 chains, ${seeds} seeds. In brackets: the Boltzmann distribution.`,
    table(['divergence', 'T', 'reward', 'entropy', 'share right of 0, by seed', 'total variation'], rows),
  ],
  panels([plot('reward', 'reward'), plot('distance', 'total variation from exp(R / T)')], {
    title: 'Forward against reverse KL',
  }),
);
