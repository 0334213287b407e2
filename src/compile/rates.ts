import * as tf from '@tensorflow/tfjs-core';
import { CompileError } from './errors.js';

/** An optimiser of TensorFlow.js: its rate is a number, so it becomes part of the graph. */
interface Optimizer {
  readonly learningRate?: number;
  applyGradients(...args: unknown[]): void;
}

const CLASSES = [
  ...[tf.SGDOptimizer, tf.MomentumOptimizer, tf.RMSPropOptimizer, tf.AdagradOptimizer],
  ...[tf.AdadeltaOptimizer, tf.AdamOptimizer, tf.AdamaxOptimizer],
];
const prototypes = () => CLASSES.map((Class) => Class.prototype as unknown as Optimizer);

/** The learning rates that became part of a graph. */
export class BakedRates {
  private readonly rates = new Map<Optimizer, number | undefined>();
  private readonly originals = prototypes().map((prototype) => prototype.applyGradients);

  constructor() {
    const { rates } = this;
    prototypes().forEach((prototype, i) => {
      const original = this.originals[i]!;
      prototype.applyGradients = function (this: Optimizer, ...args) {
        rates.set(this, this.learningRate);
        original.apply(this, args);
      };
    });
  }

  /** Stops watching. */
  release(): void {
    prototypes().forEach((prototype, i) => void Object.assign(prototype, { applyGradients: this.originals[i] }));
  }

  /** @throws {@link CompileError} if a rate has changed since */
  check(name: string): void {
    for (const [optimizer, rate] of this.rates) {
      if (optimizer.learningRate === rate) continue;
      throw new CompileError(
        `${name}: the learning rate of ${optimizer.constructor.name} is now ${optimizer.learningRate}, but ${rate} is part ` +
          'of the compiled graph. For a rate that changes take Adam of diffrl with learningRate: (step) => ..., or step ' +
          'by hand with the rate as an argument or variable: w.assign(tf.sub(w, tf.mul(rate, gradient))).',
      );
    }
  }
}
