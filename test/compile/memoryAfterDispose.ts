/** Prints the MiB in use while an agent is there that has learned, and after it is disposed of, three times over. */
import '@tensorflow/tfjs-layers';
import { setTimeout as sleep } from 'node:timers/promises';
import { DimeAgent } from '../../src/agents/dime/dimeAgent.js';
import { EulerMaruyamaSampler } from '../../src/diffusion/eulerMaruyama.js';
import { Rng } from '../../src/rng/rng.js';
import { Box } from '../../src/spaces/box.js';

const [rows, rng] = [32, Rng.fromSeed(0)];
const env = { observationSpace: Box.uniform(3, -1, 1), actionSpace: Box.uniform(2, -1, 1) };
const batch = {
  observations: rng.normals(3 * rows),
  actions: rng.normals(2 * rows).map(Math.tanh),
  rewards: rng.normals(rows),
  nextObservations: rng.normals(3 * rows),
  terminated: new Float32Array(rows),
  truncated: new Float32Array(rows),
};
const used = () => process.memoryUsage().rss / 2 ** 20;

for (let i = 0; i < 3; i++) {
  const agent = await DimeAgent.create({
    ...{ env, batchSize: rows, policyDelay: 1, criticHidden: [1024, 1024], bufferCapacity: 1 },
    ...{ sampler: new EulerMaruyamaSampler({ steps: 2 }), compile: { worker: process.argv[2] === 'worker' } },
  });
  for (let k = 0; k < 3; k++) await agent.learn(batch);
  const alive = used();
  agent.dispose();
  await sleep(300);
  globalThis.gc!();
  await sleep(300);
  console.log(`${alive.toFixed(0)} ${used().toFixed(0)}`);
}
process.exit(0);
