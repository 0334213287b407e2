import { MultiGoal, Pendulum } from 'diffrl';
import type { SceneDescription, ScenePart } from 'diffrl/mujoco';
import { clamp, type Vector } from './vector.js';
import type { Held, Pull, World } from './world.js';

/** Where a pointer pulls to, and what it holds. */
class Grip {
  body = 0;
  target?: Vector;

  pull(pull: Pull): void {
    if (pull.kind === 'grab') this.body = pull.body;
    this.target = pull.kind === 'grab' ? pull.point : pull.kind === 'move' && this.target ? pull.target : undefined;
  }

  held(from: Vector): Held | undefined {
    return this.target && { body: this.body, from, to: this.target };
  }
}

/** The pendulum, with a hand at its tip. */
class PulledPendulum extends Pendulum {
  readonly grip = new Grip();

  protected override advance(state: [number, number], action: [number]) {
    const next = super.advance(state, action);
    const { target } = this.grip;
    if (!target) return next;
    const [angle, rate] = next.state;
    const tip = tipAt(angle);
    const torque = clamp(20 * (target[0] * tip[2] - target[2] * tip[0]) - 2 * rate, 40);
    return { ...next, state: [angle, clamp(rate + 3 * torque * 0.05, 8)] as [number, number] };
  }
}

const tipAt = (angle: number): Vector => [Math.sin(angle), 0, Math.cos(angle)];

export function pendulumWorld(): World {
  const env = new PulledPendulum();
  let angle = Math.PI;
  const scene: SceneDescription = {
    name: 'Pendulum-v1',
    parts: [
      part('cylinder', 'stand', [0.16, 0.05, 0], [0.42, 0.46, 0.56], 0),
      part('capsule', 'rod', [0.055, 0.5, 0], [0.98, 0.62, 0.32], 1),
      part('sphere', 'tip', [0.13, 0, 0], [0.98, 0.52, 0.26], 1),
    ],
    meshes: [],
    heights: [],
    lines: [],
    bodies: ['world', 'pendulum'],
    view: { center: [0, 0, 0], eye: [0, -0.98, 0.2], span: 3 },
    dt: 0.05,
  };
  return {
    env,
    scene,
    pose: ([cos, sin]) => {
      angle = Math.atan2(sin!, cos!);
      const [x, , z] = tipAt(angle);
      const turn = [0, Math.sin(angle / 2), 0, Math.cos(angle / 2)];
      const lying = [Math.SQRT1_2, 0, 0, Math.SQRT1_2];
      return Float32Array.from([0, 0, 0, ...lying, x / 2, 0, z / 2, ...turn, x, 0, z, ...turn]);
    },
    pull: (pull) => env.grip.pull(pull),
    get held() {
      return env.grip.held(tipAt(angle));
    },
  };
}

/** The plane with goals, and a hand at the point. */
class PulledMultiGoal extends MultiGoal {
  readonly grip = new Grip();

  protected override advance(state: [number, number], action: [number, number]) {
    const { target } = this.grip;
    if (!target) return super.advance(state, action);
    const [x, y] = state;
    return super.advance([x + 0.5 * (target[0] - x), y + 0.5 * (target[1] - y)], action);
  }
}

const TRAIL = 31;

export function multiGoalWorld(): World {
  const env = new PulledMultiGoal();
  let trail: number[][] = [];
  const scene: SceneDescription = {
    name: 'MultiGoal',
    parts: [
      part('plane', 'floor', [7, 7, 0.1], [0.5, 0.53, 0.6], 0),
      ...env.goals.map((_, i) => part('cylinder', `goal ${i}`, [1, 0.04, 0], [0.42, 0.5, 1], 0)),
      part('sphere', 'point', [0.35, 0, 0], [1, 0.6, 0.3], 1),
    ],
    meshes: [],
    heights: [],
    lines: [{ points: TRAIL, color: [1, 0.6, 0.3], width: 0.06 }],
    bodies: ['world', 'point'],
    view: { center: [0, 0, 0], eye: [0, -0.55, 0.835], span: 15 },
    dt: 0.2,
  };
  return {
    env,
    scene,
    pose: ([x, y]) => {
      const last = trail.at(-1);
      if (!last || Math.hypot(last[0]! - x!, last[1]! - y!) > 2) trail = [];
      trail.push([x!, y!, 0.2]);
      const points = Array.from({ length: TRAIL }, (_, i) => trail[Math.min(i, trail.length - 1)]!);
      const goals = env.goals.flatMap(([gx, gy]) => [gx, gy, 0.02, 0, 0, 0, 1]);
      return Float32Array.from([0, 0, 0, 0, 0, 0, 1, ...goals, x!, y!, 0.35, 0, 0, 0, 1, ...points.flat()]);
    },
    pull: (pull) => env.grip.pull(pull),
    get held() {
      const [x, y] = trail.at(-1) ?? [0, 0];
      return env.grip.held([x!, y!, 0.35]);
    },
  };
}

function part(
  kind: ScenePart['kind'],
  name: string,
  size: Vector,
  color: [number, number, number],
  body: number,
): ScenePart {
  return { kind, name, size, color, opacity: 1, body };
}
