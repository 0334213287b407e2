import {
  castRay,
  describeScene,
  Hand,
  MujocoEnv,
  type MujocoId,
  makeMujoco,
  mujocoIds,
  poseLength,
  readPose,
} from 'diffrl/mujoco';
import { afterEach, describe, expect, it } from 'vitest';

const open: { close(): unknown }[] = [];
afterEach(() => {
  for (const env of open.splice(0)) env.close();
});
const use = async <T extends { close(): unknown }>(env: Promise<T>): Promise<T> => {
  open.push(await env);
  return env;
};
const scene = (world: string, rest = '', sites: readonly string[] = []) =>
  use(
    MujocoEnv.create({
      id: 'Scene',
      model: `<mujoco><option gravity="0 0 0"/>${rest}<worldbody>${world}
        <body><joint name="unseen" axis="1 0 0"/><geom size="1" pos="0 0 -50" group="3"/></body></worldbody>
        <actuator><motor joint="unseen" ctrlrange="-1 1"/></actuator></mujoco>`,
      frameSkip: 2,
      view: { follow: false, sites },
      observe: ({ time }) => ({ time }),
      evaluate: () => ({ reward: 0 }),
    }),
  );
const still = Float32Array.of(0);
const turned = ([x, y, z, w]: number[], [a, b, c]: [number, number, number]): number[] => {
  const t = [2 * (y! * c - z! * b), 2 * (z! * a - x! * c), 2 * (x! * b - y! * a)];
  return [
    a + w! * t[0]! + y! * t[2]! - z! * t[1]!,
    b + w! * t[1]! + z! * t[0]! - x! * t[2]!,
    c + w! * t[2]! + x! * t[1]! - y! * t[0]!,
  ];
};

