/**
 * A robot of your own: two wheels, a heavy pole, and an inertial sensor. DIME learns to keep it upright on the spot.
 * Leaves a film and a strip of frames in runs/ownRobot. Run: npx tsx examples/ownRobot.ts [--steps 3000]
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import {
  animation,
  checkEnv,
  DimeAgent,
  EulerMaruyamaSampler,
  evaluate,
  filmStrip,
  progressBar,
  TimeLimit,
  train,
} from 'diffrl';
import { FrameRecorder, MujocoEnv, type Simulation } from 'diffrl/mujoco';

const balancer = `
<mujoco model="balancer">
  <option timestep="0.005"/>
  <default>
    <geom condim="4" friction="1 0.02 0.001"/>
    <motor ctrlrange="-1 1" gear="0.6"/>
    <default class="wheel">
      <geom type="cylinder" size="0.08 0.015" zaxis="0 1 0" mass="0.2" rgba="0.25 0.28 0.33 1"/>
      <joint axis="0 1 0" damping="0.004" armature="0.002"/>
    </default>
  </default>
  <worldbody>
    <geom type="plane" size="0 0 1"/>
    <body name="chassis" pos="0 0 0.08">
      <freejoint/>
      <geom type="box" size="0.04 0.09 0.03" mass="0.6" rgba="0.90 0.55 0.25 1"/>
      <geom type="capsule" fromto="0 0 0.03 0 0 0.32" size="0.015" mass="0.1" rgba="0.60 0.64 0.68 1"/>
      <geom type="sphere" pos="0 0 0.36" size="0.05" mass="0.5" rgba="0.36 0.50 0.65 1"/>
      <site name="imu"/>
      <body name="left" pos="0 0.11 0" childclass="wheel"><joint name="left"/><geom/></body>
      <body name="right" pos="0 -0.11 0" childclass="wheel"><joint name="right"/><geom/></body>
    </body>
  </worldbody>
  <actuator><motor name="left" joint="left"/><motor name="right" joint="right"/></actuator>
  <sensor><gyro name="gyro" site="imu"/><framezaxis name="up" objtype="site" objname="imu"/></sensor>
</mujoco>`;

/** Angle from the vertical, forward positive, rad. */
const lean = (simulation: Simulation) => Math.atan2(simulation.sensor('up')[0]!, simulation.sensor('up')[2]!);

const makeRobot = async () => {
  const robot = await MujocoEnv.create({
    id: 'Balancer',
    model: balancer,
    frameSkip: 4, // 50 decisions a second
    view: { from: 'diagonal', span: 0.8 },
    initialize(simulation, rng) {
      const angle = rng.uniform(-0.15, 0.15);
      simulation.qpos.set([Math.cos(angle / 2), 0, Math.sin(angle / 2), 0], 3); // turned about y
    },
    observe: (simulation) => ({
      lean: lean(simulation),
      gyro: simulation.sensor('gyro'),
      wheels: [simulation.jointVelocity('left')[0]! / 10, simulation.jointVelocity('right')[0]! / 10],
      place: simulation.bodyPosition('chassis').subarray(0, 2),
    }),
    evaluate({ simulation, action }) {
      const [x, y] = simulation.bodyPosition('chassis');
      const drift = Math.min(x! ** 2 + y! ** 2, 1);
      const effort = action.reduce((sum, value) => sum + value ** 2, 0);
      const fell = Math.abs(lean(simulation)) > 0.7;
      return { reward: fell ? 0 : 1 - 0.5 * drift - 0.05 * effort, terminated: fell };
    },
  });
  return new TimeLimit(robot, 200);
};

const { values } = parseArgs({ options: { steps: { type: 'string', default: '3000' } } });
const env = await makeRobot();
const advice = await checkEnv(env);
if (advice.length) console.log(advice.join('\n'));

const agent = await DimeAgent.create({
  env,
  sampler: new EulerMaruyamaSampler({ steps: 8 }),
  criticHidden: [256, 256],
  support: { min: -10, max: 110 },
  temperature: 0.1,
  warmupSteps: 500,
  updatesPerTransition: 1,
  actorLearningRate: 1e-3,
  criticLearningRate: 1e-3,
});
const recorder = new FrameRecorder(await makeRobot());
const before = await evaluate({ agent, env: recorder, episodes: 5 });
await train({ agent, env, steps: Number(values.steps), callbacks: [progressBar()] });
const after = await evaluate({ agent, env: recorder, episodes: 5 });
console.log(`\nReturn before ${before.mean.toFixed(1)}, after ${after.mean.toFixed(1)}; the best possible is 200.`);

await mkdir('runs/ownRobot', { recursive: true });
const { frames, fps } = recorder;
await writeFile('runs/ownRobot/film.svg', animation(frames, { fps, title: 'Balancer' }).svg);
await writeFile('runs/ownRobot/strip.svg', filmStrip(frames, { count: 6, columns: 3 }).svg);
console.log('runs/ownRobot/film.svg (open it in a browser), runs/ownRobot/strip.svg');
