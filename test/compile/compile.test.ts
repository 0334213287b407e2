import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import * as ort from 'onnxruntime-node';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Value } from '../../src/compile/graph.js';
import { CompileError, compile } from '../../src/compile/index.js';
import { optimise } from '../../src/compile/optimise.js';
import { trace } from '../../src/compile/trace.js';
import { ArgumentError, ShapeError } from '../../src/errors.js';
import { gelu } from '../../src/ops/activations.js';
import { noise } from './kernelCases.js';

const vector = (...x: number[]) => ({ data: Float32Array.from(x), shape: [x.length] });

afterEach(() => tf.disposeVariables());

describe('arguments and results', () => {
  it('takes tensors and typed arrays and gives the structure of the result', async () => {
    const f = compile((x: tf.Tensor1D, { y }: { y: tf.Tensor1D }) => ({
      sum: tf.add(x, y),
      list: [tf.mul(x, y), null],
    }));
    const { sum, list } = await f(tf.tensor1d([1, 2]), { y: vector(3, 4) });
    expect(sum.dataSync()).toEqual(Float32Array.of(4, 6));
    expect((list[0] as tf.Tensor).dataSync()).toEqual(Float32Array.of(3, 8));
    expect(list[1]).toBeNull();
  });

  it('gives typed arrays on request', async () => {
    const f = compile((x: tf.Tensor1D) => ({ twice: tf.mul(x, 2) }), { outputs: 'arrays' });
    const before = tf.memory().numTensors;
    expect(await f(vector(1, 2))).toEqual({ twice: { data: Float32Array.of(2, 4), shape: [2] } });
    expect(tf.memory().numTensors).toBe(before);
  });

  it('passes int32 and bool', async () => {
    const f = compile((i: tf.Tensor1D, c: tf.Tensor1D) => [tf.add(i, tf.scalar(1, 'int32')), tf.logicalNot(c)], {
      outputs: 'arrays',
    });
    const [i, c] = await f({ data: Int32Array.of(1, -2), shape: [2] }, { data: Uint8Array.of(0, 1), shape: [2] });
    expect(i!.data).toEqual(Int32Array.of(2, -1));
    expect(c!.data).toEqual(Uint8Array.of(1, 0));
  });

  it('gives every result numbers of its own', async () => {
    const constant = tf.tensor1d([5, 6]);
    const f = compile(
      (x: tf.Tensor1D) => {
        const y = tf.neg(x);
        return [x, y, y, constant];
      },
      { outputs: 'arrays' },
    );
    const x = vector(1, 2);
    const [a, b, c, d] = await f(x);
    expect(a!.data).toEqual(Float32Array.of(1, 2));
    expect(a!.data).not.toBe(x.data);
    expect(b!.data).toEqual(Float32Array.of(-1, -2));
    expect(c!.data).toEqual(b!.data);
    expect(c!.data).not.toBe(b!.data);
    expect(d!.data).toEqual(Float32Array.of(5, 6));
  });

  it('takes constants that share their numbers each by its own type', async () => {
    const wholes = tf.tensor1d([1, 2], 'int32');
    const reals = tf.cast(wholes, 'float32');
    const f = compile((i: tf.Tensor1D, x: tf.Tensor1D) => [tf.add(i, wholes), tf.mul(x, reals), tf.sub(i, wholes)]);
    const results = await f({ data: Int32Array.of(3, 5), shape: [2] }, vector(0.5, 0.25));
    expect(results.map(({ dtype }) => dtype)).toEqual(['int32', 'float32', 'int32']);
    expect(results.map((result) => [...result.dataSync()])).toEqual([
      [4, 7],
      [0.5, 0.5],
      [2, 3],
    ]);
  });

  it('takes tensors without elements', async () => {
    const f = compile((x: tf.Tensor2D) => [tf.sum(x, 0), tf.mul(x, 2), tf.concat([x, tf.ones([1, 3])])]);
    const [sum, twice, joined] = await f(tf.zeros([0, 3]));
    expect(sum!.dataSync()).toEqual(Float32Array.of(0, 0, 0));
    expect(twice!.shape).toEqual([0, 3]);
    expect(joined!.dataSync()).toEqual(Float32Array.of(1, 1, 1));
  });

  it('takes booleans and strings as part of the program', async () => {
    const f = compile((x: tf.Tensor1D, square: boolean) => (square ? tf.square(x) : x), { outputs: 'arrays' });
    expect((await f(vector(3), true)).data).toEqual(Float32Array.of(9));
    await expect(f(vector(3), false)).rejects.toThrow(ArgumentError);
  });

  it('traces once per combination of sizes', async () => {
    let traces = 0;
    const f = compile(
      (x: tf.Tensor1D) => {
        traces++;
        return tf.sum(x);
      },
      { outputs: 'arrays' },
    );
    for (const x of [vector(1), vector(1, 2), vector(4), vector(3, 4)]) {
      expect((await f(x)).data[0]).toBe(x.data.reduce((a, b) => a + b));
    }
    expect(traces).toBe(2);
    expect(f.graphs).toBe(2);
  });

  it('keeps the graphs used last, and names the argument that is traced anew', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    let traces = 0;
    const program = ({ x }: { x: tf.Tensor1D }, scale: tf.Tensor) => {
      traces++;
      return tf.mul(tf.sum(x), scale);
    };
    const f = compile(program, { outputs: 'arrays', name: 'act', maxGraphs: 2 });
    const call = async (...x: number[]) =>
      (await f({ x: vector(...x) }, { data: Float32Array.of(2), shape: [] })).data[0];
    for (const x of [[1], [1, 2], [3]]) await call(...x);
    expect([traces, f.graphs, warn.mock.calls.length]).toEqual([2, 2, 0]);
    expect(await call(1, 2, 3)).toBe(12); // drops the graph for two numbers
    expect(warn.mock.calls[0]![0]).toMatch(/act was called with more than 2 .*, last args\[0\]\.x float32 \[3\];/);
    expect(await call(4)).toBe(8);
    expect([traces, f.graphs]).toEqual([3, 2]);
    expect(await call(1, 2)).toBe(6);
    expect([traces, f.graphs, warn.mock.calls.length]).toEqual([4, 2, 1]);
    warn.mockRestore();
    await f.dispose();
    expect(f.graphs).toBe(0);
    expect(() => compile(program, { maxGraphs: 0 })).toThrow(ArgumentError);
  });

  it('tells what became of a function', async () => {
    const w = tf.variable(tf.ones([2, 2]));
    const f = compile((x: tf.Tensor2D) => tf.add(tf.mul(tf.matMul(x, w as tf.Tensor2D), 0.5), tf.range(0, 2)));
    expect(f.text).toBe('');
    await f(tf.ones([3, 2]));
    expect(f.text).toMatchInlineSnapshot(`
      "# args[0] float32 [3, 2]
      x0  float32 [3, 2]
      v0  float32 [2, 2]
      n0 = MatMul(x0, v0)  float32 [3, 2]
      n1 = Mul(n0, 0.5)  float32 [3, 2]
      n2 = Add(n1, [0, 1])  float32 [3, 2]
      "
    `);
  });

  it('runs concurrent calls in the order they are made', async () => {
    const total = tf.variable(tf.scalar(0));
    const add = compile(
      (x: tf.Tensor1D) => {
        total.assign(tf.add(total, tf.sum(x)) as tf.Scalar);
        return tf.clone(total);
      },
      { outputs: 'arrays' },
    );
    const double = compile(() => void total.assign(tf.mul(total, 2) as tf.Scalar));
    const [a, , b] = await Promise.all([add(vector(1)), double(), add(vector(1, 2)), double()]);
    expect([a.data[0], b.data[0], total.dataSync()[0]]).toEqual([1, 5, 10]);
  });
});

