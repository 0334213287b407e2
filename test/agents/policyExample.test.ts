import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DimeAgent, EulerMaruyamaSampler, exportOnnx } from 'diffrl';
import { makeMujoco } from 'diffrl/mujoco';
import { expect, it } from 'vitest';
import { canImport, python } from '../remote/servers.js';

const needed = 'gymnasium, mujoco, onnxruntime';
const canRun = canImport(needed);

it.skipIf(!canRun)(`examples/policy.py plays an exported policy (needs ${needed} in ${python})`, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'diffrl-'));
  const env = await makeMujoco('InvertedPendulum-v5');
  const sampler = new EulerMaruyamaSampler({ steps: 2 });
  const agent = await DimeAgent.create({ env, seed: 1, compile: false, criticHidden: [16], sampler });
  const file = join(folder, 'policy.onnx');
  await exportOnnx(agent, file, { about: { task: 'InvertedPendulum-v5' } });
  agent.dispose();
  const example = fileURLToPath(new URL('../../examples/policy.py', import.meta.url));
  const { stdout, stderr } = spawnSync(python, [example, file], { encoding: 'utf8' });
  await rm(folder, { recursive: true });
  expect(stdout, stderr).toMatch(/^DIME: return \d+\n$/i);
});
