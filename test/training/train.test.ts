import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ArgumentError,
  AugmentedMdp,
  Box,
  CheckpointError,
  checkpoints,
  type Env,
  EnvironmentError,
  evaluation,
  MultiGoal,
  NormaliseObservation,
  NormaliseReward,
  Pendulum,
  RunningMoments,
  readCheckpoint,
  ShapeError,
  SyncVectorEnv,
  type TrainingCallback,
  TrainingRun,
  train,
} from 'diffrl';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadState } from '../../src/state.js';
import { Counter, Several, TinyAgent } from './tinyAgent.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'diffrl-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('train', () => {
  it('acts at random and does not update during the warm-up, then updates once a step', async () => {
    const env = new Counter();
    const agent = new TinyAgent(env);
    const metrics: object[] = [];
    await train({ agent, env, steps: 50, callbacks: [{ onStep: (_, report) => void metrics.push(report.metrics) }] });
    expect(agent.updates).toBe(30);
    expect(metrics.slice(0, 20)).toEqual(Array(20).fill({}));
    expect(metrics[20]).toHaveProperty('loss');
    const warmup = agent.observed.slice(0, 20).map(({ actions }) => actions[0]!);
    expect(new Set(warmup).size).toBe(20);
    expect(Math.max(...warmup.map(Math.abs))).toBeLessThanOrEqual(1);

    const other = new TinyAgent(env);
    await train({ agent: other, env, steps: 10, warmupSteps: 4 });
    expect(other.updates).toBe(6);
  });

  it.each(['terminated', 'truncated'] as const)(
    'hands on the true successor and which end it was: %s',
    async (ending) => {
      const env = new Counter(3, ending);
      const agent = new TinyAgent(env);
      await train({ agent, env, steps: 7 });
      const column = (name: 'observations' | 'nextObservations' | 'rewards' | 'terminated' | 'truncated') =>
        agent.observed.map((transition) => transition[name][0]);
      expect(column('observations')).toEqual([0, 1, 2, 0, 1, 2, 0]);
      expect(column('nextObservations')).toEqual([1, 2, 3, 1, 2, 3, 1]);
      expect(column('rewards')).toEqual([1, 2, 3, 1, 2, 3, 1]);
      const ends = [0, 0, 1, 0, 0, 1, 0];
      expect(column(ending)).toEqual(ends);
      expect(column(ending === 'terminated' ? 'truncated' : 'terminated')).toEqual(ends.map(() => 0));
    },
  );

  it('counts steps of all environments and keeps a history of episodes', async () => {
    const env = new Several([new MultiGoal(), new MultiGoal(), new MultiGoal()]);
    const { steps, history, aborted } = await train({ agent: new TinyAgent(env), env, steps: 100 });
    expect(steps).toBe(102);
    expect(aborted).toBe(false);
    expect(history.episodes.length).toBeGreaterThan(2);
    for (const { step, length } of history.episodes) {
      expect(step % 3).toBe(0);
      expect(length).toBeLessThanOrEqual(30);
    }
    const single = new Counter(4);
    const result = await train({ agent: new TinyAgent(single), env: single, steps: 9 });
    expect(result.history.episodes).toEqual([
      { step: 4, return: 10, length: 4 },
      { step: 8, return: 10, length: 4 },
    ]);
    expect(single.seeds).toEqual([0, undefined, undefined]);
  });

  it('stops after the step under way when its signal aborts, and can go on', async () => {
    const env = new Pendulum();
    const controller = new AbortController();
    const stopper: TrainingCallback = { onStep: (run) => (run.step === 33 ? controller.abort() : undefined) };
    const aborted = await train({
      agent: new TinyAgent(env),
      env,
      steps: 90,
      signal: controller.signal,
      callbacks: [stopper, checkpoints({ path: folder })],
    });
    expect(aborted).toMatchObject({ steps: 33, aborted: true });

    const [first, second] = [new TinyAgent(env), new TinyAgent(env)];
    await train({ agent: first, env: new Pendulum(), steps: 90, resume: folder });
    await train({ agent: second, env: new Pendulum(), steps: 90 });
    expect(first.state()).toEqual(second.state());
  });
});

