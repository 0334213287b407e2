import type { DoubleBuffer } from '@mujoco/mujoco';
import type { Env } from '../../envs/env.js';
import { ArgumentError, requireFinite, requireInteger, requireLength } from '../../errors.js';
import { mujocoEnvIn } from '../render/renderSvg.js';
import { add, cross, dot, point, scaled, subtract, type Vector } from '../render/vector.js';
import type { Simulation } from '../simulation.js';

/** How fast the spring would swing a body that could move along one line only, rad/s; it is critically damped then. */
const FREQUENCY = 20;

/** What a {@link Hand} holds. */
export interface Held {
  /** Index of the body. */
  readonly body: number;
  /** Where the grabbed point is, m. */
  readonly from: Vector;
  /** Where it is pulled to, m. */
  readonly to: Vector;
}

/**
 * Pulls at a body from outside, as with a mouse: a damped spring between a point of the body and a point in the world.
 * Its strength goes by the mass that can be felt at that point, so that it pulls a cheetah and a finger equally well.
 * The force acts while the environment steps, renewed before each physics step; while nothing is held, runs are the
 * same bit for bit as without a hand. A reset, or a state that is put back, lets go.
 *
 * @example
 * ```ts
 * const hand = new Hand(env);
 * hand.grab(scene.bodies.indexOf('torso'), [0, 0, 0.7]);
 * hand.moveTo([0, 0, 1.2]);
 * await env.step(action);
 * hand.release();
 * ```
 */
export class Hand {
  private readonly simulation: Simulation;
  private grip: Grip | undefined;

  /** @throws ArgumentError unless there is a {@link MujocoEnv} inside `env` */
  constructor(env: Env) {
    this.simulation = mujocoEnvIn(env).simulation;
  }

  /** The body that is held, if any. */
  get held(): Held | undefined {
    if (this.grip && (this.simulation.isClosed || this.simulation.resets !== this.grip.resets)) this.release();
    const { grip } = this;
    return grip && { body: grip.body, from: gripPlace(this.simulation, grip), to: grip.to };
  }

  /**
   * Takes hold of a body; what was held before is let go.
   *
   * @param body index, as in a scene's parts
   * @param at a point on it, in the world, m, `[3]`
   * @throws ArgumentError for a body that there is not or that cannot move, NonFiniteError, ShapeError for another point
   */
  grab(body: number, at: Vector): void {
    const { simulation } = this;
    simulation.requireOpen();
    const { model, engine } = simulation;
    requireInteger('Hand.grab', 'body', body, { min: 0, max: model.nbody - 1 });
    if (model.body_weldid[body] === 0) {
      throw new ArgumentError(
        `Hand.grab: body ${body} is fixed to the world; only bodies that can move can be pulled.`,
      );
    }
    const to = requirePoint('Hand.grab', 'at', at);
    this.release();
    const buffers = [new engine.DoubleBuffer(3 * model.nv), new engine.DoubleBuffer(3 * model.nv)] as const;
    const local = toBody(simulation, body, to);
    this.grip = { body, local, to, resets: simulation.resets, buffers, speed: new engine.DoubleBuffer(6) };
    simulation.beforeStep = () => this.pull();
  }

  /** Moves the point in the world that the held body is pulled to; nothing happens while none is held. */
  moveTo(target: Vector): void {
    const to = requirePoint('Hand.moveTo', 'target', target);
    if (this.held) this.grip = { ...this.grip!, to };
  }

  /** Lets go; nothing happens while nothing is held. */
  release(): void {
    const { grip, simulation } = this;
    if (!grip) return;
    this.grip = undefined;
    for (const buffer of [...grip.buffers, grip.speed]) buffer.delete();
    if (simulation.isClosed) return;
    simulation.beforeStep = undefined;
    simulation.array('xfrc_applied').fill(0, 6 * grip.body, 6 * grip.body + 6);
  }

  private pull(): void {
    const { grip, simulation } = this;
    if (!grip || !this.held) return;
    const at = gripPlace(simulation, grip);
    const mass = feltMass(simulation, grip, at);
    const stretch = subtract(grip.to, at);
    const speed = pointSpeed(simulation, grip, at);
    const force = scaled(subtract(scaled(stretch, FREQUENCY ** 2), scaled(speed, 2 * FREQUENCY)), mass);
    const arm = subtract(at, point(simulation.array('xipos'), grip.body));
    simulation.array('xfrc_applied').set([...force, ...cross(arm, force)], 6 * grip.body);
  }
}

