import * as tf from '@tensorflow/tfjs-core';
import { described } from '../described.js';
import { requireNumber } from '../errors.js';
import type { BoundNetwork, StepNetwork } from '../networks/stepNetwork.js';
import { unstack } from '../ops/pieces.js';
import type { Variables } from '../ops/variables.js';
import { type GivenOptions, integer, number, readOptions, widths } from '../options.js';
import type { Rng } from '../rng/rng.js';
import { mishNetwork } from './ddpm.js';
import type { NetworkFactory } from './process.js';
import { networkOption } from './processOptions.js';
import { ActionSampler, type ParticleSampler, requireInputs, requireRows, type SamplerSizes } from './sampler.js';

export const consistencyOptions = {
  steps: integer(5, { min: 1 }, 'Calls of the network for an action.'),
  firstTime: number(80, { above: 0 }, "Noise level of the chain's start."),
  lastTime: number(2, { above: 0 }, 'Noise level of its last call; those between are evenly spaced.'),
  dataTime: number(0.002, { above: 0 }, 'Noise level of actions themselves, at which the function changes nothing.'),
  dataStd: number(0.5, { above: 0 }, 'Standard deviation that actions are thought to have.'),
  hidden: widths([256, 256, 256], 'Hidden layers of the default network.'),
  network: networkOption('Makes the network F.', "Diffusion-QL's: 3 x 256 with Mish, 16 sinusoids of the noise level"),
};

export type ConsistencyOptions = GivenOptions<typeof consistencyOptions>;

/**
 * A policy that goes from noise to a clean action in one call of its consistency function (Song et al. 2023), or in some, with
 * new noise added before each, as Consistency-AC has it (Ding & Jin 2024):
 *
 * $f(x, t) = c_\mathrm{skip}(t)\,x + c_\mathrm{out}(t)\,F_\theta(x, t)$ with
 * $c_\mathrm{skip} = \sigma^2/((t - \epsilon)^2 + \sigma^2)$, $c_\mathrm{out} = \sigma\,(t - \epsilon)/\sqrt{t^2 + \sigma^2}$, so that
 * $f(x, \epsilon) = x$; noise of standard deviation $\sqrt{t^2 - \epsilon^2}$ leads back from a clean action to level t. Only the
 * end of the chain is clipped, to [-1, 1].
 *
 * @example
 * ```ts run
 * import * as tf from '@tensorflow/tfjs-core';
 * import { ConsistencySampler, Rng, useBestBackend } from 'diffrl';
 *
 * await useBestBackend();
 * const sampler = new ConsistencySampler({ steps: 2 }).build(Rng.fromSeed(0), { observationSize: 3, actionSize: 2 });
 * const noise = tf.tensor(Rng.fromSeed(1).normals(2 * 5 * 2), sampler.noiseShape(5));
 * console.log(sampler.actions(tf.zeros([5, 3]), noise).shape); // [ 5, 2 ]
 * ```
 */
export class ConsistencySampler extends ActionSampler implements ParticleSampler {
  /** Noise levels of the calls, falling. */
  readonly times: readonly number[];
  private readonly dataTime: number;
  private readonly dataStd: number;
  private readonly createNetwork: NetworkFactory;
  private network!: StepNetwork;

  /** @throws ArgumentError for steps below 1, or unless 0 < dataTime < lastTime <= firstTime */
  constructor(options: ConsistencyOptions = {}) {
    super();
    described(this, new.target, options);
    const given = readOptions('ConsistencySampler', options, consistencyOptions);
    const { steps, firstTime, lastTime, dataTime, dataStd, hidden } = given;
    requireNumber('ConsistencySampler', 'lastTime', lastTime, { above: dataTime, max: firstTime });
    const spacing = steps === 1 ? 0 : (firstTime - lastTime) / (steps - 1);
    this.times = Array.from({ length: steps }, (_, k) => firstTime - k * spacing);
    this.dataTime = dataTime;
    this.dataStd = dataStd;
    const times = (k: tf.Tensor1D): tf.Tensor1D => tf.sub(firstTime, tf.mul(k, spacing));
    this.createNetwork = given.network ?? mishNetwork({ hidden, times });
  }

  protected createVariables(rng: Rng, sizes: SamplerSizes): Variables {
    this.network = this.createNetwork(rng, sizes);
    return this.network.variables;
  }

  /** `[steps, rows, A]`: the start's noise, then that before every other call. */
  noiseShape(rows: number): [number, number, number] {
    return [this.times.length, requireRows(this, rows), this.sizes.actionSize];
  }

  actions(observations: tf.Tensor2D, noise: tf.Tensor, groupSize = 1): tf.Tensor2D {
    requireInputs(this, observations, noise, groupSize);
    const network = this.network.bind(observations, this.times.length, groupSize);
    const [start, ...kicks] = unstack(noise) as tf.Tensor2D[];
    let clean = this.clean(network, tf.mul(start as tf.Tensor2D, this.times[0] as number), 0);
    kicks.forEach((kick, i) => {
      const level = Math.sqrt((this.times[i + 1] as number) ** 2 - this.dataTime ** 2);
      clean = this.clean(network, tf.add(clean, tf.mul(kick, level)), i + 1);
    });
    return tf.clipByValue(clean, -1, 1);
  }

  /** The consistency function at the noise level of call k. */
  private clean(network: BoundNetwork, x: tf.Tensor2D, k: number): tf.Tensor2D {
    const { skip, out } = this.coefficients(this.times[k] as number);
    return tf.add(tf.mul(x, skip), tf.mul(network(x, k), out));
  }

  /** $c_\mathrm{skip}$ and $c_\mathrm{out}$ at noise level t >= dataTime: 1 and 0 at dataTime. */
  coefficients(t: number): { skip: number; out: number } {
    requireNumber('ConsistencySampler.coefficients', 't', t, { min: this.dataTime });
    const variance = this.dataStd ** 2;
    const above = t - this.dataTime;
    return { skip: variance / (above ** 2 + variance), out: (this.dataStd * above) / Math.sqrt(t ** 2 + variance) };
  }
}
