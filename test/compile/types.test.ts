import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { CompileError, compile } from '../../src/compile/index.js';
import type { Emitters } from '../../src/compile/kernels/emitter.js';
import { CASES } from './kernelCases.js';

const ONE_EACH = CASES.filter(({ kernel }, i) => CASES.findIndex((other) => other.kernel === kernel) === i);

/** What eager code gives for the inputs of a case cast to `dtype`; nothing if it refuses them too. */
function eager({ run, inputs }: (typeof CASES)[number], dtype: 'int32' | 'bool') {
  const x = inputs().map((tensor) => (tensor.dtype === 'float32' ? tf.cast(tensor, dtype) : tensor));
  try {
    return { x, results: [run(...x)].flat() };
  } catch {
    return undefined;
  }
}

it.each(['int32', 'bool'] as const)(
  'every kernel gives the eager value for %s, or an error that names it',
  async (dtype) => {
    let compared = 0;
    for (const entry of ONE_EACH) {
      const expected = eager(entry, dtype);
      if (!expected) continue;
      const program = compile((...x: tf.Tensor[]) => [entry.run(...x)].flat());
      const actual = await program(...expected.x).catch((error: Error) => error);
      if (actual instanceof Error) {
        if (/Integer (division|modulo) by zero/.test(actual.message)) continue;
        expect(actual, entry.name).toBeInstanceOf(CompileError);
        expect(actual.message, entry.name).toMatch(/kernel '\w+' \(.*(int32|bool).*cast.*called at/);
        continue;
      }
      compared++;
      actual.forEach((tensor, i) => {
        const wanted = expected.results[i]!;
        expect([tensor.dtype, tensor.shape], entry.name).toEqual([wanted.dtype, wanted.shape]);
        const numbers = tensor.dataSync();
        wanted.dataSync().forEach((value, j) => {
          if (Number.isNaN(value)) expect(numbers[j], entry.name).toBeNaN();
          else if (value !== numbers[j]) expect(numbers[j], entry.name).toBeCloseTo(value, 3);
        });
      });
      await program.dispose();
    }
    expect(compared).toBeGreaterThan(40);
  },
);

it('a kernel, input or attribute that TensorFlow.js does not have is a type error in an emitter', () => {
  const wrong = {
    // @ts-expect-error: it has x.
    Neg: (b, { y }) => b.neg(y),
    // @ts-expect-error: it has axis.
    Sum: (b, { x }, { axes }) => b.sum(x, axes),
    // @ts-expect-error: it is Neg.
    Negative: (b: never) => b,
  } satisfies Partial<Emitters>;
  expect(
    Object.keys(wrong).filter((name) => !tf.getKernelsForBackend('cpu').some((k) => k.kernelName === name)),
  ).toEqual(['Negative']);
});