describe('resuming', () => {
  const one = () => new Pendulum({ maxEpisodeSteps: 37 });
  const normalised = () => new NormaliseReward(new NormaliseObservation(one()));
  const kinds: [string, () => Env | Several, evaluated?: () => Env | Several][] = [
    ['one environment', one],
    ['one with normalised observations and rewards', normalised, one],
    ['three environments', () => new Several([1, 2, 3].map(() => new Pendulum({ maxEpisodeSteps: 37 })))],
  ];

  describe.each(kinds)('%s', (_, make, evaluated = make) => {
    it.each([0, 12, 60, 111])('is bit-exact: 150 steps equal %i, saved, loaded, and the rest', async (stop) => {
      const options = () => ({ seed: 7, callbacks: [evaluation({ env: evaluated(), every: 30, episodes: 2 })] });
      const whole = { agent: new TinyAgent(make(), 3), env: make(), ...options() };
      const uninterrupted = await train({ ...whole, steps: 150 });

      const before = { agent: new TinyAgent(make(), 3), env: make(), ...options() };
      await (await train({ ...before, steps: stop })).run.save(folder);
      const after = { agent: new TinyAgent(make(), 99), env: make(), ...options() };
      const resumed = await train({ ...after, steps: 150, resume: folder });

      expect(after.agent.state()).toEqual(whole.agent.state());
      expect(await resumed.run.state()).toEqual(await uninterrupted.run.state());
      expect(resumed.history).toEqual(uninterrupted.history);
      expect(resumed.history.evaluations).toHaveLength(5);
    });
  });

  it('starts a new episode, the same each time, if the environment has no state of its own', async () => {
    const env = new Counter(10);
    const { run } = await train({ agent: new TinyAgent(env), env, steps: 25, seed: 4 });
    await run.save(folder);
    const resumed = await Promise.all(
      [0, 1].map(async () => {
        const fresh = new Counter(10);
        const agent = new TinyAgent(fresh);
        const { history } = await train({ agent, env: fresh, steps: 60, resume: folder, seed: 4 });
        return { seeds: fresh.seeds, episodes: history.episodes.map(({ step }) => step), state: agent.state() };
      }),
    );
    expect(resumed[0]!.episodes).toEqual([10, 20, 35, 45, 55]);
    expect(resumed[0]!.seeds[0]).not.toBe(4);
    expect(resumed[1]).toEqual(resumed[0]);
  });

  const remembering = () => new NormaliseReward(new NormaliseObservation(new Counter(10)));
  const worlds: [string, () => Env | SyncVectorEnv][] = [
    ['an environment', remembering],
    ['environments side by side', () => new SyncVectorEnv([remembering(), remembering()])],
    ['the augmented MDP', () => new AugmentedMdp(remembering(), { diffusionSteps: 2 })],
  ];

  it.each(worlds)('keeps what wrappers of %s without state remember', async (_, make) => {
    const [env, evaluated] = [make(), make()];
    const callbacks = [evaluation({ env: evaluated, every: 10, episodes: 1 })];
    const { run } = await train({ agent: new TinyAgent(env), env, steps: 26, callbacks });
    await run.save(folder);
    const [fresh, other] = [make(), make()];
    const resumed = [evaluation({ env: other, every: 10, episodes: 1 })];
    await train({ agent: new TinyAgent(fresh), env: fresh, steps: 26, resume: folder, callbacks: resumed });
    expect(await fresh.memory!.state()).toEqual(await env.memory!.state());
    expect(await other.memory!.state()).toEqual(await evaluated.memory!.state());
    expect(await other.memory!.state()).not.toEqual(await make().memory!.state());
  });

  it('takes checkpoints from before wrappers had a memory, and none that this environment cannot hold', async () => {
    const env = remembering();
    const { run } = await train({ agent: new TinyAgent(env), env, steps: 26 });
    const { training, ...checkpoint } = await run.checkpoint();
    const old = Object.fromEntries(Object.entries(training!).filter(([name]) => !name.startsWith('memory/')));
    const fresh = remembering();
    const resumed = new TrainingRun({ agent: new TinyAgent(fresh), env: fresh });
    await resumed.load({ ...checkpoint, training: old });
    expect(resumed.step).toBe(26);
    const bare = new TrainingRun({ agent: new TinyAgent(new Counter()), env: new Counter() });
    await expect(bare.load({ ...checkpoint, training })).rejects.toThrow(/Counter has none; wrap it as it was/);
  });

  it('writes checkpoints on time, loadable as the agent alone, after the evaluation of the same step', async () => {
    const env = new Pendulum();
    const saved: number[] = [];
    const spy: TrainingCallback = {
      async onStepEnd(run) {
        const isThere = async () => (await readCheckpoint(folder)).training!.steps!.data[0] === run.step;
        if (run.isDue(20)) await vi.waitFor(async () => expect(await isThere()).toBe(true)); // it is written meanwhile
        if (run.isDue(20)) saved.push(run.step);
      },
    };
    const agent = new TinyAgent(env);
    const evaluations = evaluation({ env: new Pendulum(), every: 40, episodes: 1 });
    await train({ agent, env, steps: 70, callbacks: [checkpoints({ path: folder, every: 20 }), spy, evaluations] });
    expect(saved).toEqual([20, 40, 60]);
    const { state, training } = await readCheckpoint(folder, 'TinyAgent');
    expect(training!.steps!.data[0]).toBe(70);
    expect(training!['history/evaluations/steps']!.data[0]).toBe(40);
    const loaded = new TinyAgent(env, 5);
    await loadState(loaded, state);
    expect(loaded.state()).toEqual(agent.state());
  });

  it('goes on with what the evaluation environment remembers, and with parts of your own', async () => {
    const world = () => new NormaliseObservation(new Pendulum({ maxEpisodeSteps: 10 }));
    const play = async (steps: number, resume?: string) => {
      const env = world();
      const agent = new TinyAgent(env, resume ? 7 : 1);
      const moments = new RunningMoments(1);
      const counts: TrainingCallback = { parts: { counts: moments }, onStep: (run) => moments.add([run.step]) };
      const callbacks = [1, 2].map(() => evaluation({ env: world(), every: 10, episodes: 1 }));
      const { run, history } = await train({ agent, env, steps, callbacks: [...callbacks, counts], resume });
      return { run, returns: history.evaluations.map(({ mean }) => mean), moments: moments.state() };
    };
    const whole = await play(60);
    await (await play(35)).run.save(folder);
    const resumed = await play(60, folder);
    expect(resumed.returns).toEqual(whole.returns);
    expect(resumed.moments).toEqual(whole.moments);
    expect(new Set(whole.returns).size).toBeGreaterThan(3);
  });

  it('refuses what does not fit and leaves the agent as it was', async () => {
    const env = new Pendulum();
    const agent = new TinyAgent(env);
    const before = agent.state();
    const resume = (env: Env | Several, of = agent) => train({ agent: of, env, steps: 10, resume: folder });
    await expect(resume(env)).rejects.toThrow(/there is no checkpoint/);

    await new TinyAgent(env, 8).save(folder);
    await expect(resume(env)).rejects.toThrow(/holds an agent but no training run/);

    const several = new Several([new Pendulum(), new Pendulum()]);
    await (await train({ agent: new TinyAgent(several, 8), env: several, steps: 30 })).run.save(folder);
    await expect(resume(env)).rejects.toThrow(CheckpointError);

    const goal = new MultiGoal();
    await (await train({ agent: new TinyAgent(goal, 8), env: goal, steps: 30 })).run.save(folder);
    await expect(resume(env)).rejects.toThrow(CheckpointError);
    expect(agent.state()).toEqual(before);
  });
});

