import type { Simulation } from '../simulation.js';
import type { Camera } from './camera.js';
import { convexHull } from './convexHull.js';
import { type Color, shaded, toHex } from './paint.js';
import { add, along, dot, frameAxis, point, scaled, type Vector } from './vector.js';

/** A body in space whose outline is known exactly. */
export interface Solid {
  readonly kind: 'sphere' | 'capsule' | 'ellipsoid' | 'cylinder' | 'box' | 'mesh';
  readonly position: Vector;
  /** Axes of its frame, unit vectors. */
  readonly axes: readonly [Vector, Vector, Vector];
  /** MuJoCo's sizes: radius, then half lengths. */
  readonly size: Vector;
  /** Corners in its own frame, for a mesh. */
  readonly corners?: readonly Vector[];
}

/** SVG markup of a solid as `camera` sees it; attributes that all parts share belong to the group around it. */
export function silhouette(solid: Solid, camera: Camera, color: Color): string {
  const fill = toHex(color);
  switch (solid.kind) {
    case 'sphere':
      return circle(camera.project(solid.position), camera.scale * solid.size[0], fill);
    case 'capsule':
      return capsule(solid, camera, fill);
    case 'ellipsoid':
      return ellipsoid(solid, camera, fill);
    case 'cylinder':
      return cylinder(solid, camera, color);
    case 'box':
      return box(solid, camera, color);
    case 'mesh':
      return polygon(convexHull(solid.corners!.map((corner) => camera.project(inWorld(solid, corner)))), fill);
  }
}

/** Two half circles and what lies between them. */
function capsule({ position, axes, size }: Solid, camera: Camera, fill: string): string {
  const radius = camera.scale * size[0];
  const [from, to] = [-1, 1].map((side) => camera.project(along(position, axes[2], side * size[1]))) as [Pixel, Pixel];
  if (distance(from, to) < 0.05) return circle(to, radius, fill);
  return tube(from, to, radius, radius, fill);
}

/** Like a capsule with flattened ends; the end that faces the eye is lighter. */
function cylinder({ position, axes, size }: Solid, camera: Camera, color: Color): string {
  const axis = axes[2];
  const facing = dot(axis, camera.eye);
  const radius = camera.scale * size[0];
  const flat = radius * Math.abs(facing);
  const near = facing < 0 ? -1 : 1;
  const [from, to] = [-near, near].map((side) => camera.project(along(position, axis, side * size[1]))) as [
    Pixel,
    Pixel,
  ];
  const angle = Math.atan2(-dot(axis, camera.up), dot(axis, camera.right));
  const cap = flat > 0.3 ? ellipse(to, flat, radius, angle, toHex(shaded(color, 1.12))) : '';
  return (distance(from, to) < 0.05 ? '' : tube(from, to, radius, flat, toHex(color))) + cap;
}

/** Its shadow along parallel lines is an ellipse: the image of the unit sphere under a 2 x 3 matrix. */
function ellipsoid({ position, axes, size }: Solid, camera: Camera, fill: string): string {
  const row = (direction: Vector) => axes.map((axis, i) => size[i]! * dot(axis, direction)) as unknown as Vector;
  const [x, y] = [row(camera.right), row(scaled(camera.up, -1))];
  const [xx, xy, yy] = [dot(x, x), dot(x, y), dot(y, y)];
  const spread = Math.hypot((xx - yy) / 2, xy);
  const [long, short] = [1, -1].map((sign) => Math.sqrt(Math.max((xx + yy) / 2 + sign * spread, 0))) as [
    number,
    number,
  ];
  const angle = Math.atan2(2 * xy, xx - yy) / 2;
  return ellipse(camera.project(position), camera.scale * long, camera.scale * short, angle, fill);
}

/** The faces that look towards the eye, the upper ones lighter. */
function box(solid: Solid, camera: Camera, color: Color): string {
  const faces = solid.axes.map((axis, i) => {
    const facing = dot(axis, camera.eye);
    if (Math.abs(facing) < 1e-3) return '';
    const side = Math.sign(facing);
    const corners = QUAD.map(([a, b]) => {
      const corner = [0, 0, 0];
      corner[i] = side * solid.size[i]!;
      corner[(i + 1) % 3] = a * solid.size[(i + 1) % 3]!;
      corner[(i + 2) % 3] = b * solid.size[(i + 2) % 3]!;
      return camera.project(inWorld(solid, corner as unknown as Vector));
    });
    const light = 0.8 + 0.2 * Math.abs(facing) + 0.15 * side * axis[2];
    return polygon(corners, toHex(shaded(color, light)));
  });
  return faces.join('');
}

