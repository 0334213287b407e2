import * as tf from '@tensorflow/tfjs-core';
import { DimeAgent, EulerMaruyamaSampler, Rng } from 'diffrl';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { compile } from '../../src/compile/index.js';
import { Box } from '../../src/spaces/box.js';
import { whyNoGpu } from './gpu.js';
import { fit } from './pageProgram.js';

const whyNot = await whyNoGpu();
const arrays = { outputs: 'arrays' } as const;
const vector = (...x: number[]) => ({ data: Float32Array.from(x), shape: [x.length] });

afterEach(() => tf.disposeVariables());

describe.skipIf(whyNot)(`on a graphics card by WebGPU${whyNot}`, () => {
  it('training gives the losses and weights of the processor', async () => {
    const onCpu = await fit({});
    const onGpu = await fit({ device: 'gpu' });
    onGpu.losses.forEach((loss, i) => void expect(loss / onCpu.losses[i]!).toBeCloseTo(1, 3));
    expect(onGpu.weight).toBeCloseTo(onCpu.weight, 4);
  });

  it('variables stay there, and whoever reads them gets what they hold', async () => {
    const v = tf.variable(tf.ones([3]));
    const add = (x: tf.Tensor1D) => {
      v.assign(tf.add(v, x));
      return { now: tf.clone(v), total: tf.sum(v) };
    };
    const onGpu = compile(add, { ...arrays, device: 'gpu' });
    const onCpu = compile(add, arrays);
    const { now, total } = await onGpu(vector(1, 2, 3));
    expect([now.data, total.data]).toEqual([Float32Array.of(2, 3, 4), Float32Array.of(9)]);
    expect(() => v.dataSync()).toThrow(/await variable\.data\(\)/);
    expect(() => tf.add(v, 1)).toThrow(/await variable\.data\(\)/);
    expect(await v.data()).toEqual(Float32Array.of(2, 3, 4));
    expect(tf.add(v, 1).dataSync()).toEqual(Float32Array.of(3, 4, 5));

    await onGpu(vector(1, 1, 1));
    expect((await onCpu(vector(10, 0, 0))).now.data).toEqual(Float32Array.of(13, 4, 5));
    expect((await onGpu(vector(0, 0, 1))).now.data).toEqual(Float32Array.of(13, 4, 6));

    const snapshot = tf.clone(v);
    await onGpu(vector(1, 1, 1));
    expect([await snapshot.data(), await v.data()]).toEqual([Float32Array.of(13, 4, 6), Float32Array.of(14, 5, 7)]);
    v.assign(tf.zeros([3]));
    expect((await onGpu(v as tf.Tensor1D)).now.data).toEqual(Float32Array.of(0, 0, 0));
    await onGpu(vector(1, 2, 3));
    expect((await onGpu(v as tf.Tensor1D)).now.data).toEqual(Float32Array.of(2, 4, 6));
  });

  it("device 'auto' measures both, says what it chose, and computes once", async () => {
    const info = vi.spyOn(console, 'info').mockImplementation(() => {});
    const v = tf.variable(tf.ones([3]));
    const count = (x: tf.Tensor1D) => {
      v.assign(tf.add(v, x));
      return tf.sum(v);
    };
    const step = compile(count, { ...arrays, device: 'auto', name: 'count' });
    expect((await step(vector(1, 2, 3))).data[0]).toBe(9);
    expect((await step(vector(1, 2, 3))).data[0]).toBe(15);
    expect(info.mock.calls).toEqual([
      [expect.stringMatching(/count runs on the (cpu|gpu): .* ms on the .* ms on the /)],
    ]);
    info.mockRestore();
  });

  it('nothing is left behind by many calls', async () => {
    const v = tf.tidy(() => tf.variable(tf.zeros([1000])));
    const step = compile((x: tf.Tensor1D) => void v.assign(tf.add(v, x)), { device: 'gpu' });
    const before = tf.memory();
    for (let i = 0; i < 100; i++) await step(vector(1));
    expect((await v.data())[999]).toBe(100);
    expect(tf.memory()).toEqual(before);
  });

  it('an agent acts, learns and is saved as on the processor', async () => {
    const env = { observationSpace: Box.uniform(3, -1, 1), actionSpace: Box.uniform(2, -1, 1) };
    const sizes = { criticHidden: [4], batchSize: 8, support: { min: -2, max: 2, atoms: 5 } };
    const rng = Rng.fromSeed(1);
    const batch = {
      observations: rng.normals(8 * 3),
      actions: rng.uniforms(8 * 2, -1, 1),
      rewards: rng.normals(8),
      nextObservations: rng.normals(8 * 3),
      terminated: new Float32Array(8),
      truncated: new Float32Array(8),
    };
    const run = async (device: 'cpu' | 'gpu') => {
      const agent = await DimeAgent.create({
        ...{ env, ...sizes, bufferCapacity: 8, compile: { device } },
        sampler: new EulerMaruyamaSampler({ steps: 1 }),
      });
      const metrics = [await agent.learn(batch)];
      const { actions } = await agent.act(Float32Array.of(1, 0, -1));
      const state = await agent.state();
      agent.dispose();
      return { metrics, actions, state };
    };
    const [cpu, gpu] = [await run('cpu'), await run('gpu')];
    gpu.metrics.forEach((metrics, i) => {
      for (const [name, value] of Object.entries(metrics)) expect(value, name).toBeCloseTo(cpu.metrics[i]![name]!, 3);
    });
    gpu.actions.forEach((value, i) => void expect(value).toBeCloseTo(cpu.actions[i]!, 3));
    for (const [name, { data }] of Object.entries(gpu.state)) {
      data.forEach((value, i) => void expect(value, name).toBeCloseTo(cpu.state[name]!.data[i]!, 2));
    }
  });
});
