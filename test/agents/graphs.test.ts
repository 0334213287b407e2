import { agentClasses, Rng } from 'diffrl';
import { expect, it } from 'vitest';
import { loggedAs } from '../../src/training/loggers/metricNames.js';
import { watchedRuntime } from '../compile/models.js';
import { env } from './fixtures.js';

/** Sizes that make an agent update within a few steps, where its defaults do not. */
const SMALL: Record<string, object> = {
  default: { batchSize: 8, criticHidden: [8] },
  sac: { batchSize: 8, hidden: [8] },
  td3: { batchSize: 8, hidden: [8] },
  diffppo: { rolloutSteps: 8, epochs: 1 },
  bro: { batchSize: 8, criticWidth: 8, actorWidth: 8, updatesPerTransition: 0.25 },
  ppo: { rolloutSteps: 8, epochs: 1 },
  dppo: { rolloutSteps: 8, epochs: 1 },
};
const ROWS = 4;

/** Lets an agent act, observe and learn until all its graphs are there. */
async function graphsOf(name: string): Promise<string> {
  const { runtime, models } = watchedRuntime();
  const agent = await agentClasses[name]!.create({ env, compile: { runtime }, ...(SMALL[name] ?? SMALL.default) });
  const rng = Rng.fromSeed(0);
  const metrics = new Set<string>();
  let observations = rng.normals(3 * ROWS);
  for (let i = 0; i < 8; i++) {
    const decision = await agent.act(observations);
    const nextObservations = rng.normals(3 * ROWS);
    const [terminated, truncated] = [new Uint8Array(ROWS), new Uint8Array(ROWS)];
    const rewards = rng.normals(ROWS);
    const { actions } = decision;
    agent.observe({ observations, actions, rewards, nextObservations, terminated, truncated }, decision);
    for (const metric of Object.keys(await agent.update())) metrics.add(metric);
    observations = nextObservations;
  }
  agent.dispose();
  expect(
    [...metrics].filter((metric) => !Object.hasOwn(loggedAs, metric)),
    'metrics without a name in logs',
  ).toEqual([]);
  const print = ({ title, operators }: (typeof models)[number]) =>
    `${title}\n  ${Object.entries(operators)
      .map((entry) => entry.join(' '))
      .join(', ')}`;
  return models.map(print).join('\n');
}

/** If a change is meant: `npx vitest run test/agents/graphs.test.ts -u`, and look at the difference. */
it.each(Object.keys(agentClasses))('the graphs of %s are as they were', async (name) => {
  expect(await graphsOf(name)).toMatchSnapshot();
});
