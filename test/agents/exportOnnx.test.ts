import { readFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Box,
  DimeAgent,
  type Env,
  EulerMaruyamaSampler,
  encodeOnnx,
  exportOnnx,
  NormaliseObservation,
  Pendulum,
  Rng,
  substate,
  TimeConditionedMlp,
} from 'diffrl';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { VERSION } from '../../src/version.js';
import { expectClose } from '../close.js';

it('an exported policy gives the actions of agent.act in ONNX Runtime alone (1e-5)', async () => {
  const agent = await DimeAgent.create({
    env: { observationSpace: Box.uniform(3), actionSpace: new Box([-2, 0], [2, 5]) },
    sampler: new EulerMaruyamaSampler({
      steps: 4,
      network: (rng, sizes) => new TimeConditionedMlp(rng, { ...sizes, hidden: [16], lastKernel: 0.2 }),
    }),
    criticHidden: [4],
  });
  const file = join(await mkdtemp(join(tmpdir(), 'diffrl-')), 'policy.onnx');
  await exportOnnx(agent, file, { rows: 2 });

  const noise = Rng.fromSeed(0);
  noise.prepare(substate(await agent.state(), 'noise'))();
  const observations = Rng.fromSeed(1).normals(6);
  const session = await ort.InferenceSession.create(file);
  const { action } = await session.run({
    observation: new ort.Tensor('float32', observations, [2, 3]),
    noise: new ort.Tensor('float32', noise.normals(5 * 2 * 2), [5, 2, 2]),
  });
  expect(session.inputNames).toEqual(['observation', 'noise']);
  expectClose(action!.data as Float32Array, (await agent.act(observations)).actions, 1e-5);
  agent.dispose();
});

describe('exporting', () => {
  const make = (env: Env = new Pendulum()) =>
    DimeAgent.create({ env, sampler: new EulerMaruyamaSampler({ steps: 2 }), criticHidden: [4], compile: false });
  const run = async (file: Uint8Array, observation: Float32Array, noise: Float32Array) => {
    const session = await ort.InferenceSession.create(file);
    const { action } = await session.run({
      observation: new ort.Tensor('float32', observation, [1, 3]),
      noise: new ort.Tensor('float32', noise, [3, 1, 1]),
    });
    return action!.data as Float32Array;
  };

  it('writes older operator sets, which give the same, and says who made the file', async () => {
    const agent = await make();
    const [observation, noise] = [Float32Array.of(1, 0, 0.5), Rng.fromSeed(1).normals(3)];
    const newest = await encodeOnnx(agent);
    const text = Buffer.from(newest).toString('latin1');
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(VERSION).toBe(version);
    expect(text).toContain(`diffrl\x1a\x05${version}`);
    expect(text).toMatch(/Gelu_\d/);
    for (const opset of [18, 19]) {
      const older = await encodeOnnx(agent, { opset });
      expect(Buffer.from(older).toString('latin1')).not.toContain('Gelu');
      expectClose(await run(older, observation, noise), await run(newest, observation, noise), 1e-5);
    }
    await expect(encodeOnnx(agent, { opset: 17 })).rejects.toThrow(/opset must be an integer >= 18 and <= 20, got 17/);
    agent.dispose();
  });

  it('names a path, options or an agent that are none', async () => {
    const agent = await make();
    await expect(exportOnnx(agent, undefined as never)).rejects.toThrow(/exportOnnx: path must be the name of a file/);
    await expect(encodeOnnx(agent, 2 as never)).rejects.toThrow(
      /options must be \{ rows, opset, moments, .* \}, got 2/,
    );
    await expect(encodeOnnx({} as never)).rejects.toThrow(/agent must be an agent whose policy can be exported/);
    agent.dispose();
  });

  it('takes raw observations where the normaliser is exported, too; keep() saves it with the agent', async () => {
    const world = () => new NormaliseObservation(new Pendulum());
    const env = world();
    const agent = await make(env);
    agent.keep('observations', env.moments);
    env.moments.add(Rng.fromSeed(3).normals(300, 5, 3));
    const [raw, noise] = [Float32Array.of(1, 7, -2), Rng.fromSeed(1).normals(3)];
    const whole = await run(await encodeOnnx(agent, { moments: env.moments }), raw, noise);
    expectClose(whole, await run(await encodeOnnx(agent), env.moments.normalise(raw), noise), 1e-6);

    const folder = await mkdtemp(join(tmpdir(), 'diffrl-'));
    await agent.save(folder);
    const fresh = world();
    const loaded = await make(fresh);
    await expect(loaded.restore(folder)).rejects.toThrow(/kept-observations/);
    loaded.keep('observations', fresh.moments);
    await loaded.restore(folder);
    expect(fresh.moments.state()).toEqual(env.moments.state());
    expect(() => loaded.keep('observations', fresh.moments)).toThrow(/name must be new/);
    expect(() => loaded.keep('x', {} as never)).toThrow(/part must have state\(\)/);
    for (const one of [agent, loaded]) one.dispose();
  });
});
