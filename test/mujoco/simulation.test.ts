import { MujocoEnv, Simulation } from 'diffrl/mujoco';
import { afterEach, describe, expect, it } from 'vitest';

const ROBOT = `<mujoco>
  <option gravity="0 0 0"/>
  <worldbody>
    <body name="base" pos="0 0 1">
      <freejoint name="root"/>
      <geom name="hull" size="0.1"/>
      <site name="imu" pos="0 0 0.5"/>
      <body name="arm" pos="0.2 0 0">
        <joint name="shoulder" type="ball"/>
        <geom size="0.05"/>
        <body name="hand" pos="0.3 0 0"><joint name="wrist" axis="0 0 1"/><geom name="palm" size="0.05" pos="0.1 0 0"/></body>
      </body>
    </body>
  </worldbody>
  <actuator><motor name="turn" joint="wrist"/></actuator>
  <sensor><jointpos name="angle" joint="wrist"/><framepos name="place" objtype="site" objname="imu"/></sensor>
</mujoco>`;

const open: Simulation[] = [];
afterEach(() => {
  for (const simulation of open.splice(0)) simulation.close();
});
const create = async (model: Parameters<typeof Simulation.create>[0]) => {
  const simulation = await Simulation.create(model);
  open.push(simulation);
  return simulation;
};
const expectVector = (got: Float64Array, expected: number[]) => {
  expect(got).toHaveLength(expected.length);
  got.forEach((value, i) => expect(value, `entry ${i}`).toBeCloseTo(expected[i]!, 12));
};

describe('named access', () => {
  it('reads and writes joints of every kind', async () => {
    const robot = await create(ROBOT);
    expectVector(robot.jointPosition('root'), [0, 0, 1, 1, 0, 0, 0]);
    expectVector(robot.jointPosition('shoulder'), [1, 0, 0, 0]);
    robot.jointPosition('wrist')[0] = Math.PI / 2;
    robot.jointVelocity('wrist')[0] = 3;
    expect([robot.qpos[11], robot.qvel[9]]).toEqual([Math.PI / 2, 3]);
    const widths = ['root', 'shoulder', 'wrist'].map((name) => robot.jointVelocity(name).length);
    expect(widths).toEqual([6, 3, 1]);
  });

  it('reads where bodies, geoms and sites are, and sensors', async () => {
    const robot = await create(ROBOT);
    robot.jointPosition('root').set([1, 2, 3]);
    robot.jointPosition('wrist')[0] = Math.PI / 2;
    robot.forward();
    expectVector(robot.bodyPosition('hand'), [1.5, 2, 3]);
    expectVector(robot.bodyOrientation('hand'), [0, -1, 0, 1, 0, 0, 0, 0, 1]);
    expectVector(robot.geomPosition('palm'), [1.5, 2.1, 3]);
    expectVector(robot.sitePosition('imu'), [1, 2, 3.5]);
    expectVector(robot.sensor('angle'), [Math.PI / 2]);
    expectVector(robot.sensor('place'), [1, 2, 3.5]);
    expect(robot.id('actuator', 'turn')).toBe(0);
  });

  it('names what the model does not have', async () => {
    const robot = await create(ROBOT);
    expect(() => robot.bodyPosition('foot')).toThrow(/the model has no body named 'foot'/);
    expect(() => robot.jointPosition('foot')).toThrow(/no joint named 'foot'/);
    expect(() => robot.sensor('foot')).toThrow(/no sensor named 'foot'/);
  });
});

