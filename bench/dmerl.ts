/**
 * DiffPPO, DiffSAC and DiffWPO, and DIME with the same networks, op by op and compiled side by side at K = 5, 10, 20:
 * milliseconds, the best of several runs, of updating policy and critics on 256 transitions and of acting on one
 * observation, and what an update holds in memory at most (op by op). Observation 17, action 6.
 *
 *     npx tsx bench/dmerl.ts           all agents, about five minutes
 *     npx tsx bench/dmerl.ts DiffPPO   one of them
 */
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs-core';
import type { Agent } from '../src/agents/agent.js';
import { DimeAgent } from '../src/agents/dime/dimeAgent.js';
import { DiffPpoAgent } from '../src/agents/dmerl/diffPpoAgent.js';
import { DiffSacAgent } from '../src/agents/dmerl/diffSacAgent.js';
import { DiffWpoAgent } from '../src/agents/dmerl/diffWpoAgent.js';
import { dmerlSampler } from '../src/diffusion/dmerl.js';
import { Box } from '../src/spaces/box.js';
import { best, eagerBackend, machine, time, transitions } from './measure.js';

const BATCH = 256;
const env = { observationSpace: Box.uniform(17), actionSpace: Box.uniform(6, -1, 1) };
const data = transitions(env, BATCH);

interface Options {
  env: typeof env;
  sampler: ReturnType<typeof dmerlSampler>;
  compile?: false;
}

const agents: Record<string, (options: Options) => Promise<Agent>> = {
  DiffPPO: (options) => DiffPpoAgent.create({ ...options, rolloutSteps: BATCH, epochs: 1, targetChainKl: 1e6 }),
  DiffSAC: (options) => DiffSacAgent.create({ ...options, batchSize: BATCH }),
  DiffWPO: (options) => DiffWpoAgent.create({ ...options, batchSize: BATCH }),
  DIME: (options) =>
    DimeAgent.create({
      ...options,
      batchSize: BATCH,
      criticHidden: [256, 256],
      updatesPerTransition: 1,
      policyDelay: 1,
    }),
};

/** Has the agent act on what it then learns from. */
async function prepare(agent: Agent): Promise<void> {
  const decision = await agent.act(data.observations);
  agent.observe({ ...data, actions: decision.actions }, decision);
}

/** Most bytes that an update holds op by op, above those before. */
async function peakBytes(agent: Agent): Promise<number> {
  await prepare(agent);
  const before = tf.memory().numBytes;
  const profile = await tf.profile(async () => void (await agent.update()));
  return profile.peakBytes - before;
}

/** Milliseconds of one gradient step of policy and critics, and of acting. */
async function times(agent: Agent): Promise<{ update: number; act: number }> {
  let update = Infinity;
  for (let i = 0; i < 3; i++) {
    await prepare(agent);
    let steps = 1;
    const total = await time(async () => {
      ({ gradientSteps: steps = 1 } = await agent.update());
    });
    update = Math.min(update, total / steps);
  }
  const observation = data.observations.slice(0, env.observationSpace.size);
  return { update, act: await best(() => agent.act(observation), 500) };
}

const wanted = process.argv[2] ?? '';
const backend = await eagerBackend();
console.log(`${machine}; op by op on ${backend}\n`);
console.log('| agent | K | update, op by op | compiled | act, op by op | compiled | memory of an update |');
console.log('|---|---|---|---|---|---|---|');
for (const [name, create] of Object.entries(agents).filter(([key]) => key.includes(wanted))) {
  for (const steps of [5, 10, 20]) {
    await tf.setBackend(backend);
    const slow = await create({ env, sampler: dmerlSampler({ steps }), compile: false });
    const bytes = await peakBytes(slow);
    const eager = await times(slow);
    await tf.setBackend('cpu');
    const fast = await create({ env, sampler: dmerlSampler({ steps }) });
    const compiled = await times(fast);
    const cells = [eager.update, compiled.update, eager.act, compiled.act].map((value) => value.toPrecision(3));
    console.log(`| ${[name, steps, ...cells, `${(bytes / 2 ** 20).toFixed(0)} MiB`].join(' | ')} |`);
    slow.dispose();
    fast.dispose();
  }
}
process.exit(0);
