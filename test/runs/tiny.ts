import { type Env, type EnvSpaces, NormaliseObservation } from 'diffrl';
import { Counter, TinyAgent } from '../training/tinyAgent.js';

/** A linear agent for runs, sweeps and commands that are about something else than learning. */
export function makeTiny({ env, seed }: { env: EnvSpaces; seed: number }): TinyAgent {
  return new TinyAgent(env, seed);
}

/** One that asks for its `quality` of the {@link makeMore} environment. */
export function makeGraded({ env, seed, quality }: { env: EnvSpaces; seed: number; quality: number }): TinyAgent {
  const agent = new TinyAgent(env, seed);
  const act = agent.act.bind(agent);
  agent.act = async (observations, options) => {
    const decision = await act(observations, options);
    return { ...decision, actions: decision.actions.map(() => quality / 10) };
  };
  return agent;
}

/** An environment that pays what it is asked for. */
export function makeMore(): Env {
  const env = new Counter(5);
  const step = env.step.bind(env);
  return Object.assign(env, { step: (action: Float32Array) => ({ ...step(action), reward: action[0] as number }) });
}

/** One with a normaliser of its own. */
export function makeNormalised(): Env {
  return new NormaliseObservation(makeMore());
}

/** How many environments {@link makeCounted} and {@link makeFilmed} made, and how many of them are open. */
export const counted = { made: 0, open: 0 };

function count<E extends Env>(env: E): E {
  counted.made++;
  counted.open++;
  const close = env.close?.bind(env);
  return Object.assign(env, {
    close() {
      counted.open--;
      return close?.();
    },
  });
}

/** One whose instances are counted; from the `limit`th on they cannot be made. */
export function makeCounted({ limit = Infinity }: { limit?: number }): Env {
  if (counted.made >= limit) throw new Error('no more environments');
  return count(makeMore());
}

/** A MuJoCo task whose instances are counted. */
export async function makeFilmed(): Promise<Env> {
  const { makeMujoco } = await import('diffrl/mujoco');
  return count(await makeMujoco('InvertedPendulum-v5', { maxEpisodeSteps: 5 }));
}

/** An environment that fails after a while. */
export function makeBroken(): Env {
  const env = makeMore();
  const step = env.step.bind(env);
  let steps = 0;
  return Object.assign(env, {
    step(action: Float32Array) {
      if (++steps === 30) throw new Error('it broke at step 30');
      return step(action);
    },
  });
}

/** An environment that ends its process. */
export function makeDeadly(): Env {
  return Object.assign(makeMore(), { step: () => process.exit(3) });
}
