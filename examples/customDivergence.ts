/**
 * A divergence of your own by subclassing a sampler: the log-variance of the path weights, written out. It is compared
 * with the reverse KL on Pendulum. Run: npx tsx examples/customDivergence.ts [--steps 5000]
 */
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import {
  type DiffusionPath,
  DimeAgent,
  type DivergenceRequirements,
  EulerMaruyamaSampler,
  evaluate,
  negativeLogWeights,
  Pendulum,
  progressBar,
  train,
} from 'diffrl';

class LogVarianceSampler extends EulerMaruyamaSampler {
  /** Several paths for every observation, without gradients through their states. */
  override get requirements(): DivergenceRequirements {
    return { trajectory: 'detached', minGroupSize: 4, logZ: false, trainsDiffusion: false, degree: 2 };
  }

  /** The variance of the log weights among the paths of one observation vanishes exactly at the optimum. */
  override divergence(path: DiffusionPath, logTarget: tf.Tensor1D): tf.Scalar {
    const weights = tf.reshape(negativeLogWeights(path, logTarget), [-1, path.groupSize]);
    return tf.mean(tf.square(tf.sub(weights, tf.mean(weights, 1, true)))) as tf.Scalar;
  }
}

const { values } = parseArgs({ options: { steps: { type: 'string', default: '5000' } } });
for (const sampler of [new EulerMaruyamaSampler({ steps: 8 }), new LogVarianceSampler({ steps: 8 })]) {
  const env = new Pendulum();
  const agent = await DimeAgent.create({
    env,
    sampler,
    criticHidden: [256, 256],
    gamma: 0.95,
    support: { min: -300, max: 20 },
    temperature: 0.1,
    warmupSteps: 500,
    updatesPerTransition: 1,
    actorLearningRate: 1e-3,
    criticLearningRate: 1e-3,
  });
  await train({ agent, env, steps: Number(values.steps), callbacks: [progressBar()] });
  const { mean } = await evaluate({ agent, env: new Pendulum(), episodes: 10 });
  console.log(`${sampler.constructor.name.padEnd(22)} mean return ${mean.toFixed(0)}`);
  agent.dispose();
}
