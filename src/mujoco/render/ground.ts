import { text } from '../../plots/document.js';
import { element } from '../../plots/svg.js';
import type { Simulation } from '../simulation.js';
import { type Camera, orthographic } from './camera.js';
import { digits, pair, type Solid, silhouette } from './shapes.js';
import { add, along, dot, frameAxis, normalised, point, scaled, subtract, type Vector } from './vector.js';

/** A flat floor or wall; endless, whatever size it was given. */
export interface Plane {
  readonly position: Vector;
  /** Unit vectors: two within the plane, and the one that points out of it. */
  readonly axes: readonly [Vector, Vector, Vector];
}

/** Plane `id` of the model's geoms. */
export function geomPlane(simulation: Simulation, id: number): Plane {
  const matrices = simulation.array('geom_xmat');
  const axes = [0, 1, 2].map((axis) => frameAxis(matrices, id, axis)) as unknown as Plane['axes'];
  return { position: point(simulation.array('geom_xpos'), id), axes };
}

/**
 * A plane as `camera` sees it: solid ground with a ruler if from the edge; if from above, a grid and the shadows of
 * `solids`; nothing if from below.
 */
export function drawPlane(plane: Plane, solids: readonly Solid[], camera: Camera): string {
  const facing = dot(plane.axes[2], camera.eye);
  if (Math.abs(facing) < 0.02) return drawEdge(plane, camera);
  return facing > 0 ? drawGrid(plane, camera) + drawShadows(plane, solids, camera) : '';
}

/** The ground below the line that the plane has become; marks at round distances show what moves. */
function drawEdge(plane: Plane, camera: Camera): string {
  const normal = plane.axes[2];
  const direction = normalised(subtract(camera.right, scaled(normal, dot(camera.right, normal))));
  const middle = along(camera.center, normal, dot(subtract(plane.position, camera.center), normal));
  const reach = (camera.width + camera.height) / camera.scale;
  const corners = [
    ...[-1, 1].map((side) => along(middle, direction, side * reach)),
    ...[1, -1].map((side) => along(along(middle, direction, side * reach), normal, -reach)),
  ].map((corner) => pair(camera.project(corner)));
  return [
    element('path', { class: 'muted', 'fill-opacity': '.12', d: `M${corners.join('L')}Z` }),
    element('path', { class: 'axis', 'stroke-width': 1.5, d: `M${corners[0]}L${corners[1]}` }),
    drawRuler(middle, direction, normal, camera),
  ].join('');
}

function drawRuler(middle: Vector, direction: Vector, normal: Vector, camera: Camera): string {
  const step = roundStep(60 / camera.scale);
  const origin = dot(middle, direction);
  const reach = camera.width / 2 / camera.scale / Math.max(Math.abs(dot(direction, camera.right)), 0.1);
  const decimals = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
  const marks = multiples(step, origin - reach, origin + reach).map((value) => {
    const at = along(middle, direction, value - origin);
    const below = (pixels: number) => camera.project(along(at, normal, -pixels / camera.scale));
    const [x, y] = below(15);
    const fits = x > 22 && x < camera.width - 22;
    const label = fits ? text(`${value.toFixed(decimals)} m`, { x: digits(x), y: digits(y + 6) }) : '';
    return { line: `M${pair(below(0))}L${pair(below(5))}`, label };
  });
  const style = { class: 'muted', 'text-anchor': 'middle', 'font-size': 10 };
  return [
    element('path', { class: 'axis', d: marks.map(({ line }) => line).join('') }),
    element('g', style, ...marks.map(({ label }) => label)),
  ].join('');
}

function drawGrid({ position, axes }: Plane, camera: Camera): string {
  const facing = dot(axes[2], camera.eye);
  const corners = [-1, 1].flatMap((x) =>
    [-1, 1].map((y) => {
      const sideways = along(camera.center, camera.right, (x * camera.width) / 2 / camera.scale);
      const corner = along(sideways, camera.up, (y * camera.height) / 2 / camera.scale);
      const height = dot(subtract(corner, position), axes[2]);
      return subtract(along(corner, camera.eye, -height / facing), position);
    }),
  );
  const step = roundStep(45 / camera.scale);
  const [a, b] = [0, 1].map((axis) => {
    const values = corners.map((corner) => dot(corner, axes[axis]!));
    return [Math.min(...values), Math.max(...values)] as const;
  }) as [readonly [number, number], readonly [number, number]];
  const place = (s: number, t: number) =>
    pair(camera.project(add(position, add(scaled(axes[0], s), scaled(axes[1], t)))));
  const lines = [
    ...multiples(step, ...a).map((s) => `M${place(s, b[0])}L${place(s, b[1])}`),
    ...multiples(step, ...b).map((t) => `M${place(a[0], t)}L${place(a[1], t)}`),
  ];
  return element('path', { class: 'grid', d: lines.join('') });
}

/** What light from right above the plane leaves dark: the view from there, laid into the plane. */
function drawShadows({ position, axes }: Plane, solids: readonly Solid[], camera: Camera): string {
  const [right, up, eye] = axes;
  const light = orthographic({ right, up, eye }, position, camera.scale, { width: 0, height: 0 });
  const [x, y] = camera.project(position);
  const image = (axis: Vector) => [dot(axis, camera.right), -dot(axis, camera.up)];
  const matrix = [...image(right), ...image(scaled(up, -1))].map((value) => value.toFixed(3));
  const shadows = solids
    .filter((solid) => light.nearness(solid.position) > 0)
    .map((solid) => silhouette(solid, light, SHADOW));
  const transform = `matrix(${matrix.join(' ')} ${digits(x)} ${digits(y)})`;
  return shadows.length ? element('g', { transform, opacity: '.18' }, ...shadows) : '';
}

const SHADOW = [0, 0, 0] as const;

/** The multiples of `step` from `low` to `high`; at most a few hundred. */
function multiples(step: number, low: number, high: number): number[] {
  const first = Math.ceil(low / step);
  const count = Math.min(Math.floor(high / step) - first + 1, 300);
  return Array.from({ length: Math.max(count, 0) }, (_, i) => (first + i) * step + 0);
}

/** The smallest of 1, 2, 5, 10, 20 ... (and 0.5, 0.2 ...) that is not below `least`. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5].find((digit) => digit * power >= least) ?? 10);
}