describe('describeScene', () => {
  it('names every kind of geom with its size, colour and body', async () => {
    const env = await scene(
      `<geom name="floor" type="plane" size="0 0 1" rgba="0.1 0.2 0.3 1"/>
       <geom type="mesh" mesh="m" pos="5 0 0"/><geom type="mesh" mesh="m" pos="6 0 0"/>
       <geom type="hfield" hfield="hills" pos="9 0 0"/><geom size="1" rgba="1 1 1 0"/>
       <body name="fixed"><geom type="box" size="0.1 0.2 0.3" rgba="1 0 0 0.5"/></body>
       <body name="free" pos="0 0 2"><freejoint/><geom name="rod" type="cylinder" size="0.1 0.4"/><site name="tip" pos="0 0 0.5" size="0.05"/></body>`,
      `<asset><mesh name="m" vertex="0 0 0 1 0 0 0 1 0 0 0 1"/>
       <hfield name="hills" nrow="2" ncol="3" size="1 2 0.5 0.1" elevation="0 1 2 3 4 4"/></asset>
       <tendon><spatial width="0.02"><site site="tip"/><geom geom="rod"/><site site="tip"/></spatial></tendon>`,
      ['tip'],
    );
    const { parts, meshes, heights, lines, bodies, dt, name } = describeScene(env);
    expect(parts.map(({ kind }) => kind)).toEqual([
      ...['plane', 'mesh', 'mesh', 'heightField', 'box', 'cylinder', 'sphere'],
    ]);
    expect(parts[0]).toMatchObject({ name: 'floor', size: [0, 0, 1], opacity: 1, body: 0 });
    parts[0]!.color.forEach((value, i) => expect(value).toBeCloseTo([0.1, 0.2, 0.3][i]!, 6));
    expect([parts[1]!.data, parts[2]!.data, parts[3]!.data]).toEqual([0, 0, 0]);
    expect(parts[4]).toMatchObject({ size: [0.1, 0.2, 0.3], opacity: 0.5, body: 0 }); // welded to the world
    expect(bodies[parts[5]!.body]).toBe('free');
    expect(parts[6]).toMatchObject({ name: 'tip', body: parts[5]!.body });
    expect([meshes.length, meshes[0]!.vertices.length, meshes[0]!.faces.length]).toEqual([1, 12, 12]);
    expect(heights).toEqual([
      { rows: 2, columns: 3, size: [1, 2, 0.5, 0.1], data: Float32Array.of(0.75, 1, 1, 0, 0.25, 0.5) },
    ]);
    expect(lines).toMatchObject([{ points: 4, width: 0.02 }]);
    expect([dt, name]).toEqual([0.004, 'Scene']);
  });

  it.each(mujocoIds().filter((id) => !id.endsWith('-v4')))('%s: can be sent, and its poses fit', async (id) => {
    const env = await use(makeMujoco(id as MujocoId));
    await env.reset({ seed: 1 });
    const description = describeScene(env);
    expect(structuredClone(description)).toEqual(description);
    expect(description.parts.some(({ body }) => body > 0)).toBe(true);
    const { view, parts } = description;
    expect([...view.center, ...view.eye, view.span].every(Number.isFinite)).toBe(true);
    const pose = readPose(env);
    expect(pose.length).toBe(poseLength(description));
    expect(pose.every(Number.isFinite)).toBe(true);
    const { simulation } = env.unwrapped;
    parts.forEach(({ name }, i) => {
      const norm = Math.hypot(...pose.subarray(7 * i + 3, 7 * i + 7));
      expect(norm).toBeCloseTo(1, 5);
      if (!name || (env.unwrapped.task.view?.sites ?? []).includes(name)) return;
      const geom = simulation.id('geom', name);
      const matrix = simulation.array('geom_xmat').subarray(9 * geom);
      expect(pose[7 * i]).toBeCloseTo(simulation.geomPosition(name)[0]!, 5);
      const axis = turned(Array.from(pose.subarray(7 * i + 3, 7 * i + 7)), [0, 0, 1]);
      axis.forEach((value, row) => expect(value).toBeCloseTo(matrix[3 * row + 2]!, 5));
    });
  });

  it('reads poses into an array, and refuses another length and other environments', async () => {
    const env = await scene('<geom size="1"/>');
    const into = new Float32Array(7);
    expect(readPose(env, into)).toBe(into);
    expect(() => readPose(env, new Float32Array(6))).toThrow(/into must have 7 numbers/);
    expect(() => describeScene({} as never)).toThrow(/must be a MujocoEnv/);
  });
});

const FREE = '<body name="ball" pos="0 0 1"><freejoint/><geom size="0.1"/></body>';

