import {
  type Agent,
  Box,
  type Checkpoint,
  type Decision,
  type Env,
  type EnvSpaces,
  type MarkovEnv,
  type Metrics,
  ReplayBuffer,
  Rng,
  type StateDict,
  type Transitions,
  type VectorEnv,
  writeCheckpoint,
} from 'diffrl';
import { type Commit, prefixed, readEntries, substate, together } from '../../src/state.js';

/**
 * A linear policy with noise whose weights follow rewards of sampled transitions: no tensors, but every part of an
 * agent's state (weights, replay, two random streams, a counter) matters for what comes next.
 */
export class TinyAgent implements Agent {
  readonly name = 'Tiny';
  readonly kind = 'TinyAgent';
  readonly config = {};
  readonly observationSpace: Box;
  readonly actionSpace: Box;
  readonly warmupSteps = 20;
  readonly replay: ReplayBuffer;
  readonly observed: Transitions[] = [];
  updates = 0;
  private readonly weights: Float64Array;
  private readonly noise: Rng;
  private readonly sampling: Rng;

  constructor(env: EnvSpaces, seed = 0) {
    this.observationSpace = env.observationSpace;
    this.actionSpace = env.actionSpace;
    const sizes = { observationSize: env.observationSpace.size, actionSize: env.actionSpace.size };
    this.replay = new ReplayBuffer({ ...sizes, capacity: 64 });
    this.weights = new Float64Array(sizes.observationSize * sizes.actionSize);
    this.noise = Rng.fromSeed(seed).split('noise');
    this.sampling = Rng.fromSeed(seed).split('sampling');
  }

  async act(observations: Float32Array, { explore = true } = {}): Promise<Decision> {
    const [inputs, outputs] = [this.observationSpace.size, this.actionSpace.size];
    const count = observations.length / inputs;
    const actions = Array.from({ length: count }, (_, i) => {
      const values = Array.from({ length: outputs }, (_, a) => {
        let sum = explore ? this.noise.normal(0, 0.5) : 0;
        for (let s = 0; s < inputs; s++) sum += this.weights[s * outputs + a]! * observations[i * inputs + s]!;
        return sum;
      });
      return [...this.actionSpace.clip(values)];
    });
    return { actions: Float32Array.from(actions.flat()) };
  }

  observe(transitions: Transitions): void {
    this.replay.add(transitions);
    this.observed.push(transitions);
  }

  async update(): Promise<Metrics> {
    const { observations, actions, rewards } = this.replay.sample(4, this.sampling);
    const outputs = this.actionSpace.size;
    this.weights.forEach((weight, i) => {
      const [s, a] = [Math.floor(i / outputs), i % outputs];
      this.weights[i] = 0.99 * weight + 1e-3 * rewards[0]! * observations[s]! * actions[a]!;
    });
    this.updates += 1;
    return { loss: -rewards[0]!, weight: this.weights[0]! };
  }

  async checkpoint(training?: StateDict): Promise<Checkpoint> {
    return { kind: 'TinyAgent', config: {}, state: this.state(), training };
  }

  state(): StateDict {
    return {
      weights: { shape: [this.weights.length], data: this.weights.slice() },
      updates: { shape: [1], data: Float64Array.of(this.updates) },
      ...prefixed('noise', this.noise.state()),
      ...prefixed('sampling', this.sampling.state()),
      ...prefixed('replay', this.replay.state()),
    };
  }

  async prepare(state: StateDict): Promise<Commit> {
    const { weights, updates } = readEntries(
      state,
      { weights: this.weights.length, updates: 1 },
      Object.keys(this.parts),
    );
    const { weights: _weights, updates: _updates, ...rest } = state;
    const parts = await together(this.parts).prepare(rest);
    return async () => {
      await parts();
      this.weights.set(weights);
      this.updates = updates[0]!;
    };
  }

  private get parts() {
    return { noise: this.noise, sampling: this.sampling, replay: this.replay };
  }

  async save(path: string, training?: StateDict): Promise<void> {
    await writeCheckpoint(path, { kind: 'TinyAgent', config: {}, state: this.state(), training });
  }

  dispose(): void {}
}

/** An environment that counts: observation t after t steps; the episode ends by itself or by the clock. */
export class Counter implements Env {
  readonly id = 'Counter';
  readonly observationSpace = Box.uniform(1);
  readonly actionSpace = Box.uniform(1, -1, 1);
  readonly seeds: (number | undefined)[] = [];
  private t = 0;

  constructor(
    private readonly length = 5,
    private readonly ending: 'terminated' | 'truncated' = 'terminated',
  ) {}

  reset({ seed }: { seed?: number } = {}) {
    this.seeds.push(seed);
    this.t = 0;
    return { observation: Float32Array.of(0), info: {} };
  }

  step(_: Float32Array) {
    this.t += 1;
    const ended = this.t === this.length;
    return {
      observation: Float32Array.of(this.t),
      reward: this.t,
      terminated: ended && this.ending === 'terminated',
      truncated: ended && this.ending === 'truncated',
      info: {},
    };
  }
}

/** Several copies of an environment, stepped one after the other. */
export class Several implements VectorEnv {
  readonly id = 'Several';
  readonly observationSpace: Box;
  readonly actionSpace: Box;
  constructor(private readonly envs: MarkovEnv<[number, number]>[]) {
    this.observationSpace = envs[0]!.observationSpace;
    this.actionSpace = envs[0]!.actionSpace;
  }
  get numEnvs() {
    return this.envs.length;
  }
  async reset({ seed = 0 }: { seed?: number } = {}) {
    const results = await Promise.all(this.envs.map((env, i) => env.reset({ seed: 1000 * seed + i })));
    return { observations: join(results.map((result) => result.observation)), infos: [] };
  }
  async step(actions: Float32Array) {
    const size = this.actionSpace.size;
    const results = await Promise.all(this.envs.map((env, i) => env.step(actions.slice(i * size, (i + 1) * size))));
    const starts = await Promise.all(
      results.map(async ({ terminated, truncated, observation }, i) =>
        terminated || truncated ? (await this.envs[i]!.reset()).observation : observation,
      ),
    );
    return {
      observations: join(starts),
      nextObservations: join(results.map((result) => result.observation)),
      rewards: Float32Array.from(results, (result) => result.reward),
      terminated: Uint8Array.from(results, (result) => Number(result.terminated)),
      truncated: Uint8Array.from(results, (result) => Number(result.truncated)),
      infos: [],
    };
  }
  state() {
    return Object.assign({}, ...this.envs.map((env, i) => prefixed(`${i}`, env.state())));
  }
  prepare(state: StateDict) {
    const commits = this.envs.map((env, i) => env.prepare(substate(state, `${i}`)));
    return () => commits.forEach((commit) => commit());
  }
}

function join(arrays: Float32Array[]): Float32Array {
  return Float32Array.from(arrays.flatMap((array) => [...array]));
}