const QUAD = [
  [-1, -1],
  [1, -1],
  [1, 1],
  [-1, 1],
] as const;

function inWorld({ position, axes }: Solid, corner: Vector): Vector {
  return axes.reduce((sum, axis, i) => add(sum, scaled(axis, corner[i]!)), position);
}

type Pixel = [x: number, y: number];

function distance(a: Pixel, b: Pixel): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}

/** The hull of two equal ellipses whose half axes are `flat` along the line between them and `radius` across it. */
function tube(from: Pixel, to: Pixel, radius: number, flat: number, fill: string): string {
  const length = distance(from, to);
  const across: Pixel = [(-(to[1] - from[1]) / length) * radius, ((to[0] - from[0]) / length) * radius];
  const turn = (Math.atan2(to[1] - from[1], to[0] - from[0]) * 180) / Math.PI;
  const corner = (end: Pixel, side: 1 | -1) => pair([end[0] + side * across[0], end[1] + side * across[1]]);
  const arc = `A${digits(flat)} ${digits(radius)} ${digits(turn)} 0 1 `;
  const d = `M${corner(from, 1)}${arc}${corner(from, -1)}L${corner(to, -1)}${arc}${corner(to, 1)}Z`;
  return `<path d="${d}" fill="${fill}"/>`;
}

function circle([x, y]: Pixel, radius: number, fill: string): string {
  return `<circle cx="${digits(x)}" cy="${digits(y)}" r="${digits(radius)}" fill="${fill}"/>`;
}

function ellipse([x, y]: Pixel, rx: number, ry: number, angle: number, fill: string): string {
  const place = `translate(${pair([x, y])})rotate(${digits((angle * 180) / Math.PI)})`;
  return `<ellipse rx="${digits(rx)}" ry="${digits(ry)}" transform="${place}" fill="${fill}"/>`;
}

function polygon(points: readonly Pixel[], fill: string): string {
  return `<path d="M${points.map(pair).join('L')}Z" fill="${fill}"/>`;
}

/** Two coordinates. */
export function pair([x, y]: Pixel): string {
  return `${digits(x)} ${digits(y)}`;
}

/** To a tenth of a pixel, as films have many numbers. */
export function digits(value: number): string {
  return String(Math.round(value * 10) / 10);
}

const KINDS = {
  mjGEOM_SPHERE: 'sphere',
  mjGEOM_CAPSULE: 'capsule',
  mjGEOM_ELLIPSOID: 'ellipsoid',
  mjGEOM_CYLINDER: 'cylinder',
  mjGEOM_BOX: 'box',
  mjGEOM_MESH: 'mesh',
} as const;

/** Geom `id` as a solid; `undefined` for planes, height fields and the like. */
export function geomSolid(simulation: Simulation, id: number): Solid | undefined {
  const { model } = simulation;
  const kind = kindOf(simulation, model.geom_type[id]);
  return (
    kind && {
      ...placed(simulation.array('geom_xpos'), simulation.array('geom_xmat'), id),
      kind,
      size: point(model.geom_size, id),
      corners: kind === 'mesh' ? meshCorners(simulation, model.geom_dataid[id]) : undefined,
    }
  );
}

/** Site `id` as a solid. */
export function siteSolid(simulation: Simulation, id: number): Solid {
  const { model } = simulation;
  const frame = placed(simulation.array('site_xpos'), simulation.array('site_xmat'), id);
  return { ...frame, kind: kindOf(simulation, model.site_type[id]) ?? 'sphere', size: point(model.site_size, id) };
}

function kindOf({ engine }: Simulation, type: number): Solid['kind'] | undefined {
  const found = Object.entries(KINDS).find(([name]) => engine.mjtGeom[name as keyof typeof KINDS].value === type);
  return found?.[1];
}

function placed(positions: Float64Array, matrices: Float64Array, id: number): Pick<Solid, 'position' | 'axes'> {
  const axes = [0, 1, 2].map((axis) => frameAxis(matrices, id, axis)) as unknown as Solid['axes'];
  return { position: point(positions, id), axes };
}

function meshCorners({ model }: Simulation, mesh: number): Vector[] {
  const vertices: Float32Array = model.mesh_vert;
  const first: number = model.mesh_vertadr[mesh];
  return Array.from({ length: model.mesh_vertnum[mesh] }, (_, i) => point(vertices, first + i));
}