describe('variables', () => {
  it('are read and assigned as state that eager code shares', async () => {
    const v = tf.variable(tf.tensor1d([1, 2]));
    const step = compile((x: tf.Tensor1D) => v.assign(tf.add(v, x)));
    await step(vector(10, 20));
    expect(await v.data()).toEqual(Float32Array.of(11, 22));
    v.assign(tf.tensor1d([0, 0]));
    await step(vector(1, 1));
    await step(vector(1, 1));
    expect(tf.add(v, 0).dataSync()).toEqual(Float32Array.of(2, 2));
  });

  it('share their array with the cpu backend, and never change one', async () => {
    const v = tf.variable(tf.tidy(() => tf.ones([2])));
    const step = compile(() => v.assign(tf.mul(v, 2)));
    await step();
    const before = v.dataSync();
    await step();
    expect(before).toEqual(Float32Array.of(2, 2));
    v.dataSync()[0] = 7;
    await step();
    expect(v.dataSync()).toEqual(Float32Array.of(14, 8));
  });

  it('are shared by compiled functions', async () => {
    const v = tf.variable(tf.scalar(1));
    const double = compile(() => v.assign(tf.mul(v, 2) as tf.Scalar));
    const read = compile((x: tf.Tensor1D) => tf.add(x, v), { outputs: 'arrays' });
    await double();
    expect((await read(vector(0))).data[0]).toBe(2);
    await double();
    expect((await read(vector(1))).data[0]).toBe(5);
  });

  it('leave copies made before alone', async () => {
    const v = tf.variable(tf.tensor1d([1]));
    const target = tf.variable(tf.tensor1d([0]));
    const step = compile(() => v.assign(tf.add(v, 1)));
    const snapshot = v.clone();
    target.assign(v);
    for (let i = 0; i < 3; i++) await step();
    expect([snapshot, target, v].map((x) => x.dataSync()[0])).toEqual([1, 1, 4]);
  });

  it('are assigned all or none, and a call that fails keeps no result', async () => {
    const [a, b] = [1, 2].map((x) => tf.variable(tf.scalar(x)));
    const both = compile((x: tf.Scalar) => {
      a!.assign(tf.add(a!, x));
      b!.assign(tf.add(b!, x));
      return tf.clone(a!);
    });
    const one = tf.scalar(1);
    await (await both(one)).dispose();
    const before = tf.memory().numTensors;
    const running = both(one);
    b!.dispose();
    await expect(running).rejects.toThrow(/was disposed of during the call/);
    expect(a!.dataSync()[0]).toBe(2);
    expect(tf.memory().numTensors).toBe(before - 1);
  });

  it('take what another one is at each call, not what it was at the first', async () => {
    const [hidden, total] = [0, 0].map((x) => tf.variable(tf.scalar(x)));
    const before = compile((x: tf.Scalar) => {
      hidden!.assign(total!);
      total!.assign(tf.add(total!, x));
      return tf.clone(hidden!);
    });
    const seen: number[] = [];
    for (let i = 0; i < 4; i++) seen.push((await before(tf.scalar(1))).dataSync()[0]!);
    expect(seen).toEqual([0, 1, 2, 3]);
    total!.assign(tf.scalar(10));
    expect((await before(tf.scalar(1))).dataSync()[0]).toBe(10);
  });

  it('can change places, take constants and take inputs', async () => {
    const [a, b, c, d] = [1, 2, 3, 4].map((x) => tf.variable(tf.tensor1d([x])));
    const step = compile(
      (x: tf.Tensor1D) => {
        const old = tf.clone(a!);
        a!.assign(b!);
        b!.assign(old);
        c!.assign(tf.zeros([1]));
        d!.assign(x);
        return { old, now: tf.clone(a!) };
      },
      { outputs: 'arrays' },
    );
    const x = vector(7);
    const { old, now } = await step(x);
    expect([old.data[0], now.data[0]]).toEqual([1, 2]);
    expect([a, b, c, d].map((v) => v!.dataSync()[0])).toEqual([2, 1, 0, 7]);
    x.data[0] = 0;
    expect(d!.dataSync()[0]).toBe(7);
  });

  it('can be created inside, with constants', async () => {
    let slot: tf.Variable | undefined;
    const step = compile(
      (x: tf.Tensor1D) => {
        slot ??= tf.variable(tf.zerosLike(x));
        slot.assign(tf.add(slot, x));
        return tf.clone(slot);
      },
      { outputs: 'arrays' },
    );
    await step(vector(1, 2));
    expect((await step(vector(1, 2))).data).toEqual(Float32Array.of(2, 4));
    expect(slot!.dataSync()).toEqual(Float32Array.of(2, 4));
  });

  it('have what depends on them alone computed once, until they change', async () => {
    const [a, b] = [1, 2].map((seed) => tf.variable(noise([64, 64], -1, 1, seed) as tf.Tensor2D));
    const fn = (x: tf.Tensor2D) => {
      const product: tf.Tensor2D = tf.matMul(a!, b!);
      return { product, y: tf.matMul(x, tf.tanh(product)) };
    };
    let runs = 0;
    const counting = {
      ...ort,
      InferenceSession: {
        create: async (...args: Parameters<typeof ort.InferenceSession.create>) => {
          const session = await ort.InferenceSession.create(...args);
          return {
            run: (feeds: ort.InferenceSession.FeedsType) => ++runs && session.run(feeds),
            release: () => session.release(),
          };
        },
      },
    };
    const f = compile(fn, { runtime: counting as never });
    const x = noise([2, 64]) as tf.Tensor2D;
    const check = async (expectedRuns: number) => {
      const before = runs;
      const [actual, expected] = [await f(x), fn(x)];
      for (const key of ['product', 'y'] as const) {
        tf.sub(actual[key], expected[key])
          .dataSync()
          .forEach((error) => void expect(Math.abs(error)).toBeLessThan(1e-4));
      }
      expect(runs - before).toBe(expectedRuns);
    };
    await check(2);
    await check(1);
    b!.assign(tf.mul(b!, 0.5) as tf.Tensor2D);
    await check(2);
    await check(1);
  });

  it('keep their values when a function fails', async () => {
    const v = tf.variable(tf.tensor1d([1]));
    const before = tf.memory();
    const bad = compile(() => {
      v.assign(tf.zeros([1]));
      throw new Error('on purpose');
    });
    await expect(bad()).rejects.toThrow('on purpose');
    expect(v.dataSync()[0]).toBe(1);
    expect(tf.memory()).toEqual(before);
    expect(tf.getBackend()).toBe('cpu');
  });
});