interface Grip {
  readonly body: number;
  /** The grabbed point in the body's frame. */
  readonly local: Vector;
  readonly to: Vector;
  /** {@link Simulation.resets} when it was grabbed. */
  readonly resets: number;
  /** Room for a Jacobian and its product with the inverse mass matrix. */
  readonly buffers: readonly [DoubleBuffer, DoubleBuffer];
  readonly speed: DoubleBuffer;
}

function gripPlace(simulation: Simulation, { body, local }: Grip): Vector {
  const matrix = simulation.array('xmat').subarray(9 * body, 9 * body + 9);
  const turned = [0, 1, 2].map((row) => dot(local, point(matrix, row))) as unknown as Vector;
  return add(point(simulation.array('xpos'), body), turned);
}

function toBody(simulation: Simulation, body: number, at: Vector): Vector {
  const matrix = simulation.array('xmat').subarray(9 * body, 9 * body + 9);
  const offset = subtract(at, point(simulation.array('xpos'), body));
  return [0, 1, 2].map((column) =>
    [0, 1, 2].reduce((sum, row) => sum + matrix[3 * row + column]! * offset[row]!, 0),
  ) as unknown as Vector;
}

/**
 * The least mass that a force at a point can meet: 1 / trace of the inverse inertia there, J M^-1 J^T. As no direction
 * is lighter, the damped spring is stable at any time step below 1 / {@link FREQUENCY}.
 */
function feltMass(
  { engine, model, data }: Simulation,
  { body, buffers: [jacobian, solved] }: Grip,
  at: Vector,
): number {
  engine.mj_jac(model, data, jacobian, null, [...at], body);
  const [rows, products]: [Float64Array, Float64Array] = [jacobian.GetView(), solved.GetView()];
  engine.mj_solveM(model, data, solved, rows as unknown as number[]);
  const lightness = rows.reduce((sum, value, i) => sum + value * products[i]!, 0);
  return lightness > 1e-12 ? 1 / lightness : 0;
}

function pointSpeed(simulation: Simulation, { body, speed }: Grip, at: Vector): Vector {
  const { engine, model, data } = simulation;
  engine.mj_objectVelocity(model, data, engine.mjtObj.mjOBJ_XBODY.value, body, speed, 0);
  const values: Float64Array = speed.GetView();
  const arm = subtract(at, point(simulation.array('xpos'), body));
  return add(point(values, 1), cross(point(values, 0), arm));
}

/** What a ray meets first. */
export interface RayHit {
  /** Index of the body; 0 if it cannot move. */
  readonly body: number;
  /** m. */
  readonly point: Vector;
  /** From the origin, m. */
  readonly distance: number;
}

/**
 * The first geom of the groups 0 to 2 along a ray, as of the last step.
 *
 * @param direction of any length above 0
 * @returns `undefined` if there is none
 * @throws ArgumentError for another environment or a direction without a length
 */
export function castRay(env: Env, origin: Vector, direction: Vector): RayHit | undefined {
  const { simulation } = mujocoEnvIn(env);
  simulation.requireOpen();
  const { engine, model, data } = simulation;
  const from = requirePoint('castRay', 'origin', origin);
  const length = Math.hypot(...requirePoint('castRay', 'direction', direction));
  if (length === 0) throw new ArgumentError('castRay: direction must not be zero.');
  const ray = scaled(direction, 1 / length);
  const geom = new engine.IntBuffer(1);
  try {
    const distance = engine.mj_ray(model, data, [...from], [...ray], [1, 1, 1, 0, 0, 0], true, -1, geom, null);
    if (distance < 0) return undefined;
    const body: number = model.geom_bodyid[geom.GetView()[0]];
    return { body: model.body_weldid[body] === 0 ? 0 : body, point: add(from, scaled(ray, distance)), distance };
  } finally {
    geom.delete();
  }
}

function requirePoint(where: string, name: string, value: Vector): Vector {
  requireLength(where, name, value, 3);
  requireFinite(where, name, value);
  return [value[0], value[1], value[2]];
}
