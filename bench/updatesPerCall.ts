/**
 * Two critic updates of DIME in one call of a graph against two calls, in turn: medians of processor time and time in
 * milliseconds, on one thread.
 *
 *     npx tsx bench/updatesPerCall.ts 17/6/256 60    observation/action/critic width, repetitions
 */
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs-core';
import { eager } from '../src/agents/program.js';
import { compile } from '../src/compile/index.js';
import { type AnyProgram, createAgent, inputsOf, PROGRAM_OF, STEPS, sizeOf } from './dimePrograms.js';
import { machine, time } from './measure.js';

type Tensors = Parameters<AnyProgram>[0];

const [sizes = '17/6/256', repetitions = '60'] = process.argv.slice(2);
const UPDATE = 'critic update';

await tf.setBackend('cpu');
const program = createAgent(sizeOf(sizes), STEPS, eager).programs[PROGRAM_OF[UPDATE]!]!;
const [batch, other] = [inputsOf(sizeOf(sizes), STEPS)[UPDATE]!, inputsOf(sizeOf(sizes), STEPS)[UPDATE]!];
const options = { outputs: 'arrays', threads: 1 } as const;
const one = compile((tensors: Tensors) => program(tensors), options);
const two = compile((first: Tensors, second: Tensors) => [program(first), program(second)], options);

const ways = [
  {
    name: 'two calls',
    run: async () => [await one(batch), await one(other)],
    cpu: [] as number[],
    wall: [] as number[],
  },
  { name: 'one call', run: () => two(batch, other), cpu: [] as number[], wall: [] as number[] },
];

const median = (list: number[]) => list.toSorted((a, b) => a - b)[list.length >> 1]!;

for (const { run } of ways) await run();
for (let i = 0; i < Number(repetitions); i++) {
  for (const { run, cpu, wall } of i % 2 ? ways : ways.toReversed()) {
    const before = process.cpuUsage();
    wall.push(await time(run));
    const { user, system } = process.cpuUsage(before);
    cpu.push((user + system) / 1000);
  }
}
console.log(`${machine}, ${sizes}, two critic updates`);
for (const { name, cpu, wall } of ways) {
  console.log(
    `${name.padEnd(12)} ${median(cpu).toFixed(1).padStart(8)} processor ${median(wall).toFixed(1).padStart(8)} time`,
  );
}
process.exit(0);