describe('Hand', () => {
  it.each([
    ['a free body', FREE, [0, 0.05, 1.05], [0.5, 0.2, 1.4]],
    ['a heavy one', FREE.replace('size="0.1"', 'size="0.1" mass="800"'), [0, 0, 1], [0.5, 0.2, 1.4]],
    [
      'a door',
      '<body name="door"><joint axis="0 0 1"/><geom type="box" size="1 0.02 1" pos="1 0 0"/></body>',
      [2, 0, 0],
      [0, 2, 0],
    ],
    [
      'a light tip on a heavy body',
      '<body name="b"><freejoint/><geom size="0.2"/><geom size="0.01" pos="0 0 3"/></body>',
      [0, 0, 3],
      [1, 0, 3],
    ],
  ] as const)('brings the point of %s to where it is pulled, and it comes to rest', async (_, world, at, to) => {
    const env = await scene(world);
    env.reset({ seed: 1 });
    const hand = new Hand(env);
    hand.grab(1, at);
    hand.moveTo(to);
    expect(hand.held!.to).toEqual(to);
    for (let t = 0; t < 500; t++) env.step(still);
    hand.held!.from.forEach((value, i) => expect(Math.abs(value - to[i]!)).toBeLessThan(0.1));
  });

  it('changes nothing while nothing is held', async () => {
    const run = async (hold: boolean) => {
      const env = await use(makeMujoco('HalfCheetah-v5'));
      await env.reset({ seed: 2 });
      const hand = new Hand(env);
      const action = new Float32Array(6).fill(0.3);
      for (let t = 0; t < 5; t++) await env.step(action);
      if (hold) hand.grab(1, [0, 0, 0.6]);
      hand.moveTo([0, 0, 2]);
      if (hold) await env.step(action);
      const lifted = hand.held !== undefined;
      hand.release();
      await env.reset({ seed: 2 });
      for (let t = 0; t < 20; t++) await env.step(action);
      return { state: await env.state!(), lifted };
    };
    const [free, held] = [await run(false), await run(true)];
    expect([free.lifted, held.lifted]).toEqual([false, true]);
    expect(held.state).toEqual(free.state);
  });

  it.each(['HalfCheetah-v5', 'dm_control/walker-walk', 'dm_control/acrobot-swingup'] as const)(
    'lifts %s, lets go with a reset and leaves no force behind',
    async (id) => {
      const env = await use(makeMujoco(id));
      await env.reset({ seed: 1 });
      const { simulation } = env.unwrapped;
      const hand = new Hand(env);
      const [x, y, z] = simulation.array('xipos').subarray(3);
      hand.grab(1, [x!, y!, z!]);
      hand.moveTo([x! + 0.5, y!, z! + 0.5]);
      for (let t = 0; t < 3; t++) await env.step(new Float32Array(env.actionSpace.size));
      expect(simulation.array('xfrc_applied').some((value) => value !== 0)).toBe(true);
      await env.reset({ seed: 1 });
      await env.step(new Float32Array(env.actionSpace.size));
      expect(hand.held).toBeUndefined();
      expect(simulation.array('xfrc_applied').every((value) => value === 0)).toBe(true);
      expect(simulation.beforeStep).toBeUndefined();
    },
  );

  it('names what it cannot hold, and survives a closed environment', async () => {
    const env = await scene(`<body name="wall"><geom size="1"/></body>${FREE}`);
    const hand = new Hand(env);
    hand.grab(2, [0, 0, 0]);
    env.reset({ seed: 1 });
    expect(hand.held).toBeUndefined();
    expect(() => hand.grab(0, [0, 0, 0])).toThrow(/body 0 is fixed to the world/);
    expect(() => hand.grab(1, [0, 0, 0])).toThrow(/body 1 is fixed/);
    expect(() => hand.grab(9, [0, 0, 0])).toThrow(/body must be an integer/);
    expect(() => hand.grab(2, [0, 0, Number.NaN])).toThrow(/at\[2\] is NaN/);
    expect(() => hand.moveTo([0, 0] as never)).toThrow(/target must have 3 numbers/);
    expect(hand.held).toBeUndefined();
    hand.grab(2, [0, 0, 1]);
    env.close();
    hand.release();
    expect(() => hand.grab(2, [0, 0, 1])).toThrow(/was closed/);
  });
});

describe('castRay', () => {
  it('finds what it meets first, and the body that moves', async () => {
    const env = await scene(`<geom type="plane" size="9 9 1"/>${FREE}<body pos="3 0 0"><geom size="0.5"/></body>`);
    expect(castRay(env, [0, 0, 5], [0, 0, -2])!.body).toBe(1);
    expect(castRay(env, [0, 0, 5], [0, 0, -2])!.point[2]).toBeCloseTo(1.1, 12);
    expect(castRay(env, [0, 0, 5], [0, 0, -2])!.distance).toBeCloseTo(3.9, 12);
    expect(castRay(env, [3, 0, 5], [0, 0, -1])).toMatchObject({ body: 0, point: [3, 0, 0.5] });
    expect(castRay(env, [0, 0, 5], [0, 0, 1])).toBeUndefined();
    expect(() => castRay(env, [0, 0, 5], [0, 0, 0])).toThrow(/direction must not be zero/);
  });
});
