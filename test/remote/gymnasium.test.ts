import { fileURLToPath } from 'node:url';
import { connectEnv, connectVectorEnv } from 'diffrl/remote';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { environmentSeed } from '../../src/envs/batch.js';
import { canImport, environments } from './servers.js';

/** Gymnasium's outside, imitated in `stub/`; the inside is compared in python.test.ts where Gymnasium is installed. */
describe.skipIf(!canImport('numpy'))("in Gymnasium's ways", () => {
  const before = process.env.PYTHONPATH;
  beforeAll(() => {
    process.env.PYTHONPATH = fileURLToPath(new URL('./stub', import.meta.url));
  });
  afterAll(() => {
    if (before === undefined) delete process.env.PYTHONPATH;
    else process.env.PYTHONPATH = before;
  });

  it('an id is made by gymnasium.make, after its module was imported', async () => {
    const env = await connectEnv('python:hands:Hand-v0', { kwargs: { steps: 3 } });
    const plain = await connectEnv(`python:${environments}:Pendulum`, { kwargs: { steps: 3 } });
    expect(env.id).toBe('Hand-v0');
    expect(await env.reset({ seed: 1 })).toEqual(await plain.reset({ seed: 1 }));
    for (let t = 0; t < 3; t++)
      expect(await env.step(Float32Array.of(t))).toEqual(await plain.step(Float32Array.of(t)));
    env.close();
    plain.close();
  });

  it.each(['SAME_STEP', 'DISABLED'])('a vector environment that resets in mode %s equals its parts', async (mode) => {
    const whole = await connectVectorEnv('python:hands:Many', { numEnvs: 2, processes: 1, kwargs: { mode } });
    const parts = await connectVectorEnv(`python:${environments}:Pendulum`, { numEnvs: 2, kwargs: { steps: 4 } });
    expect(await whole.reset({ seed: 6 })).toEqual(await parts.reset({ seed: 6 }));
    for (let t = 0; t < 9; t++) {
      const { infos, ...step } = await whole.step(Float32Array.of(1, -t / 5));
      const { infos: _, ...expected } = await parts.step(Float32Array.of(1, -t / 5));
      expect(step).toEqual(expected);
      const angle = expect.any(Number);
      expect(infos).toEqual(t % 4 === 3 ? [{}, {}] : [{ angle }, { angle }]);
    }
    whole.close();
    parts.close();
    expect(environmentSeed(6, 0)).not.toBe(environmentSeed(6, 1));
  });

  it('a vector environment whose steps leave transitions out is refused', async () => {
    const next = connectVectorEnv('python:hands:Many', { numEnvs: 2, processes: 1, kwargs: { mode: 'NEXT_STEP' } });
    await expect(next).rejects.toThrow(/resets in mode NextStep.*SAME_STEP/);
    await expect(connectEnv('python:hands:Many')).rejects.toThrow(/can be served to a vector environment only/);
  });
});
