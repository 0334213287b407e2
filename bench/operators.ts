/**
 * Microseconds per operator of ONNX Runtime on one thread, for the choices that `src/compile` and `src/ops` make:
 * `npx tsx bench/operators.ts`.
 */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { Builder } from '../src/compile/builder.js';
import type { Value } from '../src/compile/graph.js';
import { encodeModel } from '../src/compile/onnx.js';
import { optimise } from '../src/compile/optimise.js';
import { time } from './measure.js';

type Write = (b: Builder, x: Value, y: Value) => Value;

const SHAPE = [256, 256];
const REPEATS = 100;

const rows = (b: Builder, sums: Value) => b.broadcastTo(sums, SHAPE);
const row = { type: 'float32', shape: [1, 256] } as const;
const gate: Write = (b, x) => {
  const slope = b.add(b.mul(b.mul(x, x), b.scalar(0.0713548163)), b.scalar(1.5957691216));
  return b.unary('Sigmoid', b.mul(x, slope));
};

const CHOICES: Record<string, Record<string, Write>> = {
  'one pass': {
    'with a constant': (b, x) => b.add(x, b.scalar(0.1)),
    'of two tensors': (b, x, y) => b.mul(x, y),
    Tanh: (b, x) => b.unary('Tanh', x),
    Sigmoid: (b, x) => b.unary('Sigmoid', x),
    Exp: (b, x) => b.unary('Exp', x),
    Log: (b, x) => b.unary('Log', x),
  },
  'sum over rows': {
    'MatMul (chosen)': (b, x) => rows(b, b.sum(x, 0, true)),
    ReduceSum: (b, x) => rows(b, b.op('ReduceSum', [x, b.longs([0])], row)),
  },
  softplus: {
    'composed (chosen)': (b, x) => {
      const tail = b.unary('Exp', b.neg(b.unary('Abs', x)));
      return b.add(b.unary('Relu', x), b.unary('Log', b.add(tail, b.scalar(1))));
    },
    Softplus: (b, x) => b.unary('Softplus', x),
  },
  'GELU, forward only': {
    'Gelu (chosen)': (b, x) => b.mul(x, gate(b, x, x)),
    'its parts': (b, x) => b.mul(x, b.mul(gate(b, x, x), b.scalar(1.0001))),
  },
  'gradient of ReLU': {
    'Cast and Mul (chosen)': (b, x, y) => b.mul(y, b.cast(b.compare('Greater', x, b.scalar(0)), 'float32')),
    Where: (b, x, y) => b.where(b.compare('Greater', x, b.scalar(0)), y, b.scalar(0)),
  },
};

async function microseconds(write: Write): Promise<number> {
  const b = new Builder();
  const [first, y] = ['x', 'y'].map((name) => b.graph.input(name, { type: 'float32', shape: SHAPE })) as [Value, Value];
  let x = first;
  for (let i = 0; i < REPEATS; i++) x = write(b, x, y);
  const nodes = optimise(b.graph, [x]);
  const inputs = [first, y].filter((value) => nodes.some((node) => node.inputs.includes(value)));
  const model = encodeModel({ name: 'chain', nodes, inputs: inputs.map((v) => [v.input!, v]), outputs: [['z', x]] });
  const session = await InferenceSession.create(model, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const data = Float32Array.from({ length: 256 * 256 }, (_, i) => Math.sin(i));
  const feeds = Object.fromEntries(inputs.map((value) => [value.input!, new Tensor('float32', data, SHAPE)]));
  let shortest = Infinity;
  for (let i = 0; i < 15; i++) shortest = Math.min(shortest, await time(() => session.run(feeds)));
  await session.release();
  return (shortest / REPEATS) * 1000;
}

console.log(`[${SHAPE}] float32`);
for (const [choice, ways] of Object.entries(CHOICES)) {
  console.log(choice);
  for (const [way, write] of Object.entries(ways)) {
    console.log(`  ${way.padEnd(24)}${(await microseconds(write)).toFixed(1).padStart(8)} us`);
  }
}
