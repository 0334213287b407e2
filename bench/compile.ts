/**
 * Eager against compiled DIME, side by side in one run: acting, critic and actor updates, the share of the machine's
 * matrix-product peak they reach, growth with the number of diffusion steps, compile time and memory.
 *
 *     npx tsx bench/compile.ts             everything, about five minutes
 *     npx tsx bench/compile.ts 376/17/256  one size: observation/action/critic width
 *     npx tsx bench/compile.ts --device gpu
 */
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-layers';
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { type Compiler, eager } from '../src/agents/program.js';
import { compile, type Device } from '../src/compile/index.js';
import { productWork } from '../src/compile/work.js';
import {
  type AnyProgram,
  BATCH,
  createAgent,
  graphOf,
  inputsOf,
  PROGRAM_OF,
  type Size,
  STEPS,
  sizeOf,
} from './dimePrograms.js';
import { best, eagerBackend, machine, time } from './measure.js';
import { peak } from './peak.js';

const SIZES = ['17/6/256', '376/17/256', '223/38/2048'];

const { values, positionals } = parseArgs({ allowPositionals: true, options: { device: { type: 'string' } } });
const device = (values.device ?? 'cpu') as Device;
const compiler = ((program: AnyProgram) =>
  compile(program as never, { outputs: 'arrays', device })) as unknown as Compiler;

function milliseconds(value: number): string {
  return value.toPrecision(3).padStart(8);
}

async function compareSize(name: string, size: Size): Promise<void> {
  const peakSpeed = await peak(0, device);
  const inputs = inputsOf(size, STEPS);
  const backend = await eagerBackend();
  await tf.setBackend(backend);
  const slow = createAgent(size, STEPS, eager);
  await tf.setBackend('cpu');
  const fast = createAgent(size, STEPS, compiler);
  console.log(
    `\n${name} (observation/action/critic width), K = ${STEPS}, batch ${BATCH}; milliseconds, best of all runs, on the ${device}`,
  );
  console.log(`eager on ${backend}; matrix-product peak now ${peakSpeed.toFixed(0)} GFLOP/s`);
  console.log('                       eager   compiled   ratio   first call   operators   MFLOP in products   of peak');
  const products: Record<string, { shortest: number; flops: number }> = {};
  for (const [what, index] of Object.entries(PROGRAM_OF)) {
    const first = await time(() => fast.runs[index]!(inputs[what]!));
    const compiled = await best(() => fast.runs[index]!(inputs[what]!), 4000);
    const { nodes } = graphOf(fast.programs[index]!, inputs[what]!);
    await tf.setBackend(backend);
    const op = await best(() => slow.runs[index]!(inputs[what]!), 2000);
    await tf.setBackend('cpu');
    products[what] = { shortest: compiled, flops: productWork(nodes) };
    const share = `${((100 * productWork(nodes)) / compiled / 1e6 / peakSpeed).toFixed(0)} %`;
    console.log(
      `${what.padEnd(20)}${milliseconds(op)}   ${milliseconds(compiled)}${(op / compiled).toFixed(0).padStart(8)}` +
        `${first.toFixed(0).padStart(13)}${String(nodes.length).padStart(12)}` +
        `${(productWork(nodes) / 1e6).toFixed(0).padStart(20)}${share.padStart(10)}`,
    );
  }
  const [critic, actor] = [products['critic update']!, products['actor update']!];
  const total = 2 * critic.shortest + actor.shortest;
  const share = (100 * (2 * critic.flops + actor.flops)) / total / 1e6 / peakSpeed;
  console.log(`two critic updates and one actor update: ${total.toFixed(1)} ms, ${share.toFixed(0)} % of the peak`);
  slow.dispose();
  fast.dispose();
}

async function growth(size: Size): Promise<void> {
  console.log('\nActor update by number of diffusion steps, 17/6/256, compiled:');
  for (const steps of [2, 4, 8, 16, 32]) {
    const agent = createAgent(size, steps, compiler);
    const inputs = inputsOf(size, steps)['actor update']!;
    const first = await time(() => agent.runs[3]!(inputs));
    const shortest = await best(() => agent.runs[3]!(inputs), 1500);
    console.log(`K = ${String(steps).padStart(2)}: ${milliseconds(shortest)} ms, first call ${first.toFixed(0)} ms`);
    agent.dispose();
  }
}

await tf.setBackend('cpu');
console.log(machine);
const one = await peak(1, device);
const all = await peak(0, device);
console.log(
  `Matrix product 2048 x 2048 in ONNX Runtime: ${one.toFixed(0)} GFLOP/s on one core, ${all.toFixed(0)} on all`,
);
const names = positionals.length > 0 ? positionals : SIZES;
for (const name of names) await compareSize(name, sizeOf(name));
if (names.length > 1) await growth(sizeOf('17/6/256'));
console.log(`\nPeak memory of the process: ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB`);
process.exit(0);
