import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Box, DimeAgent, EulerMaruyamaSampler, exportOnnx, Rng, substate, TimeConditionedMlp } from 'diffrl';
import * as ort from 'onnxruntime-node';
import { expect, it } from 'vitest';
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
  await exportOnnx(agent, file, 2);

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
