/**
 * What an engine in a thread of its own costs, and what it brings beside a slow environment: updates of DIME alone, and with
 * steps of an environment that computes for some milliseconds in this thread meanwhile.
 *
 *     npx tsx bench/worker.ts              17/6/256
 *     npx tsx bench/worker.ts 376/17/256   observation/action/critic width
 */
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import { setTimeout as sleep } from 'node:timers/promises';
import { DimeAgent } from '../src/agents/dime/dimeAgent.js';
import { EulerMaruyamaSampler } from '../src/diffusion/eulerMaruyama.js';
import { Box } from '../src/spaces/box.js';
import { machine, time, transitions } from './measure.js';

const RUNS = 20;
const BATCH = 256;
const [observation, action, width] = (process.argv[2] ?? '17/6/256').split('/').map(Number) as [number, number, number];
const env = { observationSpace: Box.uniform(observation, -1, 1), actionSpace: Box.uniform(action, -1, 1) };
const drawn = transitions(env, BATCH);
const batch = { ...drawn, terminated: new Float32Array(BATCH), truncated: new Float32Array(BATCH) };

const create = (worker: boolean) =>
  DimeAgent.create({
    ...{ env, policyDelay: 1, criticHidden: [width, width], bufferCapacity: BATCH },
    ...{ sampler: new EulerMaruyamaSampler({ steps: 16 }), compile: { worker } },
  });

/** An environment that takes this many milliseconds of this thread. */
function step(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

const best = (list: readonly number[]) => Math.min(...list);

/** Milliseconds of an update with a step of an environment meanwhile, and the longest that a timer of 1 ms waited. */
async function measure(agent: DimeAgent, environment: number): Promise<{ total: number; late: number }> {
  let late = 0;
  const total = await time(async () => {
    const update = agent.learn(batch);
    await sleep(1);
    step(environment);
    let isDone = false;
    void update.then(() => {
      isDone = true;
    });
    while (!isDone) late = Math.max(late, (await time(() => sleep(1))) - 1);
    await update;
  });
  return { total, late };
}

console.log(
  `${machine}; ${observation}/${action}/${width}, K = 16, batch ${BATCH}, a critic and an actor update; best of ${RUNS}`,
);
const [here, there] = await Promise.all([create(false), create(true)]);
console.log('environment   this thread   worker   ratio   a timer waited, this thread   worker');
for (const environment of [0, 10, 50]) {
  const results = { here: [] as number[], there: [] as number[], late: [0, 0] };
  for (let i = 0; i < RUNS + 2; i++) {
    const [a, b] = [await measure(here, environment), await measure(there, environment)];
    if (i < 2) continue;
    results.here.push(a.total);
    results.there.push(b.total);
    results.late = [Math.max(results.late[0]!, a.late), Math.max(results.late[1]!, b.late)];
  }
  const [a, b] = [best(results.here), best(results.there)];
  const cells = [`${environment} ms`.padStart(11), `${a.toFixed(1)} ms`.padStart(14), `${b.toFixed(1)} ms`.padStart(9)];
  const late = results.late.map((wait) => `${wait.toFixed(0)} ms`);
  console.log(`${cells.join('')}${(b / a).toFixed(2).padStart(8)}${late[0]!.padStart(30)}${late[1]!.padStart(9)}`);
}
process.exit(0);
