/** What keeps DIME's chain from exploding: one gradient unlike those before it must not move the policy far. */
import { DimeAgent, dimePresets, EulerMaruyamaSampler } from 'diffrl';
import { expect, it } from 'vitest';
import { readVariables } from '../../src/ops/variables.js';
import { env, transitions } from './fixtures.js';

const RATE = 1e-3;
const ROWS = 64;

/** The furthest that any variable of the policy moves (root mean square, in learning rates) in the update after the shock. */
async function furthestMove(options: object): Promise<number> {
  const agent = await DimeAgent.create({
    env,
    ...options,
    sampler: new EulerMaruyamaSampler({ steps: 4 }),
    criticHidden: [32],
    batchSize: ROWS,
    bufferCapacity: ROWS,
    warmupSteps: 0,
    policyDelay: 1,
    actorLearningRate: RATE,
  });
  agent.observe(transitions(0, ROWS), null);
  for (let i = 0; i < 100; i++) await agent.learn();
  const shock = transitions(1, ROWS);
  agent.observe({ ...shock, observations: shock.observations.map((x) => 30 * x) }, null);
  const before = await readVariables(agent.sampler.variables);
  await agent.learn();
  const after = await readVariables(agent.sampler.variables);
  agent.dispose();
  return Math.max(
    ...Object.keys(before).map((name) => {
      const moves = Array.from(after[name]!.data, (x, i) => (x - before[name]!.data[i]!) / RATE);
      return Math.sqrt(moves.reduce((sum, x) => sum + x * x, 0) / moves.length);
    }),
  );
}

it('an update is no longer than its rate after a shock; as released it is many times as long', async () => {
  const [ours, released] = [await furthestMove({}), await furthestMove(dimePresets.released)];
  expect(ours).toBeLessThan(1.5);
  expect(released).toBeGreaterThan(4);
});