describe('an environment that fails', () => {
  const faults: [string, Partial<ReturnType<Counter['step']>> | Error | undefined, RegExp][] = [
    ['throws', new TypeError('socket closed'), /Counter.step threw at step 26: socket closed/],
    [
      'gives a NaN reward',
      { reward: Number.NaN },
      /broke its contract at step 26: reward must be a finite number, got NaN/,
    ],
    [
      'gives a NaN observation',
      { observation: Float32Array.of(Number.NaN) },
      /observation\[0\] must be finite, got NaN/,
    ],
    ['gives a longer observation', { observation: new Float32Array(2) }, /observation must have 1 numbers, got 2/],
    ['gives nothing', undefined, /result must be { observation, reward, terminated, truncated, info }, got undefined/],
  ];

  it.each(faults)('%s: a named error, agent and run as they were', async (_, fault, message) => {
    const env = new Counter();
    const healthy = env.step.bind(env);
    const agent = new TinyAgent(env);
    const run = new TrainingRun({ agent, env });
    while (run.step < 25) await run.advance();
    const [before, runBefore] = [agent.replay.state(), await run.state()];
    env.step = (action) => {
      if (fault instanceof Error) throw fault;
      return fault === undefined ? (undefined as never) : { ...healthy(action), ...fault };
    };
    const error = await run.advance().catch((error) => error);
    expect(error).toBeInstanceOf(EnvironmentError);
    expect(error.message).toMatch(message);
    if (fault instanceof Error) expect(error.cause).toBe(fault);
    expect(agent.replay.state()).toEqual(before);
    expect(agent.updates).toBe(5);
    expect(await run.state()).toEqual(runBefore);
  });

  it('is found behind a vector environment too', async () => {
    const env = new Several([new Pendulum(), new Pendulum()]);
    const healthy = env.step.bind(env);
    env.step = async (actions) => ({ ...(await healthy(actions)), rewards: Float32Array.of(1, Number.NaN) });
    const error = await train({ agent: new TinyAgent(env), env, steps: 5 }).catch((error) => error);
    expect(error).toBeInstanceOf(EnvironmentError);
    expect(error.message).toMatch(/Several.step broke its contract at step 1: rewards\[1\] must be finite, got NaN/);
  });

  it('keeps its own error when callbacks fail at the end as well', async () => {
    const env = new Counter();
    env.step = () => {
      throw new Error('first');
    };
    const outcomes: string[] = [];
    const callbacks: TrainingCallback[] = [
      {
        onEnd: () => {
          throw new Error('second');
        },
      },
      { onEnd: (_, outcome) => void outcomes.push(outcome) },
    ];
    await expect(train({ agent: new TinyAgent(env), env, steps: 3, callbacks })).rejects.toThrow('first');
    expect(outcomes).toEqual(['failed']);
    await expect(train({ agent: new TinyAgent(env), env, steps: 0, callbacks })).rejects.toThrow('second');
    expect(outcomes).toEqual(['failed', 'finished']);
  });
});

