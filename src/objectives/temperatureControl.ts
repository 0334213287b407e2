import * as tf from '@tensorflow/tfjs-core';
import { ArgumentError, requireInteger, requireNumber, requireObject, requireShape, show } from '../errors.js';
import { disposeVariables, prepareVariables, readVariables, type Variables } from '../ops/variables.js';
import { type Option, option, requireOptions } from '../options.js';
import type { StateDict, Stateful } from '../state.js';
import { type AnnealingOptions, annealing } from './annealing.js';
import { Temperature } from './temperature.js';

/** A temperature that keeps the policy's entropy at a target. */
export interface AutomaticTemperature {
  /** Value at the start, > 0, default 0.2. */
  initial?: number;
  /** Target of the policy's path entropy, in nats an action dimension, default -1. */
  targetEntropy?: number;
  /** Of Adam on the logarithm, default 1e-3. */
  learningRate?: number;
}

/** A fixed temperature, one that follows the environment steps, or one that follows the entropy. */
export type TemperatureSetting = number | { anneal: AnnealingOptions } | { automatic: AutomaticTemperature };

/** The temperature of a soft objective under any {@link TemperatureSetting}. */
export class TemperatureControl implements Stateful {
  private readonly automatic?: Temperature;
  private readonly fixed: Variables = {};
  private readonly targetCost: number;
  private readonly schedule?: (environmentSteps: number) => number;

  /** @throws ArgumentError for values out of range */
  constructor(setting: TemperatureSetting, actionSize: number) {
    requireSetting('TemperatureControl', 'temperature', setting);
    const { targetEntropy = -1, ...automatic } = isAutomatic(setting) ? setting.automatic : {};
    this.targetCost = -actionSize * requireNumber('TemperatureControl', 'targetEntropy', targetEntropy);
    requireInteger('TemperatureControl', 'actionSize', actionSize, { min: 1 });
    if (isAutomatic(setting)) {
      this.automatic = new Temperature({ initial: 0.2, learningRate: 1e-3, ...automatic });
      return;
    }
    if (typeof setting === 'object') this.schedule = annealing(setting.anneal);
    const start = this.schedule?.(0) ?? requireNumber('TemperatureControl', 'temperature', setting, { min: 0 });
    this.fixed.value = tf.tidy(() => tf.variable(tf.scalar(start), false));
  }

  /** The temperature now, a constant. Traceable. */
  value(): tf.Scalar {
    return this.automatic?.value() ?? (tf.clone(this.fixed.value as tf.Variable) as tf.Scalar);
  }

  /** The temperature now, as a number. */
  async read(): Promise<number> {
    const variable = this.automatic?.variables.log ?? this.fixed.value;
    const [number] = (await variable!.data()) as Float32Array;
    return this.automatic ? Math.fround(Math.exp(number!)) : number!;
  }

  /** Moves an annealed temperature to its place; others stay. */
  at(environmentSteps: number): void {
    requireNumber('TemperatureControl.at', 'environmentSteps', environmentSteps, { min: 0 });
    if (!this.schedule) return;
    const value = this.schedule(environmentSteps);
    tf.tidy(() => (this.fixed.value as tf.Variable).assign(tf.scalar(value)));
  }

  /** One step of an automatic temperature from a batch's mean path cost, minus its entropy; others stay. Traceable. */
  step(cost: tf.Scalar): void {
    requireShape('TemperatureControl.step', 'cost', cost, []);
    this.automatic?.step(cost, this.targetCost);
  }

  state(): Promise<StateDict> {
    return this.automatic?.state() ?? readVariables(this.fixed);
  }

  prepare(state: StateDict): () => void {
    return this.automatic?.prepare(state) ?? prepareVariables(this.fixed, state);
  }

  dispose(): void {
    this.automatic?.dispose();
    disposeVariables(this.fixed);
  }
}

function isAutomatic(setting: TemperatureSetting): setting is { automatic: AutomaticTemperature } {
  return typeof setting === 'object' && 'automatic' in setting;
}

/** The temperature as an option of an agent. */
export function temperatureOption(initial: TemperatureSetting, doc: string): Option<TemperatureSetting> {
  const allowed =
    'number >= 0 | { anneal: { from, to, duration } } | { automatic: { initial, targetEntropy, learningRate } }';
  return option<TemperatureSetting>({
    doc,
    allowed,
    initial: () => initial,
    defaultText: JSON.stringify(initial),
    check: requireSetting,
  });
}

const AUTOMATIC = { initial: true, targetEntropy: true, learningRate: true } as const;

function requireSetting(where: string, name: string, value: unknown): TemperatureSetting {
  if (typeof value === 'number') return requireNumber(where, name, value, { min: 0 });
  const [kind, ...others] = Object.keys(Object(value));
  if (others.length || (kind !== 'anneal' && kind !== 'automatic')) {
    throw new ArgumentError(
      `${where}: ${name} must be a number >= 0, { anneal: { from, to, duration } } or { automatic: {} }, got ${show(value)}.`,
    );
  }
  const setting = value as { anneal: AnnealingOptions } & { automatic: AutomaticTemperature };
  requireObject(where, `${name}.${kind}`, setting[kind]);
  if (kind === 'anneal') annealing(setting.anneal);
  else requireOptions(`${where}: ${name}.automatic`, setting.automatic, AUTOMATIC);
  return setting;
}
