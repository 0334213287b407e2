import type { Env } from '../../envs/env.js';
import { requireLength, requireList, requireObject } from '../../errors.js';
import { mujocoEnvIn } from '../render/renderSvg.js';
import type { Simulation } from '../simulation.js';
import { sceneSources } from './sceneSources.js';

/** Numbers of a part's pose: position, m, and a unit quaternion with its real part last. */
const PART = 7;

/** The part of a {@link SceneDescription} that says how many numbers a pose has. */
interface Measured {
  readonly parts: readonly unknown[];
  readonly lines: readonly { readonly points: number }[];
}

/** Numbers of one pose of a scene. @throws ArgumentError for what is no scene */
export function poseLength(scene: Measured): number {
  requireObject('poseLength', 'scene', scene);
  const { parts, lines } = scene;
  requireList('poseLength', 'scene.parts', parts);
  requireList('poseLength', 'scene.lines', lines);
  return PART * parts.length + lines.reduce((sum, { points }) => sum + 3 * points, 0);
}

/**
 * The present pose of everything that {@link describeScene} describes, in its order: for each part
 * `x y z qx qy qz qw`, then for each line its points. The simulation is left as it is.
 *
 * @param into an array to fill, `[poseLength(scene)]`; a new one by default
 * @throws ArgumentError for another environment, ShapeError for an array of another length
 */
export function readPose(env: Env, into?: Float32Array): Float32Array {
  const { simulation, task } = mujocoEnvIn(env);
  const { parts, lines } = sceneSources(simulation, task.view?.sites);
  const length = poseLength({ parts, lines });
  const pose = into ?? new Float32Array(length);
  requireLength('readPose', 'into', pose, length);
  const geoms = [simulation.array('geom_xpos'), simulation.array('geom_xmat')] as const;
  const sites = [simulation.array('site_xpos'), simulation.array('site_xmat')] as const;
  parts.forEach(({ isSite, id }, i) => {
    const [positions, matrices] = isSite ? sites : geoms;
    pose.set(positions.subarray(3 * id, 3 * id + 3), PART * i);
    pose.set(quaternion(matrices.subarray(9 * id, 9 * id + 9)), PART * i + 3);
  });
  let at = PART * parts.length;
  for (const { id, points } of lines) {
    pose.set(tendonPath(simulation, id, points), at);
    at += 3 * points;
  }
  return pose;
}

/** The points of a tendon, the last one repeated as often as it takes. */
function tendonPath({ data }: Simulation, tendon: number, points: number): Float64Array {
  const first: number = data.ten_wrapadr[tendon];
  const count = Math.min(data.ten_wrapnum[tendon], points);
  const path = new Float64Array(3 * points);
  if (count === 0) return path;
  path.set(data.wrap_xpos.subarray(3 * first, 3 * (first + count)));
  const last = path.slice(3 * (count - 1), 3 * count);
  for (let i = count; i < points; i++) path.set(last, 3 * i);
  return path;
}

/** The rotation of a matrix by rows as `x y z w`, by way of its largest entry, so that nothing cancels (Shepperd). */
function quaternion(m: Float64Array): [number, number, number, number] {
  const [xx, yy, zz] = [m[0]!, m[4]!, m[8]!];
  const squares = [1 + xx - yy - zz, 1 - xx + yy - zz, 1 - xx - yy + zz, 1 + xx + yy + zz];
  const largest = squares.indexOf(Math.max(...squares));
  const [xy, xz, yz] = [m[1]! + m[3]!, m[2]! + m[6]!, m[5]! + m[7]!];
  const [wx, wy, wz] = [m[7]! - m[5]!, m[2]! - m[6]!, m[3]! - m[1]!];
  const row = [
    [squares[0]!, xy, xz, wx],
    [xy, squares[1]!, yz, wy],
    [xz, yz, squares[2]!, wz],
    [wx, wy, wz, squares[3]!],
  ][largest]!;
  const scale = 1 / Math.hypot(...row);
  return row.map((value) => value * scale) as [number, number, number, number];
}