describe('models', () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const tetrahedron = bytes('v -1 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 3 2\nf 1 2 4\nf 2 3 4\nf 3 1 4\n');

  it('come with their files: meshes and includes, in folders too', async () => {
    const xml = `<mujoco><compiler meshdir="meshes"/><include file="parts/hand.xml"/>
      <asset><mesh name="stone" file="stone.obj"/></asset></mujoco>`;
    const hand = bytes('<mujoco><worldbody><geom type="mesh" mesh="stone"/></worldbody></mujoco>');
    const robot = await create({ xml, assets: { 'meshes/stone.obj': tetrahedron, 'parts/hand.xml': hand } });
    expect([robot.model.nmesh, robot.model.mesh_vertnum[0]]).toEqual([1, 4]);
    await expect(create({ xml, assets: { 'parts/hand.xml': hand } })).rejects.toThrow(
      expect.objectContaining({ name: 'MujocoModelError', message: expect.stringContaining('stone.obj') }),
    );
  });

  const mesh = (file: string) =>
    `<mujoco><asset><mesh name="m" file="${file}"/></asset><worldbody><geom type="mesh" mesh="m"/></worldbody></mujoco>`;

  it('take files of folders beside and above theirs, and leave nothing behind', async () => {
    const assets = { '../../common/stone.obj': tetrahedron, './other.obj': 'not used, and not a mesh' };
    const robot = await create({ xml: mesh('../../common/stone.obj'), assets });
    expect(robot.model.mesh_vertnum[0]).toBe(4);
    expect(robot.engine.FS.readdir('/')).not.toContain('diffrl');
    await expect(create(mesh('../../common/stone.obj'))).rejects.toThrow(/Error opening file .*not among .* assets/);
  });

  it('take the file that is meant, not another of its name', async () => {
    const assets = { 'collision/link.obj': tetrahedron, 'Visual/link.obj': tetrahedron };
    await expect(create({ xml: mesh('visual/link.obj'), assets })).rejects.toThrow(
      /Error opening file 'visual\/link.obj' \(There is 'collision\/link.obj', 'Visual\/link.obj', but/,
    );
    const big = new TextDecoder().decode(tetrahedron).replace(/v .*/g, (line) => line.replaceAll('1', '3'));
    const radius = async (name: string) => {
      const both = { 'visual/link.obj': big, 'collision/link.obj': tetrahedron };
      return (await create({ xml: mesh(`${name}/link.obj`), assets: both })).model.geom_rbound[0];
    };
    expect((await radius('visual')) / (await radius('collision'))).toBeCloseTo(3, 5);
  });

  it('get 5 MB of files in no time', async () => {
    await create(ROBOT);
    const before = process.cpuUsage();
    await create({ xml: ROBOT, assets: { 'unused.stl': new Uint8Array(5e6) } });
    expect(process.cpuUsage(before).user / 1e6).toBeLessThan(0.5); // seconds where the engine copies byte by byte
  });

  it.each([
    [mesh('link.dae'), /no decoder found for mesh file 'link.dae'.*\.obj, \.stl and \.msh/s],
    ['<mujoco><asset><texture type="2d" file="link.dae"/></asset></mujoco>', /formats \.png and \.ktx/],
    [
      '<mujoco><extension><plugin plugin="mujoco.pid"/></extension></mujoco>',
      /mujoco\.pid not found.*no engine plugins/s,
    ],
    ['<mujoco><size memory="3G"/><worldbody/></mujoco>', /2 GiB .*<size>, or njmax and nconmax/],
  ])('say what the engine cannot do, and what to do: %s', async (xml, reason) => {
    const assets = { 'link.dae': '<COLLADA/>' };
    await expect(create({ xml, assets })).rejects.toThrow(
      expect.objectContaining({ name: 'MujocoModelError', message: expect.stringMatching(reason) }),
    );
    await create(ROBOT); // the engine goes on
  });

  it.each([['/meshes/link.obj'], ['meshes/'], ['']])('name files by relative paths: %s', async (name) => {
    await expect(create({ xml: ROBOT, assets: { [name]: tetrahedron } })).rejects.toThrow(/by their path from/);
    await expect(create({ xml: ROBOT, assets: { 'a.obj': 1 as never } })).rejects.toThrow(
      /'a.obj' must be a Uint8Array/,
    );
  });

  it('start in their keyframes on request', async () => {
    const xml = ROBOT.replace(
      '</mujoco>',
      '<keyframe><key name="home" qpos="1 2 3 1 0 0 0 1 0 0 0 0.5"/></keyframe></mujoco>',
    );
    const robot = await create(xml);
    robot.reset('home');
    expectVector(robot.qpos, [1, 2, 3, 1, 0, 0, 0, 1, 0, 0, 0, 0.5]);
    robot.reset();
    expectVector(robot.jointPosition('root'), [0, 0, 1, 1, 0, 0, 0]);
    expect(() => robot.reset('hom')).toThrow(/the model has no keyframe named 'hom'/);
    expect(() => robot.reset(0 as never)).toThrow(/name must be a text, got 0/);
    const task = { model: xml, frameSkip: 1, observe: () => ({ one: 1 }), evaluate: () => ({ reward: 0 }) };
    const env = await MujocoEnv.create({ ...task, keyframe: 'home', initialize: ({ qpos }) => qpos.fill(9, 0, 1) });
    open.push(env.simulation);
    env.reset({ seed: 1 });
    expectVector(env.simulation.qpos.subarray(0, 3), [9, 2, 3]);
    await expect(MujocoEnv.create({ ...task, keyframe: 'hom' })).rejects.toThrow(/no keyframe named 'hom'/);
  });

  it.each([
    ['<mujoco', /XML/],
    ['<mujoco><worldbody><body><joint/></body></worldbody></mujoco>', /mass and inertia of moving bodies/],
    ['<mujoco><actuator><motor joint="knee"/></actuator></mujoco>', /unknown .*'knee'/],
  ])('that are wrong are refused with the reason that the compiler gives: %s', async (xml, reason) => {
    const refused = { name: 'MujocoModelError', message: expect.stringMatching(reason) };
    await expect(create(xml)).rejects.toThrow(expect.objectContaining(refused));
  });
});

