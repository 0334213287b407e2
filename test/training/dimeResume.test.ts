import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { DimeAgent, EulerMaruyamaSampler, evaluation, Pendulum, TimeConditionedMlp, train } from 'diffrl';
import { expect, it } from 'vitest';

const makeAgent = (compile: boolean, seed: number) =>
  DimeAgent.create({
    env: new Pendulum(),
    seed,
    compile,
    warmupSteps: 10,
    batchSize: 16,
    criticHidden: [16, 16],
    sampler: new EulerMaruyamaSampler({
      steps: 2,
      network: (rng, sizes) => new TimeConditionedMlp(rng, { ...sizes, hidden: [16, 16], timeSize: 16 }),
    }),
  });

it.each([false, true])(
  'DIME, compiled %s: 40 steps equal 25, saved, loaded, and the rest, bit for bit',
  async (compile) => {
    const folder = await mkdtemp(join(tmpdir(), 'diffrl-'));
    const tensors = tf.memory().numTensors;
    const options = () => ({
      env: new Pendulum({ maxEpisodeSteps: 9 }),
      callbacks: [evaluation({ env: new Pendulum({ maxEpisodeSteps: 9 }), every: 10, episodes: 1 })],
    });
    const whole = await makeAgent(compile, 1);
    const uninterrupted = await train({ agent: whole, steps: 40, ...options() });

    const before = await makeAgent(compile, 1);
    await (await train({ agent: before, steps: 25, ...options() })).run.save(folder);
    const after = await makeAgent(compile, 2);
    const resumed = await train({ agent: after, steps: 40, resume: folder, ...options() });

    expect(await after.state()).toEqual(await whole.state());
    expect(await resumed.run.state()).toEqual(await uninterrupted.run.state());
    for (const agent of [whole, before, after]) agent.dispose();
    expect(tf.memory().numTensors).toBe(tensors);
    await rm(folder, { recursive: true });
  },
);
