import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { compile } from '../../src/compile/index.js';
import { noise } from './kernelCases.js';

type Program = (...x: tf.Tensor[]) => tf.Tensor;
interface Case {
  what: string;
  program: Program;
  x: tf.Tensor[];
}

/** Compares `program`, compiled and eager, to 1e-5 relative to the larger of the value and 1. */
async function expectSame({ program, x }: Case): Promise<void> {
  const compiled = compile(program);
  const [actual, expected] = [await compiled(...x), program(...x)];
  expect([actual.dtype, actual.shape]).toEqual([expected.dtype, expected.shape]);
  const numbers = actual.dataSync();
  expected.dataSync().forEach((value, i) => {
    if (Object.is(numbers[i], value) || numbers[i] === value) return;
    expect(Math.abs(numbers[i]! - value) / Math.max(1, Math.abs(value)), `entry ${i}`).toBeLessThan(1e-5);
  });
  await compiled.dispose();
}

/** As many values as it takes to be stacked. */
const lanesOf = <T>(make: (k: number) => T): T[] => [1, 2, 3, 4, 5, 6].map(make);

const integers = (shape: number[], seed = 1) => tf.cast(noise(shape, -9, 9, seed), 'int32');

describe('programs that look like what a pass rewrites', () => {
  it.each<Case>([
    ...Object.entries({ add: tf.add, mul: tf.mul }).flatMap(([name, run]) => [
      {
        what: `lanes of ${name}: a matrix, then numbers`,
        program: ((x, y) => tf.concat([run(x!, y!), ...lanesOf((k) => run(x!, k + 1))], 0)) as Program,
        x: [noise([2, 3]), noise([2, 3], -2, 2, 2)],
      },
      {
        what: `lanes of ${name}: a matrix, then rows`,
        program: ((x, y, table) =>
          tf.concat([run(x!, y!), ...tf.split(table!, 6).map((row) => run(row, x!))], 0)) as Program,
        x: [noise([2, 3]), noise([2, 3], -2, 2, 2), noise([6, 3], -2, 2, 3)],
      },
    ]),
    {
      what: 'a sum of products with rows of ones, of rank 3',
      program: (x, y) => tf.add(tf.matMul(tf.ones([1, 2, 4]), x!), tf.matMul(tf.ones([1, 2, 4]), y!)),
      x: [noise([2, 4, 3]), noise([2, 4, 3], -2, 2, 2)],
    },
    {
      what: 'a sum of products with rows of ones, of integers',
      program: (x, y) => {
        const ones: tf.Tensor2D = tf.ones([1, 4], 'int32');
        return tf.add(tf.matMul(ones, x as tf.Tensor2D), tf.matMul(ones, y as tf.Tensor2D));
      },
      x: [integers([4, 3]), integers([4, 3], 2)],
    },
    {
      what: 'lanes of integers, their products with rows of ones below each other too',
      program: (...x) => {
        const products = x.map((lane) => tf.matMul(tf.ones([1, 2], 'int32'), lane as tf.Tensor2D));
        return tf.add(tf.concat(products), tf.sum(tf.concat(x)));
      },
      x: lanesOf((k) => integers([2, 3], k)),
    },
    {
      what: 'lanes of integers below each other, and their sum',
      program: (...x) => tf.mul(tf.concat(x), tf.sum(tf.addN(x))),
      x: lanesOf((k) => integers([2, 3], k)),
    },
    {
      what: 'a softmax along repeated entries',
      program: (x) => tf.softmax(tf.tile(x!, [1, 4])),
      x: [noise([2, 1])],
    },
    {
      what: 'a softmax of repeated rows',
      program: (x) => tf.softmax(tf.add(x!, tf.zeros([3, 4]))),
      x: [noise([4])],
    },
    ...[
      [5, 2],
      [2, 2],
      [Number.NaN, 2],
    ].map(([min, max]) => ({
      what: `numbers from ${min} to ${max}`,
      program: ((x) => tf.logicalAnd(tf.greaterEqual(x!, min!), tf.lessEqual(x!, max!))) as Program,
      x: [tf.range(0, 8)],
    })),
    {
      what: 'numbers between two matrices of one number each',
      program: (x) => {
        const [min, max] = [tf.ones([1, 4]), tf.fill([1, 4], 2)];
        return tf.any(
          tf.concat([tf.logicalAnd(tf.greaterEqual(x!, min), tf.lessEqual(x!, max)), tf.equal(max, min)]),
          0,
        );
      },
      x: [tf.range(0, 4)],
    },
    {
      what: 'entries of constants of the same numbers but two types',
      program: (i) => {
        const [reals, wholes] = [tf.tensor1d([1, 2, 3]), tf.tensor1d([1, 2, 3], 'int32')];
        const at = (table: tf.Tensor1D) => tf.add(tf.gather(table, i as tf.Tensor1D), tf.scalar(1, table.dtype));
        return tf.div(at(reals), tf.cast(at(wholes), 'float32'));
      },
      x: [tf.tensor1d([0, 2], 'int32')],
    },
    {
      what: 'quotients by constants that differ in the sign of a zero',
      program: (x) => tf.stack([tf.div(x!, tf.tensor1d([0, 1])), tf.div(x!, tf.tensor1d([-0, 1]))]),
      x: [tf.ones([2])],
    },
    {
      what: 'a vector times a number as often as it takes for a row',
      program: (x) => tf.softmax(tf.mul(tf.add(x!, tf.zeros([1, 3])), tf.fill([1, 3], 2))),
      x: [noise([3])],
    },
    {
      what: 'GELU of a vector that becomes a row on the way',
      program: (x) => {
        const slope = 2 * Math.sqrt(2 / Math.PI);
        const cube = tf.mul(tf.mul(tf.mul(x!, x!), x!), 0.044715 * slope);
        const gate = tf.sigmoid(tf.add(tf.mul(x!, tf.fill([1, 3], slope)), cube));
        return tf.concat([tf.mul(x!, gate), tf.ones([1, 3])]);
      },
      x: [noise([3])],
    },
    {
      what: 'tensors without elements, side by side',
      program: (x, y) => tf.concat([x!, y!], 1),
      x: [tf.zeros([0, 3]), tf.zeros([0, 2])],
    },
    {
      what: 'the sum of infinite numbers, none of them',
      program: (x) => tf.add(x!, tf.sum(tf.fill([0, 3], Infinity), 0)),
      x: [noise([3])],
    },
    ...[
      [0, Infinity],
      [-Infinity, 3],
      [-1e10, 0.5],
      [-2.5, 2.5],
    ].map(([min, max]) => ({
      what: `integers cut to ${min} ... ${max}`,
      program: ((x) => tf.clipByValue(x!, min!, max!)) as Program,
      x: [tf.range(-4, 5, 1, 'int32')],
    })),
  ])('$what', expectSame);

  it('a logarithm of a softmax along repeated entries, which is a kernel of compiled functions only', async () => {
    const logits = (x: tf.Tensor) => tf.tile(x, [1, 4]);
    const compiled = compile((x: tf.Tensor) => tf.engine().runKernel('LogSoftmax', { logits: logits(x) }, { axis: 1 }));
    const logs = ((await compiled(noise([2, 1]))) as tf.Tensor).dataSync();
    logs.forEach((log) => void expect(log).toBeCloseTo(-Math.log(4), 5));
    expect(logs.length).toBe(8);
    await compiled.dispose();
  });
});
