import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compile } from '../../src/compile/index.js';
import { noise } from './kernelCases.js';

type Program = (...x: tf.Tensor[]) => tf.Tensor;

/** Compares values and gradients of `run`, compiled and eager, to 1e-5 relative to the largest entry. */
async function expectSame(run: Program, shapes: number[][]): Promise<void> {
  const x = shapes.map((shape, i) => noise(shape, -2, 2, i));
  const both = (...tensors: tf.Tensor[]) => {
    const value = run(...tensors);
    const loss = (...y: tf.Tensor[]) => tf.sum(tf.mul(run(...y), noise(value.shape, 0.5, 1, 9)));
    return [value, ...tf.grads(loss)(tensors)];
  };
  const compiled = compile(both);
  const actual = await compiled(...x);
  both(...x).forEach((expected, i) => {
    expect(actual[i]!.shape).toEqual(expected.shape);
    const numbers = actual[i]!.dataSync();
    const scale = Math.max(1, ...expected.dataSync().map(Math.abs));
    expected.dataSync().forEach((value, j) => void expect(Math.abs(numbers[j]! - value) / scale).toBeLessThan(1e-5));
  });
  await compiled.dispose();
}

const size = fc.integer({ min: 0, max: 4 });
const shape = fc.array(size, { maxLength: 4 });

/** Two shapes that broadcast: one shape, with axes dropped in front and others set to 1. */
const broadcasting = fc
  .tuple(shape, fc.nat(4), fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }), fc.boolean())
  .map(([full, drop, ones, swap]) => {
    const part = full.map((n, i) => (ones[i] ? 1 : n)).slice(drop);
    return swap ? [part, full] : [full, part];
  });

const options = { numRuns: 30, seed: 3 };

it('broadcasts any shapes of rank 0 to 4, empty ones included', async () => {
  const operations = fc.constantFrom<Program>(
    (a, b) => tf.add(a!, b!),
    (a, b) => tf.mul(a!, b!),
    (a, b) => tf.sub(tf.exp(a!), b!),
    (a, b) => tf.div(a!, tf.add(tf.square(b!), 1)),
  );
  await fc.assert(fc.asyncProperty(operations, broadcasting, expectSame), options);
});

it('reduces any axes', async () => {
  const reduction = fc.constantFrom<(x: tf.Tensor, axes: number[], keep: boolean) => tf.Tensor>(
    tf.sum,
    tf.mean,
    tf.max,
  );
  const filled = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });
  const cases = filled.chain((full) => fc.tuple(fc.constant(full), fc.subarray(full.map((_, i) => i)), fc.boolean()));
  await fc.assert(
    fc.asyncProperty(reduction, cases, (reduce, [full, axes, keep]) =>
      expectSame((x) => reduce(tf.mul(x!, 2), axes.length ? axes : [0], keep), [full]),
    ),
    options,
  );
});

it('multiplies matrices of any sizes, batched and transposed', async () => {
  const cases = fc.record({
    batch: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 2 }),
    m: size,
    k: size,
    n: size,
  });
  await fc.assert(
    fc.asyncProperty(cases, fc.boolean(), fc.boolean(), ({ batch, m, k, n }, ta, tb) =>
      expectSame(
        (a, b) => tf.matMul(a!, b!, ta, tb),
        [
          [...batch, ...(ta ? [k, m] : [m, k])],
          [...batch, ...(tb ? [n, k] : [k, n])],
        ],
      ),
    ),
    options,
  );
});

it('gives the gradients of a layer that is applied many times', async () => {
  const sizes = fc.record({ steps: fc.integer({ min: 1, max: 4 }), rows: fc.integer({ min: 1, max: 5 }) });
  await fc.assert(
    fc.asyncProperty(sizes, ({ steps, rows }) =>
      expectSame(
        (x, w, b) =>
          Array.from({ length: steps }).reduce<tf.Tensor>((y) => tf.tanh(tf.add(tf.matMul(y, w!), b!)), tf.tanh(x!)),
        [[rows, 3], [3, 3], [3]],
      ),
    ),
    { ...options, numRuns: 15 },
  );
});

it('cuts, joins and rearranges', async () => {
  const cases = fc.record({
    rows: fc.integer({ min: 1, max: 5 }),
    columns: fc.integer({ min: 1, max: 5 }),
    cut: fc.nat(4),
  });
  await fc.assert(
    fc.asyncProperty(cases, ({ rows, columns, cut }) => {
      const at = Math.min(cut, columns);
      return expectSame(
        (a, b) => {
          const joined = tf.concat([a!, tf.transpose(b!), tf.ones([rows, 0])], 1);
          const part = tf.slice(joined, [0, at], [rows, columns]);
          return tf.reshape(
            tf.pad(tf.reverse(part, 1), [
              [1, 0],
              [0, 2],
            ]),
            [-1],
          );
        },
        [
          [rows, columns],
          [columns, rows],
        ],
      );
    }),
    options,
  );
});

