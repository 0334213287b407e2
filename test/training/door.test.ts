import {
  Box,
  bestModel,
  csvLog,
  Discrete,
  type Env,
  EnvironmentError,
  evaluate,
  jsonLinesLog,
  learningCurve,
  NonFiniteError,
  SyncVectorEnv,
  TimeLimit,
  TrainingRun,
  tensorBoardLog,
  train,
} from 'diffrl';
import { describe, expect, it } from 'vitest';
import { TinyAgent } from './tinyAgent.js';

/** An environment that breaks its contract as told. */
function make(broken: object | (() => object) = {}, start: object = {}, rest: object = {}): Env {
  const good = { observation: Float32Array.of(0.5, 1), reward: 1, terminated: false, truncated: false, info: {} };
  return {
    ...{ id: 'Own', observationSpace: Box.uniform(2), actionSpace: Box.uniform(1, -1, 1) },
    reset: () => ({ observation: Float32Array.of(0, 0), info: {}, ...start }),
    step: () => ({ ...good, ...(typeof broken === 'function' ? broken() : broken) }),
    ...rest,
  };
}

const agentFor = () => new TinyAgent(make());

/** Trains one environment, and two in one, which have the same door. */
async function refused(env: Env, message: RegExp): Promise<void> {
  for (const world of [env, new SyncVectorEnv([env])]) {
    const agent = agentFor();
    const error = await train({ agent, env: world, steps: 3 }).catch((error) => error);
    expect(error).toBeInstanceOf(EnvironmentError);
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/Own/);
    expect(agent.observed).toEqual([]);
  }
}

