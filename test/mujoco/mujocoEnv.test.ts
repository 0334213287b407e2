import { Rng } from 'diffrl';
import { MujocoEnv, type MujocoId, makeMujoco, type Simulation } from 'diffrl/mujoco';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { loadState } from '../../src/state.js';

const POINT = `<mujoco><option timestep="0.01"/>
  <worldbody><body><joint name="x" type="slide" axis="1 0 0"/><geom size="0.02"/></body></worldbody>
  <actuator><motor name="push" joint="x"/></actuator></mujoco>`;

const point = () =>
  MujocoEnv.create({
    model: POINT,
    frameSkip: 2,
    initialize: ({ qpos }, rng) => {
      qpos[0] = rng.uniform(-1, 1);
    },
    observe: ({ qpos, qvel }) => ({ place: qpos[0]!, qvel }),
    track: ({ qpos }) => [qpos[0]!],
    evaluate: ({ before, after, dt }) => ({ reward: (after[0]! - before[0]!) / dt }),
  });

const open: { close(): unknown }[] = [];
const use = async <T extends { close(): unknown }>(env: Promise<T>): Promise<T> => {
  open.push(await env);
  return env;
};
afterEach(() => {
  for (const env of open.splice(0)) env.close();
});

describe('MujocoEnv', () => {
  it('takes sizes from the model and the observation', async () => {
    const env = await use(point());
    expect(env.layout).toEqual({ place: { from: 0, to: 1 }, qvel: { from: 1, to: 2 } });
    expect(env.observationSpace.size).toBe(2);
    expect(env.actionSpace.high).toEqual(Float32Array.of(Infinity));
    expect(env.dt).toBeCloseTo(0.02, 12);
  });

  it('moves as Newton said', async () => {
    const env = await use(point());
    env.start({ qpos: [0.5] });
    const mass = (4 / 3) * Math.PI * 0.02 ** 3 * 1000;
    const { reward } = env.step(Float32Array.of(mass));
    expect(env.observe()[1]).toBeCloseTo(0.02, 6); // 1 m/s^2 for two steps of 0.01 s
    expect(reward).toBeCloseTo((0.01 * 0.01 + 0.02 * 0.01) / 0.02, 6);
  });

  it('starts the same episode for the same seed and another one without', async () => {
    const env = await use(point());
    const first = env.reset({ seed: 5 }).observation;
    expect(env.reset().observation).not.toEqual(first);
    expect(env.reset({ seed: 5 }).observation).toEqual(first);
  });

  it('starts anywhere as long as it has no seed, from one state before that', async () => {
    const [one, other] = [await use(point()), await use(point())];
    expect(one.reset().observation).not.toEqual(other.reset().observation);
    expect((await use(point())).state()).toEqual((await use(point())).state());
  });

  it('names a part of the observation whose size changes, and one that comes or goes', async () => {
    let parts: object = { place: 0, wheels: [1, 2] };
    const task = { model: POINT, frameSkip: 1, evaluate: () => ({ reward: 0 }) };
    const env = await use(MujocoEnv.create({ ...task, observe: () => parts as Record<string, number> }));
    for (const [changed, fault] of [
      [{ place: 0, wheels: [1] }, /observe gave 1 numbers for 'wheels' where it gave 2 when the environment was made/],
      [{ place: 0, wheels: [1, 2, 3] }, /observe gave 3 numbers for 'wheels'/],
      [{ place: 0 }, /observe gave 0 numbers for 'wheels'/],
      [{ place: 0, wheels: [1, 2], arm: 3 }, /observe gave 1 numbers for 'arm' where it gave 0/],
    ] as const) {
      parts = { place: 0, wheels: [1, 2] };
      env.reset({ seed: 1 });
      parts = changed;
      expect(() => env.step(Float32Array.of(0))).toThrow(fault);
      expect(() => env.reset()).toThrow(fault);
    }
  });

  it('takes a keyframe by name only', async () => {
    const model = POINT.replace('</mujoco>', '<keyframe><key name="7" qpos="0.5"/></keyframe></mujoco>');
    const task = {
      model,
      frameSkip: 1,
      observe: ({ qpos }: Simulation) => ({ qpos }),
      evaluate: () => ({ reward: 0 }),
    };
    await expect(MujocoEnv.create({ ...task, keyframe: 7 as never })).rejects.toThrow(
      /task.keyframe must be a text, got 7/,
    );
    await expect(MujocoEnv.create({ ...task, keyframe: '0' })).rejects.toThrow(/the model has no keyframe named '0'/);
    const env = await use(MujocoEnv.create({ ...task, keyframe: '7' }));
    expect(env.reset().observation).toEqual(Float32Array.of(0.5));
    expect(() => env.simulation.reset(0 as never)).toThrow(/keyframe's name must be a text, got 0/);
  });

  it('refuses bad actions before anything moves', async () => {
    const env = await use(point());
    expect(() => env.step(Float32Array.of(0))).toThrow(/call reset first/);
    env.reset({ seed: 1 });
    const before = env.state();
    expect(() => env.step(Float32Array.of(0, 0))).toThrow(/action must have 1 numbers/);
    expect(() => env.step(Float32Array.of(Number.NaN))).toThrow(/action\[0\] is NaN/);
    expect(env.state()).toEqual(before);
  });

  it('names an unstable motion and works again after a reset', async () => {
    const env = await use(point());
    for (const steps of [0, 3]) {
      env.reset({ seed: 1 });
      for (let t = 0; t < steps; t++) env.step(Float32Array.of(0.01));
      expect(() => env.step(Float32Array.of(9e9))).toThrow(
        expect.objectContaining({
          name: 'MujocoSimulationError',
          message: expect.stringMatching(/unstable .*q(acc|vel)\[0\]/),
        }),
      );
      expect(() => env.step(Float32Array.of(0))).toThrow(/call reset first/);
    }
    env.reset({ seed: 1 });
    expect(env.step(Float32Array.of(0)).observation.every(Number.isFinite)).toBe(true);
  });

  it('names a model that does not compile, an unknown actuator and an unknown option', async () => {
    const task = { frameSkip: 1, observe: () => ({ one: 1 }), evaluate: () => ({ reward: 0 }) };
    await expect(MujocoEnv.create({ ...task, model: '<mujoco><bad/></mujoco>' })).rejects.toThrow(
      expect.objectContaining({ name: 'MujocoModelError', message: expect.stringContaining("Element 'bad'") }),
    );
    await expect(MujocoEnv.create({ ...task, model: POINT, actuators: ['pull'] })).rejects.toThrow(
      /no actuator named 'pull'/,
    );
    await expect(MujocoEnv.create({ ...task, model: POINT, actuators: [] })).rejects.toThrow(/has no actuator/);
    await expect(MujocoEnv.create({ ...task, model: POINT, observe: () => ({}) })).rejects.toThrow(/no numbers/);
    await expect(MujocoEnv.create({ ...task, model: POINT, frameSkip: 0 })).rejects.toThrow(/frameSkip .* >= 1/);
    await expect(makeMujoco('HalfCheetah-v5', { ctrlCost: 1 } as object)).rejects.toThrow(/no option 'ctrlCost'/);
    for (const [option, value, wanted] of [
      ['healthyZRange', 0.8, 'a list of 2 numbers, got 0.8'],
      ['healthyZRange', [0.8, null], 'a list of 2 numbers'],
      ['ctrlCostWeight', '1', "a number, got '1'"],
      ['terminateWhenUnhealthy', 0, 'a boolean, got 0'],
    ] as const) {
      await expect(makeMujoco('Hopper-v5', { [option]: value } as object)).rejects.toThrow(
        `Hopper-v5: ${option} must be ${wanted}`,
      );
    }
    await expect(makeMujoco('HalfCheetah-v4', { frameSkip: 1 } as object)).rejects.toThrow(/no option 'frameSkip'/);
    await expect(makeMujoco('Cheetah-v5' as MujocoId)).rejects.toThrow(/must be one of 'Ant-v4'/);
  });

  it('cannot be used after close', async () => {
    const env = await point();
    env.close();
    env.close();
    expect(() => env.reset()).toThrow(/was closed/);
    expect(() => env.simulation.qpos).toThrow(/was closed/);
  });

  it('frees the memory of 1,000 closed environments and survives that of many open ones', async () => {
    const first = await use(point());
    first.reset({ seed: 1 });
    const memory = () => first.simulation.qpos.buffer.byteLength;
    for (let i = 0; i < 10; i++) (await point()).close();
    const before = memory();
    for (let i = 0; i < 1000; i++) (await point()).close();
    expect(memory()).toBe(before);
    const position = first.simulation.qpos[0];
    for (let i = 0; i < 20; i++) await use(point());
    expect(memory()).toBeGreaterThan(before); // earlier views of the memory are stale now
    expect(first.simulation.qpos[0]).toBe(position);
    expect(first.step(Float32Array.of(0)).observation[0]).toBe(Math.fround(position!));
  });
});

describe('state', () => {
  it.each([
    ...(['HalfCheetah-v5', 'InvertedPendulum-v5', 'Ant-v5', 'Humanoid-v5', 'Reacher-v4', 'Pusher-v4'] as const),
    ...(['walker-run', 'hopper-hop', 'quadruped-run', 'finger-turn_hard', 'fish-swim'] as const).map(
      (task) => `dm_control/${task}` as const,
    ),
  ])('%s goes on bit for bit in another instance', async (id) => {
    const [one, other] = [await use(makeMujoco(id)), await use(makeMujoco(id))];
    const rng = Rng.fromSeed(3);
    await one.reset({ seed: 7 });
    for (let t = 0; t < 30; t++) await one.step(one.actionSpace.sample(rng));
    const saved = structuredClone(await one.state!());
    await loadState(other, saved);
    for (let t = 0; t < 30; t++) {
      const action = one.actionSpace.sample(rng);
      expect(await other.step(action)).toEqual(await one.step(action));
    }
    expect(await other.reset()).toEqual(await one.reset());
    expect(other.elapsedSteps).toBe(one.elapsedSteps);
  });

  it('refuses the state of another task and changes nothing', async () => {
    const [cheetah, pendulum] = [await use(makeMujoco('HalfCheetah-v5')), await use(makeMujoco('InvertedPendulum-v5'))];
    await cheetah.reset({ seed: 1 });
    await pendulum.reset({ seed: 1 });
    const before = await cheetah.state!();
    const foreign = await pendulum.state!();
    await expect(async () => cheetah.prepare!(foreign)).rejects.toThrow(/qpos' has 2 numbers/);
    expect(await cheetah.state!()).toEqual(before);
  });
});

describe('makeMujoco', () => {
  it('applies the time limit of the task unless told otherwise', async () => {
    const env = await use(makeMujoco('HalfCheetah-v5', { maxEpisodeSteps: 3 }));
    await env.reset({ seed: 0 });
    const ends: boolean[] = [];
    for (let t = 0; t < 3; t++) ends.push((await env.step(new Float32Array(6))).truncated);
    expect(ends).toEqual([false, false, true]);
    expect((await use(makeMujoco('HalfCheetah-v5'))).maxEpisodeSteps).toBe(1000);
    expect((await use(makeMujoco('dm_control/walker-run', { maxEpisodeSteps: 7 }))).maxEpisodeSteps).toBe(7);
    const close = vi.spyOn(MujocoEnv.prototype, 'close');
    await expect(makeMujoco('HalfCheetah-v5', { maxEpisodeSteps: 0 })).rejects.toThrow(/maxEpisodeSteps must be/);
    expect(close).toHaveBeenCalledOnce();
    close.mockRestore();
    // @ts-expect-error the tasks of the suite have no options of their own
    await expect(makeMujoco('dm_control/walker-run', { frameSkip: 7 })).rejects.toThrow(/no option 'frameSkip'/);
  });
});
