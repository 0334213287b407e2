import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import {
  type Agent,
  agentClasses,
  Box,
  CheckpointError,
  DimeAgent,
  EulerMaruyamaSampler,
  linearDecay,
  linearSchedule,
  loadAgent,
  logVariance,
  Pendulum,
  SacAgent,
  stepNetwork,
  train,
} from 'diffrl';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeOptions, encodeOptions } from '../../src/agents/optionsJson.js';
import { type OptionTable, readOptions } from '../../src/options.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'diffrl-'));
});
afterEach(() => rm(folder, { recursive: true }));

const network = stepNetwork({ hidden: [16], timeSize: 8 });
const small = { compile: false, warmupSteps: 6, batchSize: 8 };
const dime = (options = {}) =>
  DimeAgent.create({
    env: new Pendulum(),
    ...small,
    seed: 3,
    criticHidden: [16],
    gamma: 0.9,
    support: { min: -50, max: 10, atoms: 11 },
    actorLearningRate: linearDecay({ from: 1e-3, to: 1e-4, over: 100 }),
    sampler: new EulerMaruyamaSampler({ schedule: linearSchedule({ steps: 3 }), divergence: logVariance, network }),
    ...options,
  });

/** Trained a little, saved, and disposed of; what is left is its state. */
async function saved(agent: Agent): Promise<object> {
  await train({ agent, env: new Pendulum({ maxEpisodeSteps: 5 }), steps: 10 });
  await agent.save(folder);
  const state = await agent.state();
  agent.dispose();
  await settled();
  return state;
}

/** Until disposals, which are queued, are done. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 20));

describe('loadAgent', () => {
  it.each(Object.entries(agentClasses))('the defaults of %s go through a file', (name, Class) => {
    const { options } = Class as unknown as { options: OptionTable };
    const values = readOptions(name, {}, options);
    const file = JSON.parse(JSON.stringify(encodeOptions(values)));
    const read = readOptions(name, decodeOptions(file, {}, name), options);
    expect(encodeOptions(read)).toEqual(encodeOptions(values));
  });

  it.each([
    ['DIME with a schedule, a divergence, a network and a rate of its own', () => dime()],
    ['SAC', () => SacAgent.create({ env: new Pendulum(), ...small, hidden: [16] })],
  ])('makes the same agent again without being told an option: %s', async (_, make) => {
    const state = await saved(await make());
    const tensors = tf.memory().numTensors;
    const agent = await loadAgent(folder, { options: { compile: false } });
    expect(await agent.state()).toEqual(state);
    expect(agent.actionSpace).toEqual(new Pendulum().actionSpace);
    expect(agent.observationSpace).toEqual(new Pendulum().observationSpace);

    // Both learn the same from here on.
    const again = await make();
    await again.restore(folder);
    for (const one of [agent, again]) await one.update();
    expect(await agent.state()).toEqual(await again.state());
    for (const one of [agent, again]) one.dispose();
    await settled();
    expect(tf.memory().numTensors).toBe(tensors);
  });

  it('asks by name for what a file cannot hold', async () => {
    class OwnSampler extends EulerMaruyamaSampler {}
    const state = await saved(await dime({ sampler: new OwnSampler({ steps: 2, network }) }));
    await expect(DimeAgent.load(folder)).rejects.toThrow(
      /option sampler was a OwnSampler, which is not of this library. Say how to make one: custom: \{ OwnSampler/,
    );
    const custom = { OwnSampler: (options: object) => new OwnSampler(options) };
    const agent = await DimeAgent.load(folder, { custom, options: { compile: false } });
    expect(agent.sampler).toBeInstanceOf(OwnSampler);
    expect(await agent.state()).toEqual(state);
    agent.dispose();
  });

  it('takes in its place what is handed in, and refuses what does not fit', async () => {
    const rate = () => tf.scalar(1e-3);
    await saved(await dime({ criticLearningRate: rate }));
    await expect(loadAgent(folder)).rejects.toThrow(
      /option criticLearningRate was the function rate.*Hand it in again/,
    );
    const agent = await loadAgent(folder, { options: { criticLearningRate: rate, compile: false } });
    agent.dispose();
    await settled();
    const tensors = tf.memory().numTensors;
    const options = { criticLearningRate: rate, criticHidden: [8], compile: false };
    await expect(loadAgent(folder, { options })).rejects.toThrow(CheckpointError);
    await settled();
    expect(tf.memory().numTensors).toBe(tensors);
    await expect(SacAgent.load(folder)).rejects.toThrow(/belongs to a DimeAgent/);
  });

  it('tells agents of other spaces and options apart', async () => {
    await saved(await dime());
    const other = await dime({ gamma: 0.95 });
    await expect(other.restore(folder)).rejects.toThrow(/gamma 0.9 instead of 0.95/);
    other.dispose();
    const wide = await DimeAgent.create({
      env: { observationSpace: new Pendulum().observationSpace, actionSpace: Box.uniform(1, -1, 1) },
      ...small,
    });
    await expect(wide.restore(folder)).rejects.toThrow(/spaces .* instead of/);
    wide.dispose();
  });
});
