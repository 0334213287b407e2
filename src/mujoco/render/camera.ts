import { ArgumentError, requireNumber, show } from '../../errors.js';
import type { Simulation } from '../simulation.js';
import { type Bounds, restBounds } from './bounds.js';
import { add, cross, dot, normalised, subtract, type Vector } from './vector.js';

/** Where the eye is, seen from the model; z is up, and robots run along x. */
const EYES = {
  /** x to the right, z up. */
  side: [0, -1, 0],
  /** y to the right, z up. */
  front: [1, 0, 0],
  /** x to the right, y up. */
  top: [0, 0, 1],
  /** From the front, the right and above. */
  diagonal: [1, -2, 1],
} as const satisfies Record<string, Vector>;

/** How a model is looked at: along parallel lines, so that a metre is equally long everywhere. */
export interface View {
  /** Where the eye is: a name, or the direction in which it lies, `[x, y, z]`. Default `'side'`. */
  from?: keyof typeof EYES | Vector;
  /**
   * The body that stays in the middle while it moves over the ground; `false` for a picture that stays. Default: the
   * first body that can move with at least 3 degrees of freedom, if there is one.
   */
  follow?: string | false;
  /** The point in the middle while the model is at rest, m. Default: the middle of the model. */
  center?: Vector;
  /** Metres from the lower to the upper edge. Default: room for the model at rest and some air. */
  span?: number;
  /** Names of sites that are drawn, such as targets. Default: none. */
  sites?: readonly string[];
}

/** From the world to pixels. */
export interface Camera {
  readonly width: number;
  readonly height: number;
  /** Pixels of a metre. */
  readonly scale: number;
  readonly right: Vector;
  readonly up: Vector;
  /** Unit vector towards the eye. */
  readonly eye: Vector;
  /** The point in the middle of the picture. */
  readonly center: Vector;
  /** Pixels from the upper left corner. */
  project(point: Vector): [x: number, y: number];
  /** Metres that `point` lies nearer to the eye than the middle. */
  nearness(point: Vector): number;
}

/** The camera for the present pose. @throws ArgumentError for a view that is not possible, or an unknown body */
export function cameraOf(simulation: Simulation, view: View, size: { width: number; height: number }): Camera {
  const frame = frameTowards(viewDirection(view.from));
  const rest = restBounds(simulation);
  const center = add(view.center ?? rest.center, travel(simulation, view.follow, rest));
  const span = requireNumber('renderSvg', 'span', view.span ?? viewSpan(rest, frame, size), { above: 0 });
  return orthographic(frame, center, size.height / span, size);
}

/** A camera whose frame consists of unit vectors at right angles. */
export function orthographic(
  frame: Pick<Camera, 'right' | 'up' | 'eye'>,
  center: Vector,
  scale: number,
  { width, height }: { width: number; height: number },
): Camera {
  return {
    ...{ ...frame, center, scale, width, height },
    project(point) {
      const offset = subtract(point, center);
      return [width / 2 + scale * dot(offset, frame.right), height / 2 - scale * dot(offset, frame.up)];
    },
    nearness: (point) => dot(subtract(point, center), frame.eye),
  };
}

/** The axes of a picture seen from `eye`, with z upwards if it can be. */
export function frameTowards(eye: Vector): Pick<Camera, 'right' | 'up' | 'eye'> {
  const isVertical = Math.hypot(eye[0], eye[1]) < 1e-6;
  const right: Vector = isVertical ? [1, 0, 0] : normalised(cross([0, 0, 1], eye));
  return { right, up: cross(eye, right), eye };
}

/** Unit vector towards the eye. @throws ArgumentError for an unknown name or no direction */
export function viewDirection(from: NonNullable<View['from']> = 'side'): Vector {
  const direction = typeof from === 'string' ? EYES[from] : from;
  if (direction?.length === 3 && direction.every(Number.isFinite) && direction.some((value) => value !== 0)) {
    return normalised(direction);
  }
  const names = Object.keys(EYES).map(show).join(', ');
  throw new ArgumentError(`renderSvg: from must be ${names} or a direction [x, y, z], got ${show(from)}.`);
}

/** How far the followed body has moved over the ground since it was at rest. */
function travel(simulation: Simulation, follow: View['follow'], rest: Bounds): Vector {
  const body = followedBody(simulation, follow);
  if (body === undefined) return [0, 0, 0];
  const [x, y] = simulation.array('xpos').subarray(3 * body);
  const [restX, restY] = rest.bodies.subarray(3 * body);
  return [x! - restX!, y! - restY!, 0];
}

/** The body that a picture goes along with. @throws ArgumentError for an unknown name */
export function followedBody(simulation: Simulation, follow: View['follow']): number | undefined {
  if (follow === false) return undefined;
  return follow === undefined ? roamingBody(simulation) : simulation.id('body', follow);
}

/** The first body that hangs on the world by at least 3 degrees of freedom: it walks, swims or flies. */
function roamingBody({ model }: Simulation): number | undefined {
  const dofs: Int32Array = model.body_dofnum;
  const parents: Int32Array = model.body_parentid;
  const found = dofs.findIndex((count, body) => body > 0 && parents[body] === 0 && count >= 3);
  return found < 0 ? undefined : found;
}

/** Metres of the picture's height that show the whole model at rest with a fifth of air on each side. */
export function viewSpan(
  { halfSize }: Bounds,
  { right, up }: Pick<Camera, 'right' | 'up'>,
  { width, height }: { width: number; height: number },
): number {
  const reach = (axis: Vector) => halfSize.reduce((sum, size, i) => sum + size * Math.abs(axis[i]!), 0);
  return 1.4 * 2 * Math.max(reach(up), (reach(right) * height) / width) || 1;
}
