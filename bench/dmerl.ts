/**
 * DiffPPO, DiffSAC and DiffWPO op by op and compiled, side by side, at K = 5, 10, 20: milliseconds, the best of several
 * runs, of a gradient step on 256 transitions and of acting on one observation; observation 17, action 6.
 *
 *     npx tsx bench/dmerl.ts           all agents, about five minutes
 *     npx tsx bench/dmerl.ts DiffPPO   one of them
 */
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs-core';
import type { Agent } from '../src/agents/agent.js';
import { DiffPpoAgent } from '../src/agents/diffPpo.js';
import { DiffSacAgent } from '../src/agents/diffSac.js';
import { DiffWpoAgent } from '../src/agents/diffWpo.js';
import { dmerlSampler } from '../src/agents/dmerl.js';
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
};

/** Milliseconds of a gradient step (the best of three updates) and of acting. */
async function measure(agent: Agent): Promise<{ update: number; act: number }> {
  let update = Infinity;
  for (let i = 0; i < 3; i++) {
    agent.observe({ ...data, actions: await agent.act(data.observations) });
    let steps = 1;
    const total = await time(async () => {
      ({ gradientSteps: steps = 1 } = await agent.update());
    });
    update = Math.min(update, total / steps);
  }
  const observation = data.observations.slice(0, env.observationSpace.size);
  const act = await best(() => agent.act(observation), 500);
  agent.dispose();
  return { update, act };
}

const wanted = process.argv[2] ?? '';
const backend = await eagerBackend();
console.log(`${machine}; op by op on ${backend}\n`);
console.log('| agent | K | update, op by op | compiled | ratio | act, op by op | compiled | ratio |');
console.log('|---|---|---|---|---|---|---|---|');
for (const [name, create] of Object.entries(agents).filter(([key]) => key.includes(wanted))) {
  for (const steps of [5, 10, 20]) {
    await tf.setBackend(backend);
    const eager = await measure(await create({ env, sampler: dmerlSampler({ steps }), compile: false }));
    await tf.setBackend('cpu');
    const compiled = await measure(await create({ env, sampler: dmerlSampler({ steps }) }));
    const cells = (['update', 'act'] as const).flatMap((what) => [
      eager[what].toPrecision(3),
      compiled[what].toPrecision(3),
      (eager[what] / compiled[what]).toFixed(0),
    ]);
    console.log(`| ${[name, steps, ...cells].join(' | ')} |`);
  }
}
process.exit(0);