describe('the door between an environment and the library', () => {
  it('names an old done, so that no endless episode is learned', async () => {
    const old = make({ terminated: undefined, truncated: undefined, done: false });
    await refused(old, /terminated must be a boolean, got undefined; instead of done say terminated where the task/);
    await refused(make({ truncated: 'no' }), /truncated must be a boolean, got 'no'/);
  });

  it.each([
    [{ reward: Number.NaN }, /reward must be a finite number, got NaN/],
    [{ reward: '1' }, /reward must be a finite number, got '1'/],
    [{ observation: undefined }, /observation must have 2 numbers, got undefined/],
    [{ observation: [1] }, /observation must have 2 numbers, got 1/],
    [{ observation: [[1], 2] }, /observation\[0\] must be finite, got \[1\]/],
    [{ observation: ['1', 2] }, /observation\[0\] must be finite, got '1'/],
    [{ observation: Float64Array.of(1e39, 0) }, /observation\[0\] must be finite, got 1e\+39/],
    [{ observation: { 0: 1, 1: 2, length: 2 } }, /observation must have 2 numbers, got a Object/],
  ])('refuses %o', async (broken, message) => {
    await refused(make(broken), message);
  });

  it('does not blame the environment for a reward that float32 cannot hold', async () => {
    const agent = agentFor();
    const error = await train({ agent, env: make({ reward: 1e39 }), steps: 3 }).catch((error) => error);
    expect(error).toBeInstanceOf(NonFiniteError);
    expect(error.message).toMatch(/Own.step at step 1: reward 1e\+39 is beyond float32; scale rewards/);
    expect(agent.observed).toEqual([]);
  });

  it('refuses the tuple of Gymnasium by name, and a start that is none', async () => {
    await refused(
      make({}, {}, { step: () => [[0, 0], 1, false, false, {}] }),
      /must be \{ observation, reward, .*got \[/,
    );
    await refused(make({}, { observation: undefined }), /reset.*observation must have 2 numbers/);
    await refused(
      make({}, {}, { reset: () => undefined }),
      /the result must be \{ observation, info \}, got undefined/,
    );
  });

  it('takes number[] and Float64Array, flags of 0 and 1, and results without info', async () => {
    for (const list of [[0.1, 2], Float64Array.of(0.1, 2)]) {
      const env = make({ observation: list, terminated: 0, truncated: 1, info: undefined }, { observation: list });
      const agent = agentFor();
      await train({ agent, env, steps: 2 });
      expect(agent.observed[0]!.nextObservations).toEqual(Float32Array.of(0.1, 2));
      expect(agent.observed[0]!.observations).toEqual(Float32Array.of(0.1, 2));
      expect(agent.observed[0]!.truncated).toEqual(Uint8Array.of(1));
      expect((await evaluate({ agent, env, episodes: 1 })).lengths).toEqual([1]);
    }
  });

  it('copies what it lets in: an environment may reuse its buffer and change the action it is given', async () => {
    const buffer = new Float32Array(2);
    const given: number[] = [];
    const rest = {
      reset: () => ({ observation: buffer, info: {} }),
      step: (action: Float32Array) => {
        given.push(action[0]!);
        action[0] = 9;
        buffer[0]! += 1;
        return { observation: buffer, reward: 0, terminated: false, truncated: false, info: {} };
      },
    };
    const agent = agentFor();
    await train({ agent, env: make({}, {}, rest), steps: 3 });
    expect(agent.observed.map(({ observations }) => observations[0])).toEqual([0, 1, 2]);
    expect(agent.observed.map(({ nextObservations }) => nextObservations[0])).toEqual([1, 2, 3]);
    expect(agent.observed.map(({ actions }) => actions[0])).toEqual(given);
  });

  it('checks and copies what vector environments return', async () => {
    const arrays = { observations: [0, 0, 1, 1], nextObservations: new Float32Array(4), rewards: [1, 2] };
    const flags = { terminated: [false, true], truncated: Uint8Array.of(0, 0) };
    const world = (broken: object) => ({
      ...{ ...make(), id: 'Many', numEnvs: 2, reset: () => ({ observations: new Float32Array(4), infos: [] }) },
      step: () => ({ ...arrays, ...flags, ...broken }),
    });
    const run = async (broken: object) => {
      const agent = agentFor();
      await train({ agent, env: world(broken) as never, steps: 2 });
      return agent.observed[0]!;
    };
    expect(await run({})).toMatchObject({ rewards: Float32Array.of(1, 2), terminated: Uint8Array.of(0, 1) });
    await expect(run({ terminated: undefined })).rejects.toThrow(
      /Many.step.*terminated must have 2 numbers, got undefined/,
    );
    await expect(run({ truncated: [2, 0] })).rejects.toThrow(/truncated\[0\] must be 0 or 1, got 2/);
    await expect(run({ rewards: [1, Infinity] })).rejects.toThrow(/rewards\[1\] must be finite, got Infinity/);
  });

  it.each([
    ['csvLog', csvLog],
    ['jsonLinesLog', jsonLinesLog],
    ['tensorBoardLog', tensorBoardLog],
    ['learningCurve', learningCurve],
    ['bestModel', bestModel],
  ])('%s says at once what is no path', (_, callback) => {
    for (const path of [{ path: 'x' }, undefined, '', 3]) {
      expect(() => callback(path as never)).toThrow(/must be the name of a file or folder/);
    }
  });

  it('says what is no environment, no agent, no list of callbacks', async () => {
    const agent = agentFor();
    const env = make();
    const call = (options: object) => train({ agent, env, steps: 1, ...options } as never);
    await expect(call({ env: undefined })).rejects.toThrow(/env must be an environment with reset.*got undefined/);
    await expect(call({ env: {} })).rejects.toThrow(/env must be an environment/);
    await expect(call({ agent: undefined })).rejects.toThrow(/agent must be an agent, such as await DimeAgent.create/);
    await expect(call({ callbacks: {} })).rejects.toThrow(/callbacks must be a list, such as \[progressBar\(\)\]/);
    const plain = { low: [-1], high: [1], shape: [1] };
    for (const actionSpace of [plain, new Discrete(3), undefined]) {
      await expect(call({ env: { ...env, actionSpace } })).rejects.toThrow(/env.actionSpace must be a Box.*new Box/);
      expect(() => new TimeLimit({ ...env, actionSpace } as never, 5)).toThrow(
        /TimeLimit: env.actionSpace must be a Box/,
      );
    }
    expect(() => new TrainingRun({ agent, env: { ...env, numEnvs: 0 } as never })).toThrow(/env.numEnvs must be an/);
    expect(() => new SyncVectorEnv({} as never)).toThrow(/envs must be a list/);
    await expect(SyncVectorEnv.create(2, undefined as never)).rejects.toThrow(/make must be a function/);
  });
});
