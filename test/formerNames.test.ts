/** Programs written for names of before keep running where that needs no second way to do a thing. */
import { CheckpointError, DimeAgent, EulerMaruyamaSampler, MlpTwinCritic, type Rng, ScoreNetwork } from 'diffrl';
import { expect, it } from 'vitest';
import { env, transitions } from './agents/fixtures.js';

const network = (rng: Rng, sizes: { observationSize: number; actionSize: number }) =>
  new ScoreNetwork(rng, { ...sizes, hidden: [4], timeSize: 4 });
const create = (options = {}) =>
  DimeAgent.create({
    ...{ env, compile: false, batchSize: 4, criticHidden: [4], bufferCapacity: 50, seed: 1 },
    sampler: new EulerMaruyamaSampler({ steps: 2, network }),
    ...options,
  });

it('networks by their former names', () => {
  expect([ScoreNetwork.name, MlpTwinCritic.name]).toEqual(['TimeConditionedMlp', 'TwinCritic']);
});

it('updatesPerStep counts steps of all environments together', async () => {
  const agent = await create({ updatesPerStep: 2 });
  agent.observe(transitions(0, 5));
  await agent.update();
  expect(agent.updates).toBe(2);
  expect(Object.keys(DimeAgent.options)).toContain('updatesPerStep');
});

it('transitions without a decision count as the own actions', async () => {
  const agent = await create();
  agent.observe(transitions(0, 5), null);
  expect(await agent.update()).toEqual({});
  agent.observe(transitions(1, 5));
  await agent.update();
  expect(agent.updates).toBe(10);
});

it('loadState as a method of agents', async () => {
  const [agent, other] = [await create(), await create({ seed: 2 })];
  agent.observe(transitions(0, 5));
  await other.loadState(await agent.state());
  expect(await other.state()).toEqual(await agent.state());
  await expect(other.loadState({})).rejects.toThrow(CheckpointError);
});