describe('arguments', () => {
  it('must fit each other', async () => {
    const agent = new TinyAgent(new Counter());
    await expect(train({ agent, env: new Pendulum(), steps: 5 })).rejects.toThrow(ShapeError);
    await expect(train({ agent, env: new Pendulum(), steps: 5 })).rejects.toThrow(
      'Tiny has observations of size 1, Pendulum-v1 of size 3',
    );
    const wider = Object.assign(new Counter(), { actionSpace: Box.uniform(1, -2, 2) });
    await expect(train({ agent, env: wider, steps: 5 })).rejects.toThrow(
      /action 0 of Tiny is in \[-1, 1\], of Counter in \[-2, 2\]/,
    );
    await expect(train({ agent, env: new Counter(), steps: -1 })).rejects.toThrow(ArgumentError);
    const env = new Counter();
    await expect(train({ agent, env, steps: 5, callbacks: [evaluation({ env })] })).rejects.toThrow(
      /make a second one/,
    );
    const other = evaluation({ env: new Pendulum() });
    await expect(train({ agent, env, steps: 5, callbacks: [other] })).rejects.toThrow(
      'evaluation: Tiny has observations of size 1, Pendulum-v1 of size 3',
    );
    expect(() => evaluation({ env, seed: -1 })).toThrow(/seed must be an integer >= 0, got -1/);
    const callbacks = [evaluation({ env: new NormaliseObservation(new Counter()) })];
    const parts = { evaluation: new RunningMoments(1) };
    await expect(train({ agent, env, steps: 5, callbacks, parts })).rejects.toThrow(
      /parts must not hold 'evaluation', the name of what a callback remembers/,
    );
  });
});

describe('callbacks', () => {
  it('that have not started do not hear of the end', async () => {
    const env = new Counter();
    const heard: string[] = [];
    const spy = (name: string): TrainingCallback => ({ onEnd: (_, outcome) => void heard.push(`${name} ${outcome}`) });
    const callbacks = [spy('first'), evaluation({ env }), spy('last')];
    await expect(train({ agent: new TinyAgent(env), env, steps: 3, callbacks })).rejects.toThrow(/make a second one/);
    expect(heard).toEqual(['first failed']);
  });

  it('hear of everything in order', async () => {
    const env = new Counter(2);
    const heard: string[] = [];
    const listener: TrainingCallback = {
      onStart: (run, steps) => void heard.push(`start ${run.step} of ${steps}`),
      onStep: async (run) => void heard.push(`step ${run.step}`),
      onEpisode: (_, episode) => void heard.push(`episode ${episode.return}`),
      onEvaluation: (_, { step, returns }) => void heard.push(`evaluation ${step} ${returns}`),
      onStepEnd: async (run) => void heard.push(`end of step ${run.step}`),
      onEnd: (_, outcome) => void heard.push(outcome),
    };
    const callbacks = [listener, evaluation({ env: new Counter(3), every: 3, episodes: 2 })];
    await train({ agent: new TinyAgent(env), env, steps: 3, callbacks });
    expect(heard).toEqual([
      'start 0 of 3',
      'step 1',
      'end of step 1',
      'step 2',
      'episode 3',
      'end of step 2',
      'step 3',
      'evaluation 3 6,6',
      'end of step 3',
      'finished',
    ]);
  });
});
