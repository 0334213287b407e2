import * as tf from '@tensorflow/tfjs-core';
import { DimeAgent, EulerMaruyamaSampler, type Metrics, Rng, type SamplerSizes, TimeConditionedMlp } from 'diffrl';
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

  it('an agent acts as on the processor, also after its weights have changed', async () => {
    const env = { observationSpace: Box.uniform(3, -1, 1), actionSpace: Box.uniform(2, -1, 1) };
    const run = async (device: 'cpu' | 'gpu') => {
      const agent = await DimeAgent.create({
        ...{ env, criticHidden: [4], bufferCapacity: 8, compile: { device } },
        sampler: new EulerMaruyamaSampler({ steps: 2 }),
      });
      const first = await agent.act(Float32Array.of(1, 0, -1));
      for (const weight of Object.values(agent.sampler.variables)) weight.assign(tf.tidy(() => tf.mul(weight, 0.5)));
      const second = await agent.act(Float32Array.of(1, 0, -1));
      agent.dispose();
      return [...first.actions, ...second.actions];
    };
    const [cpu, gpu] = [await run('cpu'), await run('gpu')];
    gpu.forEach((value, i) => void expect(value).toBeCloseTo(cpu[i]!, 3));
    expect(gpu[0]).not.toBeCloseTo(gpu[2]!, 3);
  });

  it('an agent learns as on the processor, and what it learnt is saved', async () => {
    const env = { observationSpace: Box.uniform(3, -1, 1), actionSpace: Box.uniform(2, -1, 1) };
    const rng = Rng.fromSeed(0);
    const batch = {
      ...{ observations: rng.normals(3 * 8), actions: rng.normals(2 * 8).map(Math.tanh), rewards: rng.normals(8) },
      ...{ nextObservations: rng.normals(3 * 8), terminated: new Float32Array(8), truncated: new Float32Array(8) },
    };
    const network = (rng: Rng, sizes: SamplerSizes) =>
      new TimeConditionedMlp(rng, { ...sizes, hidden: [8, 8], timeSize: 8, lastKernel: 'normal' });
    const run = async (device: 'cpu' | 'gpu') => {
      const agent = await DimeAgent.create({
        ...{ env, batchSize: 8, policyDelay: 1, criticHidden: [8], bufferCapacity: 8, compile: { device } },
        sampler: new EulerMaruyamaSampler({ steps: 2, network }),
      });
      const metrics: Metrics[] = [];
      for (let i = 0; i < 3; i++) metrics.push(await agent.learn(batch));
      const state = await agent.state();
      agent.dispose();
      return { metrics, state };
    };
    const [cpu, gpu] = [await run('cpu'), await run('gpu')];
    cpu.metrics.forEach((expected, i) => {
      for (const [name, value] of Object.entries(expected)) {
        expect(Math.abs(gpu.metrics[i]![name]! - value), name).toBeLessThan(1e-3 * Math.max(1, Math.abs(value)));
      }
    });
    for (const [name, { data }] of Object.entries(cpu.state)) {
      data.forEach((value, i) => {
        expect(Math.abs(Number(gpu.state[name]!.data[i]) - Number(value)), name).toBeLessThan(2e-3);
      });
    }
  });
});
