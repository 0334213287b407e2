import { DimeAgent, EulerMaruyamaSampler } from 'diffrl';
import * as ort from 'onnxruntime-node';
import { expect, it } from 'vitest';
import type { EngineOptions } from '../../src/compile/index.js';
import { MissingPackageError } from '../../src/errors.js';
import { Box } from '../../src/spaces/box.js';

const env = { observationSpace: Box.uniform(3, -1, 1), actionSpace: Box.uniform(1, -2, 2) };
const create = (compile: boolean | EngineOptions) =>
  DimeAgent.create({ env, sampler: new EulerMaruyamaSampler({ steps: 2 }), criticHidden: [4], compile });

it('an agent runs on the runtime it is given, with the threads it is given', async () => {
  const threads: unknown[] = [];
  const watched = {
    ...ort,
    InferenceSession: {
      create: (file: Uint8Array, options: { intraOpNumThreads: number }) => {
        threads.push(options.intraOpNumThreads);
        return ort.InferenceSession.create(file, options as ort.InferenceSession.SessionOptions);
      },
    },
  };
  const [agent, plain] = [await create({ runtime: watched as never, threads: 2 }), await create(true)];
  expect(await agent.act(Float32Array.of(1, 0, 0))).toEqual(await plain.act(Float32Array.of(1, 0, 0)));
  expect(new Set(threads)).toEqual(new Set([2]));
  agent.dispose();
  plain.dispose();
});

it.each([
  ['no', /compile must be true, false or options/],
  [{ devise: 'gpu' }, /unknown option 'devise'; there are device/],
  [{ device: 'tpu' }, /device must be one of 'cpu', 'gpu', 'auto'/],
  [{ device: 'cpu', executionProviders: ['cpu'] }, /device or executionProviders, not both/],
  [{ threads: -1 }, /threads must be an integer >= 0/],
  [{ runtime: {} }, /runtime must be ONNX Runtime as a module/],
])('refuses compile: %j', async (compile, message) => {
  await expect(create(compile as never)).rejects.toThrow(message);
});

it('a device that is not there is an error that names what is missing', async () => {
  const without = {
    Tensor: ort.Tensor,
    InferenceSession: { create: () => Promise.reject(new Error('no such thing was false. Nothing to compute with.')) },
  };
  const creating = create({ device: 'gpu', runtime: without as never });
  await expect(creating).rejects.toThrow(MissingPackageError);
  await expect(creating).rejects.toThrow(/webgpu: Nothing to compute with; in Node it needs a driver.*cuda:/s);
});
