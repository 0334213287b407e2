/**
 * An environment of your own: a spacecraft on a line that has to stop at a place that changes from episode to episode.
 * Run: npx tsx examples/customEnvironment.ts [--steps 4000]
 */
import { parseArgs } from 'node:util';
import { Box, checkEnv, DimeAgent, type Env, EulerMaruyamaSampler, evaluate, progressBar, Rng, train } from 'diffrl';

/** Observation: distance to the goal and speed. Action: thrust in [-1, 1]. 60 steps of 0.1 s. */
class Docking implements Env {
  readonly id = 'Docking';
  readonly observationSpace = new Box([-10, -10], [10, 10]);
  readonly actionSpace = Box.uniform(1, -1, 1);
  private rng = Rng.fromSeed(0);
  private distance = 0;
  private speed = 0;
  private steps = 0;

  reset({ seed }: { seed?: number } = {}) {
    if (seed !== undefined) this.rng = Rng.fromSeed(seed);
    this.distance = this.rng.uniform(-2, 2);
    this.speed = 0;
    this.steps = 0;
    return { observation: this.observe(), info: {} };
  }

  step(action: Float32Array) {
    const thrust = action[0]!;
    this.speed += 0.1 * 2 * thrust;
    this.distance = Math.min(Math.max(this.distance + 0.1 * this.speed, -10), 10);
    this.steps++;
    const reward = -(this.distance ** 2) - 0.1 * this.speed ** 2 - 0.01 * thrust ** 2;
    return { observation: this.observe(), reward, terminated: false, truncated: this.steps >= 60, info: {} };
  }

  private observe() {
    return Float32Array.of(this.distance, this.speed);
  }
}

const { values } = parseArgs({ options: { steps: { type: 'string', default: '4000' } } });
const env = new Docking();
await checkEnv(env);

const agent = await DimeAgent.create({
  env,
  sampler: new EulerMaruyamaSampler({ steps: 8 }),
  criticHidden: [128, 128],
  support: { min: -150, max: 20 },
  temperature: 0.1,
  warmupSteps: 500,
  updatesPerTransition: 1,
  actorLearningRate: 1e-3,
  criticLearningRate: 1e-3,
});
const before = await evaluate({ agent, env: new Docking() });
await train({ agent, env, steps: Number(values.steps), callbacks: [progressBar()] });
const after = await evaluate({ agent, env: new Docking() });
console.log(`Return before ${before.mean.toFixed(1)}, after ${after.mean.toFixed(1)}`);