describe('other backends', () => {
  afterEach(() => tf.setBackend('cpu'));

  it('hold arguments, variables and results', async () => {
    await tf.setBackend('wasm');
    const v = tf.variable(tf.tensor1d([1, 2]));
    const onCpu = { data: Float32Array.of(3, 3), shape: [2] };
    const step = compile((x: tf.Tensor1D, y: tf.Tensor1D) => {
      v.assign(tf.add(v, tf.mul(x, y)));
      return tf.sum(v);
    });
    const before = tf.memory().numTensors;
    for (const expected of [9, 15]) {
      const x = tf.tensor1d([1, 1]);
      const sum = await step(x, onCpu);
      expect((await sum.data())[0]).toBe(expected);
      tf.dispose([x, sum]);
    }
    v.assign(tf.tidy(() => tf.zerosLike(v)));
    const sum = await step(tf.tensor1d([1, 0]), onCpu);
    expect(await v.data()).toEqual(Float32Array.of(3, 0));
    expect((await sum.data())[0]).toBe(3);
    expect(tf.getBackend()).toBe('wasm');
    expect(tf.memory().numTensors - before).toBe(3);
  });
});

describe('training', () => {
  it('gives the losses and weights of eager training with layers, gradients and Adam', async () => {
    const make = () => {
      const init = (seed: number) => tfl.initializers.glorotUniform({ seed });
      const model = tfl.sequential();
      model.add(tfl.layers.dense({ units: 16, activation: 'relu', inputShape: [3], kernelInitializer: init(1) }));
      model.add(tfl.layers.dense({ units: 1, kernelInitializer: init(2) }));
      const adam = tf.train.adam(0.01);
      const step = (x: tf.Tensor2D, y: tf.Tensor2D) => {
        const loss = () => tf.mean(tf.squaredDifference(model.apply(x) as tf.Tensor, y)) as tf.Scalar;
        const { value, grads } = tf.variableGrads(
          loss,
          model.trainableWeights.map((w) => w.read() as tf.Variable),
        );
        adam.applyGradients(grads as never);
        return value;
      };
      return { model, step };
    };
    const x = noise([16, 3]) as tf.Tensor2D;
    const y = tf.sum(x, 1, true) as tf.Tensor2D;
    const eager = make();
    const compiled = make();
    const step = compile(compiled.step);
    for (let i = 0; i < 10; i++) {
      const expected = eager.step(x, y).dataSync()[0]!;
      expect((await step(x, y)).dataSync()[0]).toBeCloseTo(expected, 5);
    }
    const weights = compiled.model.getWeights().map((w) => w.dataSync());
    eager.model.getWeights().forEach((w, i) => {
      w.dataSync().forEach((value, j) => void expect(weights[i]![j]).toBeCloseTo(value, 4));
    });
  });

  it('follows tf.customGrad and drops stopped gradients', async () => {
    const stop = tf.customGrad((x) => ({
      value: tf.clone(x as tf.Tensor),
      gradFunc: (dy) => [tf.zerosLike(dy as tf.Tensor)],
    }));
    const f = compile((x: tf.Tensor1D) => tf.grad((z) => tf.sum(tf.mul(z, stop(z))))(x), { outputs: 'arrays' });
    expect((await f(vector(2, 3))).data).toEqual(Float32Array.of(2, 3));
  });
});

