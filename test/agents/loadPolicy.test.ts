import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ArgumentError,
  Box,
  BroAgent,
  CrossQAgent,
  encodeOnnx,
  loadPolicy,
  PpoAgent,
  Rng,
  RunningMoments,
  readPolicyMetadata,
  SacAgent,
  Td3Agent,
  WpoAgent,
} from 'diffrl';
import * as ort from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectClose } from '../close.js';

let agent: SacAgent;
beforeAll(async () => {
  const env = { observationSpace: Box.uniform(3), actionSpace: new Box([-2, 0], [2, 5]) };
  agent = await SacAgent.create({ env, hidden: [8] });
});
afterAll(() => agent.dispose());

describe('a policy from a file', () => {
  it('needs nothing but the file, and acts in its own units whatever the number of observations', async () => {
    const about = { task: 'Walk', mjcf: '<mujoco/>', settings: { frameSkip: 4 } };
    const bytes = await encodeOnnx(agent, { rows: 2, observationNames: ['x', 'y', 'angle'], about });
    const path = join(await mkdtemp(join(tmpdir(), 'diffrl-')), 'policy.onnx');
    await writeFile(path, bytes);
    const policy = await loadPolicy(path);
    expect(policy.metadata).toMatchObject({ agent: 'SAC', rows: 2, observationNames: ['x', 'y', 'angle'], ...about });
    expect(policy.actionSpace.high).toEqual(agent.actionSpace.high);
    expect(policy.observationSpace.low[0]).toBe(-Infinity);

    const observations = Rng.fromSeed(1).normals(9);
    const actions = await policy.act(observations);
    const { noiseShape } = policy.metadata;
    const size = noiseShape.reduce((a, b) => a * b);
    const noise = Rng.fromSeed(0).split('policy').normals(size);
    const session = await ort.InferenceSession.create(bytes);
    const { action } = await session.run({
      observation: new ort.Tensor('float32', observations.slice(0, 6), [2, 3]),
      noise: new ort.Tensor('float32', noise, noiseShape),
    });
    expect(actions).toHaveLength(6);
    expectClose(actions.subarray(0, 4), action!.data as Float32Array, 1e-6);
    for (let i = 0; i < 3; i++) expect(policy.actionSpace.contains(actions.subarray(2 * i, 2 * i + 2))).toBe(true);
    await expect(policy.act(new Float32Array(4))).rejects.toThrow(/rows of 3 numbers, got 4/);
    await expect(policy.act(Float32Array.of(1, NaN, 0))).rejects.toThrow(/must be finite/);
    await policy.dispose();
  });

  it.each([SacAgent, CrossQAgent, WpoAgent, BroAgent, PpoAgent, Td3Agent])(
    'plays the mean, as %o does without exploring',
    async ({ create }) => {
      const env = { observationSpace: Box.uniform(3), actionSpace: new Box([-2, 0], [2, 5]) };
      const own = await create({ env });
      const policy = await loadPolicy(await encodeOnnx(own));
      const observation = Float32Array.of(1, 0, 0.5);
      const { actions } = await own.act(observation, { explore: false });
      for (let i = 0; i < 2; i++) expectClose(await policy.act(observation), actions, 1e-5);
      await policy.dispose();
      own.dispose();
    },
  );

  it('has the observation normaliser inside, and tells of it', async () => {
    const moments = new RunningMoments(3);
    moments.add(Rng.fromSeed(3).normals(300, 5, 3));
    const { observationNormaliser, observationSpace } = readPolicyMetadata(await encodeOnnx(agent, { moments }));
    expectClose(observationNormaliser!.mean, moments.mean, 1e-12);
    expect(observationNormaliser!.std[1]).toBeCloseTo(moments.std(1), 12);
    expect(observationSpace.high).toEqual([null, null, null]);
  });

  it('says what is wrong with another file', async () => {
    await expect(loadPolicy('/nowhere/policy.onnx')).rejects.toThrow(/no file/);
    await expect(loadPolicy(Uint8Array.of(1, 2, 3))).rejects.toThrow(ArgumentError);
    await expect(loadPolicy(new Uint8Array(0))).rejects.toThrow(/does not come from exportOnnx/);
    await expect(encodeOnnx(agent, { observationNames: ['x'] })).rejects.toThrow(/observationNames must have 3/);
  });
});
