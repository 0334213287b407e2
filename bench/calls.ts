/**
 * What a call of an update costs besides its operators: the guard against updates that are not finite, and handing variables in
 * and out, which several updates in one call would do once. All ways run in turn, so that a busy machine slows all alike.
 *
 *     npx tsx bench/calls.ts                critic updates at 17/6/256 and 223/38/2048
 *     npx tsx bench/calls.ts 376/17/256     one size: observation/action/critic width
 */
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs-core';
import { GRADIENTS } from '../src/agents/finiteUpdate.js';
import type { TensorProgram } from '../src/agents/program.js';
import { compile } from '../src/compile/index.js';
import { type AnyProgram, createAgent, idle, inputsOf, PROGRAM_OF, STEPS, sizeOf } from './dimePrograms.js';
import { machine, time } from './measure.js';

const WHAT = 'critic update';
const BUDGET_MS = 90_000;
const TOGETHER = 4;

type Named = tf.NamedTensorMap;

/** The program of a way, and how many updates it makes. */
const ways: Record<string, { updates: number; of: (program: AnyProgram) => TensorProgram<Named, string> }> = {
  'as it is': { updates: 1, of: (program) => program },
  'without the guard': {
    updates: 1,
    of: (program) => (inputs) => {
      const { [GRADIENTS]: _, ...outputs } = program(inputs);
      return outputs;
    },
  },
  [`${TOGETHER} in one call`]: {
    updates: TOGETHER,
    of: (program) => (inputs) => {
      for (let i = 1; i < TOGETHER; i++) program(batchOf(inputs, i));
      return program(batchOf(inputs, 0));
    },
  },
};

/** The i-th of the batches that a call is given: all inputs have an axis more then. */
function batchOf(inputs: Named, i: number): Named {
  return Object.fromEntries(Object.entries(inputs).map(([name, x]) => [name, tf.gather(x, i)]));
}

async function compare(sizes: string): Promise<void> {
  const inputs = inputsOf(sizeOf(sizes), STEPS)[WHAT]!;
  const racers = Object.entries(ways).map(([name, { updates, of }]) => {
    const program = createAgent(sizeOf(sizes), STEPS, idle).programs[PROGRAM_OF[WHAT]!]!;
    const run = compile(of(program) as never, { outputs: 'arrays' }) as unknown as (x: object) => Promise<unknown>;
    const given = updates === 1 ? inputs : repeated(inputs, updates);
    return { name, updates, run: () => run(given), cpu: [] as number[], times: [] as number[] };
  });
  for (const { run } of racers) for (let i = 0; i < 3; i++) await run();
  for (const end = performance.now() + BUDGET_MS; performance.now() < end; ) {
    for (const { run, updates, cpu, times } of racers) {
      const before = process.cpuUsage();
      times.push((await time(run)) / updates);
      const { user, system } = process.cpuUsage(before);
      cpu.push((user + system) / 1000 / updates);
    }
  }
  console.log(`\n${sizes}: milliseconds an update, processor time and time, a tenth of all runs below and the median`);
  for (const { name, cpu, times } of racers) {
    const at = (list: number[], share: number) => list.toSorted((a, b) => a - b)[Math.floor(share * list.length)]!;
    const columns = [at(cpu, 0.1), at(cpu, 0.5), at(times, 0.1), at(times, 0.5)].map((x) => x.toFixed(2).padStart(9));
    console.log(`${name.padEnd(20)}${columns.join('')}   ${times.length} runs`);
  }
}

function repeated(inputs: ReturnType<typeof inputsOf>[string], count: number) {
  const entries = Object.entries(inputs).map(([name, { data, shape }]) => {
    const Class = data.constructor as Float32ArrayConstructor;
    const all = new Class(count * data.length);
    for (let i = 0; i < count; i++) all.set(data as Float32Array, i * data.length);
    return [name, { data: all, shape: [count, ...shape] }];
  });
  return Object.fromEntries(entries) as object;
}

await tf.setBackend('cpu');
console.log(machine);
for (const sizes of process.argv.slice(2).length > 0 ? process.argv.slice(2) : ['17/6/256', '223/38/2048']) {
  await compare(sizes);
}
process.exit(0);
