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
import { DimeAgent, type DimeOptions } from '../src/agents/dime/dimeAgent.js';
import { type Compiler, eager, type Program, type TensorProgram } from '../src/agents/program.js';
import { compile, type Device } from '../src/compile/index.js';
import { optimise } from '../src/compile/optimise.js';
import { trace } from '../src/compile/trace.js';
import { nodeWork } from '../src/compile/work.js';
import { EulerMaruyamaSampler } from '../src/diffusion/eulerMaruyama.js';
import { Rng } from '../src/rng/rng.js';
import { Box } from '../src/spaces/box.js';
import type { StateArray } from '../src/state.js';
import { best, eagerBackend, machine, time } from './measure.js';

const SIZES = ['17/6/256', '376/17/256', '223/38/2048'];
const BATCH = 256;
const STEPS = 16;

type Inputs = Record<string, StateArray>;
type AnyProgram = TensorProgram<tf.NamedTensorMap, string>;

/** The three programs of an agent, in the order it makes them, and how they run. */
class MeasuredAgent extends DimeAgent {
  constructor(
    options: DimeOptions,
    readonly programs: AnyProgram[],
    readonly runs: Program<tf.NamedTensorMap, string>[],
    compiler: Compiler,
  ) {
    super(DimeAgent, options, ((program: AnyProgram) => {
      const run = compiler(program);
      programs.push(program);
      runs.push(run);
      return run;
    }) as Compiler);
  }
}

interface Size {
  observation: number;
  action: number;
  width: number;
}

const { values, positionals } = parseArgs({ allowPositionals: true, options: { device: { type: 'string' } } });
const device = (values.device ?? 'cpu') as Device;
const compiler = ((program: AnyProgram) =>
  compile(program as never, { outputs: 'arrays', device })) as unknown as Compiler;

function createAgent({ observation, action, width }: Size, steps: number, how: Compiler): MeasuredAgent {
  const env = { observationSpace: Box.uniform(observation, -1, 1), actionSpace: Box.uniform(action, -1, 1) };
  const sampler = new EulerMaruyamaSampler({ steps });
  return new MeasuredAgent({ env, sampler, criticHidden: [width, width], bufferCapacity: 1 }, [], [], how);
}

function inputsOf({ observation, action }: Size, steps: number): Record<string, Inputs> {
  const rng = Rng.fromSeed(0);
  const normal = (...shape: number[]) => ({ data: rng.normals(shape.reduce((a, b) => a * b)), shape });
  const act = (rows: number) => ({ observations: normal(rows, observation), noise: normal(steps + 1, rows, action) });
  const zeros = { data: new Uint8Array(BATCH), shape: [BATCH] };
  return {
    'act, 1 observation': act(1),
    'act, 64 observations': act(64),
    'critic update': {
      ...act(BATCH),
      actions: normal(BATCH, action),
      rewards: normal(BATCH),
      nextObservations: normal(BATCH, observation),
      terminated: zeros,
      truncated: zeros,
    },
    'actor update': act(BATCH),
  };
}

const PROGRAM_OF: Record<string, number> = {
  'act, 1 observation': 0,
  'act, 64 observations': 0,
  'critic update': 2,
  'actor update': 3,
};

/** Floating point operations in matrix products of one run, and operators of its graph. */
function graphOf(program: AnyProgram, inputs: Inputs): { products: number; operators: number } {
  const names = Object.keys(inputs);
  const infos = names.map((name) => {
    const { data, shape } = inputs[name]!;
    return { dtype: data instanceof Uint8Array ? 'bool' : 'float32', shape } as const;
  });
  const traced = trace('bench', infos, (tensors) => program(Object.fromEntries(names.map((n, i) => [n, tensors[i]!]))));
  const outputs = [...Object.values(traced.result as object), ...traced.writes.map(({ value }) => value)];
  const nodes = optimise(traced.builder.graph, outputs);
  const products = nodes.filter(({ operator }) => operator === 'MatMul' || operator === 'Gemm');
  return { products: products.reduce((sum, node) => sum + nodeWork(node), 0), operators: nodes.length };
}

/** Highest speed of a large matrix product in ONNX Runtime, in GFLOP/s. */
async function peak(threads: number): Promise<number> {
  const size = 2048;
  const product = compile((a: tf.Tensor2D, b: tf.Tensor2D) => tf.sum(tf.matMul(a, b)), {
    outputs: 'arrays',
    threads,
    device,
  });
  const matrix = { data: Rng.fromSeed(0).normals(size * size), shape: [size, size] };
  const shortest = await best(() => product(matrix, matrix), 3000);
  await product.dispose();
  return (2 * size ** 3) / shortest / 1e6;
}

function milliseconds(value: number): string {
  return value.toPrecision(3).padStart(8);
}

async function compareSize(name: string, size: Size): Promise<void> {
  const peakSpeed = await peak(0);
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
    const graph = graphOf(fast.programs[index]!, inputs[what]!);
    await tf.setBackend(backend);
    const op = await best(() => slow.runs[index]!(inputs[what]!), 2000);
    await tf.setBackend('cpu');
    products[what] = { shortest: compiled, flops: graph.products };
    const share = `${((100 * graph.products) / compiled / 1e6 / peakSpeed).toFixed(0)} %`;
    console.log(
      `${what.padEnd(20)}${milliseconds(op)}   ${milliseconds(compiled)}${(op / compiled).toFixed(0).padStart(8)}` +
        `${first.toFixed(0).padStart(13)}${String(graph.operators).padStart(12)}` +
        `${(graph.products / 1e6).toFixed(0).padStart(20)}${share.padStart(10)}`,
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

const sizeOf = (name: string): Size => {
  const [observation, action, width] = name.split('/').map(Number) as [number, number, number];
  return { observation, action, width };
};

await tf.setBackend('cpu');
console.log(machine);
const one = await peak(1);
const all = await peak(0);
console.log(
  `Matrix product 2048 x 2048 in ONNX Runtime: ${one.toFixed(0)} GFLOP/s on one core, ${all.toFixed(0)} on all`,
);
const names = positionals.length > 0 ? positionals : SIZES;
for (const name of names) await compareSize(name, sizeOf(name));
if (names.length > 1) await growth(sizeOf('17/6/256'));
console.log(`\nPeak memory of the process: ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB`);
process.exit(0);
