import type { Simulation } from '../simulation.js';
import { type NoOptions, orientation, suiteTask, toFrame } from './common.js';
import { dogModel } from './dogModel.js';
import { tolerance } from './tolerance.js';

/** Heights of torso and pelvis to stand at, 0.9 of those at rest, and the weight in newtons. */
const STAND_HEIGHTS = { torso: 0.9 * 0.41522, pelvis: 0.9 * 0.4761649 };
const WEIGHT = 100.46366448928629;

const UPRIGHT = Math.cos(Math.PI / 6);
const UPRIGHT_PARTS = ['skull', 'torso', 'pelvis'];

/** Stand upright on four feet. */
export const dogStand = (options: NoOptions = {}) => dog('stand', options, () => 1);
/** Walk at 1 to 2 m/s. */
export const dogWalk = (options: NoOptions = {}) => dog('walk', options, moving(1));
/** Trot at 3 to 6 m/s. */
export const dogTrot = (options: NoOptions = {}) => dog('trot', options, moving(3));
/** Run at 9 m/s or more. */
export const dogRun = (options: NoOptions = {}) => dog('run', options, moving(9));

function dog(name: string, options: NoOptions, motion: (simulation: Simulation) => number) {
  return suiteTask(`dog-${name}`, options, {
    model: dogModel(),
    frameSkip: 3,
    view: { from: 'diagonal', span: 1.6 },
    initialize(simulation, rng) {
      const azimuth = rng.uniform(0, 2 * Math.PI);
      simulation.qpos.set([Math.cos(azimuth / 2), 0, 0, Math.sin(azimuth / 2)], 3);
      for (const dof of [0, 1, 5]) simulation.qvel[dof] = 2 * rng.normal();
      const act = simulation.array('act');
      for (let i = 0; i < act.length; i++) act[i] = rng.uniform(-1, 1);
    },
    observe: (simulation) => ({
      joint_angles: simulation.qpos.subarray(7),
      joint_velocities: simulation.qvel.subarray(6),
      torso_pelvis_height: [simulation.bodyPosition('torso')[2]!, simulation.bodyPosition('pelvis')[2]!],
      z_projection: UPRIGHT_PARTS.flatMap((part) => [...simulation.bodyOrientation(part).subarray(6)]),
      torso_com_velocity: velocity(simulation),
      inertial_sensors: readings(simulation, 'accelerometer', 'velocimeter', 'gyro'),
      foot_forces: readings(simulation, 'foot_L', 'foot_R', 'hand_L', 'hand_R'),
      touch_sensors: touch(simulation),
      actuator_state: simulation.array('act'),
    }),
    reward: (simulation) => standing(simulation) * motion(simulation),
  });
}

function readings(simulation: Simulation, ...sensors: string[]): number[] {
  return sensors.flatMap((name) => [...simulation.sensor(name)]);
}

function touch(simulation: Simulation): number[] {
  return readings(simulation, 'palm_L', 'palm_R', 'sole_L', 'sole_R');
}

/** Velocity of the mass centre in the torso's frame. */
function velocity(simulation: Simulation): number[] {
  return toFrame(simulation.sensor('torso_linvel'), simulation.bodyOrientation('torso'));
}

/** Torso and pelvis high, skull, torso and pelvis upright, the weight on the feet. */
function standing(simulation: Simulation): number {
  const heights = Object.entries(STAND_HEIGHTS).map(([part, height]) =>
    tolerance(simulation.bodyPosition(part)[2]!, { lower: height, upper: Infinity, margin: height }),
  );
  const upright = UPRIGHT_PARTS.map((part) =>
    tolerance(orientation(simulation, part, 'zz'), {
      ...{ lower: UPRIGHT, upper: Infinity, margin: 1 + UPRIGHT, shape: 'linear', valueAtMargin: 0 },
    }),
  );
  const load = touch(simulation).reduce((sum, force) => sum + force);
  const grounded = tolerance(load, {
    ...{ lower: WEIGHT, upper: Infinity, margin: WEIGHT, shape: 'linear', valueAtMargin: 0.9 },
  });
  return [...heights, ...upright, grounded].reduce((product, factor) => product * factor);
}

const moving = (speed: number) => (simulation: Simulation) => {
  const forward = tolerance(velocity(simulation)[0]!, {
    ...{ lower: speed, upper: 2 * speed, margin: Math.max(1, speed), shape: 'linear', valueAtMargin: 0 },
  });
  return (4 * forward + 1) / 5;
};
