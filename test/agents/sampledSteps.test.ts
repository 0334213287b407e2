import * as tf from '@tensorflow/tfjs-core';
import {
  DiffSacAgent,
  type DiffusionPath,
  dmerlSampler,
  forwardKl,
  lossAndGradients,
  Pendulum,
  Rng,
  stepBatch,
  train,
} from 'diffrl';
import { describe, expect, it } from 'vitest';
import { forwardKlRows } from '../../src/agents/dmerl/diffSacAgent.js';
import { type SampledSteps, Simulation, sampledFrom } from '../../src/agents/dmerl/simulation.js';
import type { ActorContext } from '../../src/agents/dmerl/stepActorCritic.js';

const [STEPS, GROUP, ROWS, T] = [3, 4, 8, 0.5];
const rng = Rng.fromSeed(0);
const sampler = dmerlSampler({ steps: STEPS, hidden: [16] }).build(rng.split('networks'), {
  observationSize: 3,
  actionSize: 2,
});
const head = sampler.variables['control/trunk/kernel1']!;
head.assign(tf.tensor(rng.normals(head.size, 0, 0.3), head.shape));
const observations = tf.tensor2d(rng.normals(2 * 3), [2, 3]);
const noise = tf.tensor(rng.normals((STEPS + 1) * ROWS * 2), sampler.noiseShape(ROWS)) as tf.Tensor3D;
const value = tf.tensor1d(rng.normals(ROWS));
const options = { trajectory: 'detached', groupSize: GROUP, trainDiffusion: false } as const;
const sampleChains = () => sampler.sample(observations, noise, options);

/** Every chain's transition at `step`. */
function sampledAt(path: DiffusionPath, step: number): SampledSteps {
  const steps = tf.fill([ROWS], step) as tf.Tensor1D;
  return { observations: path.observations, step: steps, ...sampledFrom(path, steps, ROWS) };
}

describe('sampledFrom', () => {
  it('says what is paid from each step to the end of its chain (1e-5)', () => {
    const path = sampleChains();
    const ahead = [0, 1, 2].map((step) => sampledAt(path, step).chain!.costAhead);
    expect(largest(tf.sub(ahead[0]!, path.runCost))).toBeLessThan(1e-5);
    for (const k of [0, 1]) {
      const logRatio = tf.squeeze(tf.slice(tf.sub(path.logForward, path.logBackward), k, 1));
      expect(largest(tf.sub(tf.sub(ahead[k]!, ahead[k + 1]!), logRatio))).toBeLessThan(1e-5);
    }
  });

  it('takes each row at a step of its own', () => {
    const path = sampleChains();
    const step = tf.tensor1d([0, 1, 2, 2, 1, 0, 1, 2]);
    const { x, chain } = sampledFrom(path, step, ROWS);
    step.dataSync().forEach((k, row) => {
      const at = (states: tf.Tensor) => [...tf.slice(states, [row, 0], [1, 2]).dataSync()];
      expect(at(x)).toEqual(at(path.states[k]!));
      expect(at(chain!.next)).toEqual(at(path.states[k + 1]!));
    });
  });
});

describe('forwardKlRows', () => {
  it('averaged over the steps have the gradient of T times the forward KL of whole chains (1e-5)', () => {
    const whole = lossAndGradients(sampler.variables, () => ({
      loss: tf.mul(forwardKl(sampleChains(), tf.div(value, T)), T) as tf.Scalar,
    }));
    const path = sampleChains();
    const stepwise = lossAndGradients(sampler.variables, () => {
      const losses = [0, 1, 2].map((k) => {
        const sampled = sampledAt(path, k);
        const batch = stepBatch(sampler, sampled, { temperature: T, trainDiffusion: false });
        return tf.mean(
          forwardKlRows({ sampled, actionValue: () => value, groupSize: GROUP } as unknown as ActorContext)(batch).loss,
        );
      });
      return { loss: tf.div(tf.addN(losses), STEPS) as tf.Scalar };
    });
    for (const [name, gradient] of Object.entries(whole.gradients)) {
      const size = Math.max(largest(gradient), 1e-3);
      expect(largest(tf.sub(stepwise.gradients[name]!, gradient)) / size, name).toBeLessThan(1e-5);
    }
  });
});

describe('an action at the next state', () => {
  const inputs = {
    observations: tf.zeros<tf.Rank.R2>([ROWS, 3]),
    nextObservations: tf.zeros<tf.Rank.R2>([ROWS, 3]),
    actions: tf.zeros<tf.Rank.R2>([ROWS, 2]),
    step: tf.zeros<tf.Rank.R1>([ROWS]),
    start: tf.zeros<tf.Rank.R2>([ROWS, 2]),
  };
  const modes = { latents: 'resimulate', groupSize: 1 } as const;

  it('costs its whole path, less the entropy of the prior, as in DIME', () => {
    const chain = tf.tensor(rng.normals((STEPS + 1) * 2 * ROWS * 2), sampler.noiseShape(2 * ROWS));
    const simulation = new Simulation(sampler, { ...modes, actionTarget: 'chain' });
    const { successor, path } = simulation.run({ ...inputs, chain });
    expect([...successor.cost.dataSync()]).toEqual([...tf.slice(path!.totalCost, ROWS).dataSync()]);
  });

  it('costs minus that entropy where the value of a prior draw stands for the rest', () => {
    const chain = tf.tensor(rng.normals((STEPS + 1) * ROWS * 2), sampler.noiseShape(ROWS));
    const { successor } = new Simulation(sampler, { ...modes, actionTarget: 'step' }).run({ ...inputs, chain });
    for (const cost of successor.cost.dataSync()) expect(cost).toBeCloseTo(-sampler.priorEntropy, 5);
  });
});

it('forward KL leaves step size and friction as they are: their gradient would be wrong, even in sign', async () => {
  const env = new Pendulum();
  const chain = dmerlSampler({ steps: 2, hidden: [8] });
  const sizes = { batchSize: 8, warmupSteps: 8, criticHidden: [8], compile: false };
  const agent = await DiffSacAgent.create({ env, sampler: chain, divergence: 'forward', ...sizes });
  const values = () => Object.entries(chain.variables).map(([name, variable]) => [name, variable.dataSync().join()]);
  const before = values();
  await train({ agent, env, steps: 12 });
  const moved = values().flatMap(([name, now], i) => (now === before[i]![1] ? [] : [name]));
  expect(moved.length).toBeGreaterThan(0);
  expect(moved.filter((name) => !name!.startsWith('control/'))).toEqual([]);
});

function largest(x: tf.Tensor): number {
  return tf.max(tf.abs(x)).dataSync()[0]!;
}