it('merges the small operators of a chain whose steps read rows of tables', async () => {
  const sizes = fc.tuple(
    fc.integer({ min: 1, max: 9 }),
    fc.integer({ min: 1, max: 5 }),
    fc.integer({ min: 1, max: 5 }),
  );
  const readers = fc.constantFrom<(table: tf.Tensor, rows: number) => tf.Tensor[]>(
    (table, rows) => (rows === 1 ? [table] : tf.split(table, rows)),
    (table, rows) => Array.from({ length: rows }, (_, k) => tf.slice(table, [k, 0], [1, -1])),
    (table, rows) => Array.from({ length: rows }, (_, k) => tf.slice(table, [rows - 1 - k, 0], [1, -1])),
  );
  await fc.assert(
    fc.asyncProperty(sizes, readers, async ([steps, rows, width], rowsOf) => {
      const run: Program = (x, decay, gain, noise, kernel, biases, seen) => {
        const [decays, gains, times] = [decay!, gain!, biases!].map((table) => rowsOf(table, steps));
        const states = [x!];
        tf.unstack(noise!).forEach((kick, k) => {
          const product = tf.matMul(states[k]!, kernel as tf.Tensor2D);
          const control = tf.tanh(tf.add(product, tf.add(seen!, times![k]!)));
          const mean = tf.add(tf.mul(states[k]!, decays![k]!), tf.mul(control, gains![k]!));
          states.push(tf.add(mean, tf.mul(kick, gains![k]!)));
        });
        const back = states.slice(1).map((next, k) => tf.sub(tf.mul(next, decays![k]!), states[k]!));
        return tf.concat([tf.sum(tf.square(tf.stack(back)), 2), tf.sum(tf.stack(states), 2)]);
      };
      const tables = [
        [steps, width],
        [steps, width],
        [steps, rows, width],
        [width, width],
        [steps, width],
      ];
      await expectSame(run, [[rows, width], ...tables, [rows, width]]);
    }),
    { numRuns: 12, seed: 4 },
  );
});

it('takes few operators for such a chain', async () => {
  const [steps, rows, width] = [12, 8, 3];
  const run = (x: tf.Tensor, decay: tf.Tensor, noise: tf.Tensor) => {
    const decays = tf.split(decay, steps);
    const states = [x];
    tf.unstack(noise).forEach((kick, k) => void states.push(tf.add(tf.mul(states[k]!, decays[k]!), kick)));
    return tf.sum(tf.square(tf.stack(states.slice(1).map((next, k) => tf.mul(next, decays[k]!)))));
  };
  const x = [
    [rows, width],
    [steps, width],
    [steps, rows, width],
  ].map((shape, i) => noise(shape, -1, 1, i));
  const compiled = compile((...tensors: tf.Tensor[]) => tf.grads(run as Program)(tensors));
  tf.dispose(await compiled(...x));
  const count = (operator: string) => compiled.text.split(`= ${operator}(`).length - 1;
  expect(count('Slice')).toBe(0);
  expect(count('Mul')).toBeLessThan(3 * steps + 10);
  expect(count('MatMul')).toBe(0);
  await compiled.dispose();
});

/** A layer that K times sees an observation and a row of a table beside its state. */
const shared = (steps: number) => (x: tf.Tensor, kernel: tf.Tensor, times: tf.Tensor, seen: tf.Tensor) =>
  tf.sum(
    tf.split(times, steps).reduce<tf.Tensor>((y, time) => {
      return tf.tanh(tf.add(tf.matMul(y as tf.Tensor2D, kernel as tf.Tensor2D), tf.add(seen, time)));
    }, x),
  );

it.each([
  { what: 'from the rows of all', rows: 6, counts: ([steps]: number[]) => [steps, 2 * steps! + 1, 2] },
  {
    what: 'one on top of the other where they are large',
    rows: 2048,
    counts: ([k]: number[]) => [2 * k! - 1, 3 * k!, 1],
  },
])('takes the gradients of what K layers share $what', async ({ rows, counts }) => {
  const [steps, width] = [10, 4];
  const shapes = [
    [rows, width],
    [width, width],
    [steps, width],
    [rows, width],
  ];
  const x = shapes.map((shape, i) => noise(shape, -1, 1, i));
  const gradients = (...tensors: tf.Tensor[]) => tf.grads(shared(steps) as Program)(tensors);
  const compiled = compile(gradients);
  tf.dispose(await compiled(...x));
  const count = (operator: string) => compiled.text.split(`= ${operator}(`).length - 1;
  expect([count('Add'), count('Gemm'), count('Concat')]).toEqual(counts([steps]));
  await compiled.dispose();
  await expectSame(shared(steps) as Program, shapes);
});