describe('errors', () => {
  it('names the call that reads tensor values', async () => {
    const v = tf.variable(tf.scalar(1));
    for (const read of [(x: tf.Tensor) => x.dataSync(), (x: tf.Tensor) => x.arraySync(), () => v.dataSync()]) {
      const f = compile((x: tf.Tensor1D) => tf.mul(x, (read(x) as ArrayLike<number>)[0]!), { name: 'reader' });
      await expect(f(vector(1))).rejects.toThrow(/reader: tensor values cannot be read.*compile\.test\.ts/);
    }
  });

  it('names a kernel that cannot be compiled, its shapes and the call', async () => {
    const f = compile((x: tf.Tensor4D) => tf.maxPool(x, 2, 2, 'valid'));
    const message = /kernel 'MaxPool' \(x: float32 \[1, 4, 4, 1\]\).*compile\.test\.ts/;
    await expect(f(tf.zeros([1, 4, 4, 1]))).rejects.toThrow(message);
  });

  it('rejects what does not fit, before anything runs', async () => {
    const v = tf.variable(tf.scalar(0));
    const f = compile((x: tf.Tensor) => v.assign(tf.add(v, tf.sum(x)) as tf.Scalar));
    await f(vector(1));
    const gone = tf.tensor1d([1]);
    gone.dispose();
    const bad = [
      { data: Float32Array.of(1), shape: [1, 1] },
      { data: Int32Array.of(1), shape: [1] },
      gone,
      3,
      [vector(1)],
    ];
    const wrong = compile((y: tf.Tensor) => tf.matMul(y, y));
    await expect(wrong(vector(1))).rejects.toThrow(/'BatchMatMul' \(a: float32 \[1\].*compile\.test\.ts/);
    expect(await wrong(tf.ones([1, 1]))).toBeInstanceOf(tf.Tensor);
    for (const x of bad) await expect(f(x as never)).rejects.toThrow(ArgumentError);
    await expect(f({ data: Float32Array.of(1), shape: [2] })).rejects.toThrow(ShapeError);
    expect(v.dataSync()[0]).toBe(1);
  });

  it('rejects async functions, strings, nesting and use after disposal', async () => {
    await expect(compile(async () => tf.scalar(1))()).rejects.toThrow(/must not be async/);
    await expect(compile(() => tf.tensor1d(['a']))()).rejects.toThrow(CompileError);
    const f = compile((x: tf.Tensor1D) => tf.neg(x));
    await f(vector(1));
    await f.dispose();
    await expect(f(vector(1))).rejects.toThrow(/disposed/);
    expect(() => compile(f, { threads: -1 })).toThrow(ArgumentError);
  });

  it('disposes after the calls made before, and of their graphs too', async () => {
    const f = compile((x: tf.Tensor1D) => tf.neg(x), { outputs: 'arrays' });
    await f(vector(1));
    const calls = [f(vector(2)), f(vector(3, 4))];
    await f.dispose();
    expect((await Promise.all(calls)).map(({ data }) => [...data])).toEqual([[-2], [-3, -4]]);
    expect(f.graphs).toBe(0);
  });
});

describe('graph quality', () => {
  const operators = (fn: (x: tf.Tensor2D) => tf.Tensor, shape = [8, 16]) => {
    const { builder, result } = trace('test', [{ dtype: 'float32', shape }], ([x]) => fn(x as tf.Tensor2D));
    return optimise(builder.graph, [result as Value]).map(({ operator }) => operator);
  };

  it('computes constants while tracing', () => {
    expect(operators((x) => tf.add(x, tf.sum(tf.square(tf.tensor1d([1, 2])))))).toEqual(['Add']);
  });

  it('drops what is not needed, neutral elements and stopped gradients', () => {
    const stopped = tf.customGrad((x) => ({
      value: tf.clone(x as tf.Tensor),
      gradFunc: (dy) => tf.zerosLike(dy as tf.Tensor),
    }));
    expect(operators((x) => tf.grad((y) => tf.sum(tf.mul(y, tf.exp(stopped(y)))))(x))).toEqual(['Exp']);
    expect(operators((x) => tf.add(tf.mul(tf.reshape(tf.reshape(x, [-1]), [8, 16]), 1), tf.zerosLike(x)))).toEqual([]);
  });

  it('computes shared subexpressions once', () => {
    expect(operators((x) => tf.add(tf.exp(x), tf.mul(tf.exp(x), 2)))).toEqual(['Exp', 'Mul', 'Add']);
  });

  it('passes transposes to matrix products and sums over rows as one', () => {
    expect(operators((x) => tf.matMul(tf.transpose(x), x))).toEqual(['Gemm']);
    expect(operators((x) => tf.mean(x, 0))).toEqual(['MatMul', 'Reshape']);
  });

  it('asks for the gradient of a clip whether that changed anything', () => {
    const clip = (x: tf.Tensor) => tf.sum(tf.exp(tf.clipByValue(x, -1, 0.1)));
    expect(operators((x) => tf.grad(clip)(x))).toEqual(['Clip', 'Exp', 'Equal', 'Where']);
  });

  it('computes before it repeats, and cuts what follows each other at once', () => {
    expect(operators((x) => tf.grad((y) => tf.mean(tf.neg(tf.mean(y, 1))))(tf.div(x, 3)))).toEqual([]);
    const scaled = (x: tf.Tensor2D) => tf.div(tf.neg(tf.tile(tf.slice(x, 0, [1, -1]), [8, 1])), 3);
    expect(operators(scaled)).toEqual(['Slice', 'Neg', 'Div', 'Expand']);
    expect(operators((x) => tf.sum(tf.add(tf.fill([4, 4], 2), tf.sum(x))))).toEqual(['ReduceSum', 'Add', 'Mul']);
    expect(operators((x) => tf.concat(tf.split(x, 8).slice(1, 6)))).toEqual(['Slice']);
  });

  it('makes one product of the gradients of a layer that is applied many times', () => {
    const { weight, bias } = { weight: noise([16, 16]) as tf.Tensor2D, bias: noise([16]) as tf.Tensor1D };
    const chain = (x: tf.Tensor2D) => (w: tf.Tensor, b: tf.Tensor) =>
      tf.sum(
        [1, 2, 3, 4].reduce<tf.Tensor>((y) => tf.tanh(tf.add(tf.matMul(y as tf.Tensor2D, w as tf.Tensor2D), b)), x),
      );
    const names = operators((x) => {
      const [ofWeight, ofBias] = tf.grads(chain(x))([tf.add(weight, tf.sum(x)), tf.add(bias, tf.sum(x))]);
      return tf.concat([ofWeight!, tf.reshape(ofBias!, [1, 16])]);
    });
    const count = (operator: string) => names.filter((name) => name === operator).length;
    expect([count('Concat'), count('MatMul') + count('Gemm')]).toEqual([3, 4 + 3 + 1 + 1]);
  });

  it('makes one operator of GELU where no gradient needs its parts', () => {
    expect(operators(gelu)).toEqual(['Gelu']);
    expect(operators((x) => tf.grad(gelu)(x))).not.toContain('Gelu');
  });

  it('is not slowed down by deep sums', () => {
    const deep = (x: tf.Tensor): tf.Tensor => Array.from({ length: 60 }).reduce<tf.Tensor>((y) => tf.add(y, y), x);
    expect(operators((x) => tf.mul(x, tf.sigmoid(deep(x)))).length).toBe(62);
  });
});
