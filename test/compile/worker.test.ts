import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { ArgumentError, DimeAgent, EulerMaruyamaSampler, Rng, type StateDict } from 'diffrl';
import { compile } from 'diffrl/compile';
import { expect, it } from 'vitest';
import { env } from '../agents/fixtures.js';

const rng = Rng.fromSeed(0);
const rows = 32;
const batch = {
  observations: rng.normals(3 * rows),
  actions: rng.normals(2 * rows).map(Math.tanh),
  rewards: rng.normals(rows),
  nextObservations: rng.normals(3 * rows),
  terminated: new Float32Array(rows),
  truncated: new Float32Array(rows),
};

const create = (worker: boolean, width = 32) =>
  DimeAgent.create({
    ...{ env, batchSize: rows, policyDelay: 1, criticHidden: [width, width], bufferCapacity: 1 },
    ...{ sampler: new EulerMaruyamaSampler({ steps: 2 }), compile: { worker } },
  });

/** Of all bits. */
function digest(state: StateDict): string {
  const hash = createHash('sha256');
  for (const [name, { data }] of Object.entries(state)) {
    hash.update(name).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
}

it('an agent learns and acts the same bit for bit', async () => {
  const agents = await Promise.all([create(false), create(true)]);
  const [here, there] = await Promise.all(
    agents.map(async (agent) => {
      const metrics = [];
      for (let i = 0; i < 3; i++) metrics.push(await agent.learn(batch));
      const { actions } = await agent.act(batch.observations, { explore: false });
      const state = digest(await agent.state());
      for (let i = 0; i < 2; i++) metrics.push(await agent.learn(batch));
      agent.dispose();
      return { metrics, actions, state };
    }),
  );
  expect(there).toEqual(here);
});

it('timers go on during an update', async () => {
  const agent = await create(true, 512);
  await agent.learn(batch);
  let [ticks, updating] = [0, true];
  const ticking = (async () => {
    for (; updating; ticks++) await sleep(1);
  })();
  for (let i = 0; i < 10; i++) await agent.learn(batch);
  updating = false;
  await ticking;
  expect(ticks).toBeGreaterThan(20);
  agent.dispose();
});

it('eager code, functions in this thread and functions in the worker share variables', async () => {
  const counter = tf.variable(tf.tensor1d([1, 2, 3]));
  const step = (by: tf.Tensor) => {
    counter.assign(tf.add(counter, by));
    return { total: tf.sum(counter), by };
  };
  const [here, there] = [compile(step), compile(step, { worker: true })];
  const one = tf.scalar(1);
  for (let i = 0; i < 3; i++) {
    tf.dispose(await there(one));
    expect([...counter.dataSync()]).toEqual([1, 2, 3].map((x) => x + 3 * i + 1));
    tf.dispose(await here(one));
    counter.assign(tf.tidy(() => tf.add(counter, 1) as tf.Tensor1D));
  }
  const { total } = await there(one);
  expect((await total.data())[0]).toBe(6 + 3 * 10);
  await Promise.all([here.dispose(), there.dispose()]);
});

it('variables outlive the thread that computed them, which ends with its last function', async () => {
  const [kept, other] = [tf.variable(tf.scalar(1)), tf.variable(tf.scalar(10))];
  const plusOne = (variable: tf.Variable) =>
    compile(
      () => {
        variable.assign(tf.add(variable, 1));
        return { done: tf.scalar(0) };
      },
      { worker: true, outputs: 'arrays' },
    );
  const first = plusOne(kept);
  await first();
  await first.dispose();
  const second = plusOne(other);
  await second();
  const sum = compile(() => tf.add(tf.mul(kept, 100), other), { worker: true, outputs: 'arrays' });
  expect([...(await sum()).data]).toEqual([211]);
  await Promise.all([second.dispose(), sum.dispose()]);
  const third = plusOne(kept);
  await Promise.all([third(), third()]);
  expect(kept.dataSync()[0]).toBe(4);
  await third.dispose();
});

it('memory comes back after dispose', async () => {
  // The allocator of Linux keeps what is freed unless it is told otherwise.
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--expose-gc', '--import', './scripts/registerTsx.mjs', 'test/compile/workerMemory.ts'],
    { env: { ...process.env, MALLOC_MMAP_THRESHOLD_: '131072', NODE_OPTIONS: '' } },
  );
  const { before, running, after } = JSON.parse(stdout);
  expect(running - before).toBeGreaterThan(150);
  expect(after - before).toBeLessThan(60);
});

it('a refused result leaves variables as they were', async () => {
  const weight = tf.variable(tf.scalar(1));
  const options = {
    worker: true,
    accept: ({ value }: { value: tf.Tensor }) => {
      if (value.dataSync()[0]! > 3) throw new Error('too large');
    },
  };
  const double = compile((factor: tf.Tensor) => {
    weight.assign(tf.mul(weight, factor));
    return { value: weight };
  }, options as never);
  await double(tf.scalar(2));
  await expect(double(tf.scalar(2))).rejects.toThrow('too large');
  expect(weight.dataSync()[0]).toBe(2);
  await double(tf.scalar(1.5));
  expect(weight.dataSync()[0]).toBe(3);
  await double.dispose();
});

it('says what does not go together, and what a session does not take', async () => {
  expect(() => compile((x: tf.Tensor) => x, { worker: true, device: 'gpu' })).toThrow(ArgumentError);
  const wrong = { worker: true, sessionOptions: { graphOptimizationLevel: 'most' } };
  await expect(compile((x: tf.Tensor) => tf.add(x, 1), wrong)(tf.scalar(1))).rejects.toThrow(
    'does not accept the graph',
  );
});