describe('errors of the engine', () => {
  it.each(['qpos', 'qvel'] as const)('NaN in %s is named; a reset repairs it', async (array) => {
    const robot = await create(ROBOT);
    robot.array(array)[2] = Number.NaN;
    expect(() => robot.step()).toThrow(
      expect.objectContaining({
        name: 'MujocoSimulationError',
        message: expect.stringContaining(`${array}[2] is NaN`),
      }),
    );
    robot.reset();
    robot.step(3);
    expect(robot.time).toBeCloseTo(0.006, 12);
    expect([...robot.qpos, ...robot.qvel].every(Number.isFinite)).toBe(true);
  });

  it('an engine that stops is named; it and others work afterwards', async () => {
    const ball = (joint: string) => `<body pos="0 0 0.05">${joint}<geom size="0.1"/></body>`;
    const cramped = await create(`<mujoco><size memory="4K"/>
      <worldbody><geom type="plane" size="1 1 1"/>${ball('<freejoint/>')}${ball('<joint/>')}</worldbody></mujoco>`);
    const other = await create(ROBOT);
    expect(() => cramped.step()).toThrow(
      expect.objectContaining({
        name: 'MujocoSimulationError',
        message: expect.stringMatching(/MuJoCo stopped .* out of memory/),
      }),
    );
    cramped.reset();
    cramped.model.opt.disableflags = cramped.engine.mjtDisableBit.mjDSBL_CONTACT.value; // needs less memory
    for (const simulation of [cramped, other]) {
      simulation.step();
      expect(simulation.time).toBeCloseTo(0.002, 12);
    }
  });

  it('a closed simulation says so, whatever is asked of it', async () => {
    const robot = await Simulation.create(ROBOT);
    robot.close();
    for (const use of [
      () => robot.step(),
      () => robot.time,
      () => robot.qpos,
      () => robot.reset(),
      () => robot.state(),
    ]) {
      expect(use).toThrow(/was closed/);
    }
  });

  it('a task that starts from NaN is named, and can start anew', async () => {
    let start = Number.NaN;
    const env = await MujocoEnv.create({
      model: ROBOT,
      frameSkip: 1,
      initialize: ({ qpos }) => qpos.fill(start, 0, 1),
      observe: ({ qpos }) => ({ qpos }),
      evaluate: () => ({ reward: 0 }),
    });
    open.push(env.simulation);
    expect(() => env.reset({ seed: 1 })).toThrow('MujocoEnv.reset: qpos of initialize[0] is NaN');
    expect(() => env.step(Float32Array.of(0))).toThrow(/call reset first/);
    start = 2;
    expect(env.reset({ seed: 1 }).observation[0]).toBe(2);
    expect(() => env.start({ qvel: [Number.NaN] })).toThrow(/qvel must have 10 numbers/);
    expect(() => env.start({ qvel: Array(10).fill(Infinity) })).toThrow(/qvel\[0\] is Infinity/);
  });
});
