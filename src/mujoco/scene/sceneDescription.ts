import type { Env } from '../../envs/env.js';
import { restBounds } from '../render/bounds.js';
import { followedBody, frameTowards, type View, viewDirection, viewSpan } from '../render/camera.js';
import { type Color, geomPaint, limbsOf, sitePaint } from '../render/paint.js';
import { mujocoEnvIn } from '../render/renderSvg.js';
import { point, type Vector } from '../render/vector.js';
import type { Simulation } from '../simulation.js';
import { type PartKind, type SceneSources, sceneSources } from './sceneSources.js';

/** One solid thing. Its pose comes with each frame, see {@link readPose}. */
export interface ScenePart {
  readonly kind: PartKind;
  /** The geom's or site's name; empty if it has none. */
  readonly name: string;
  /**
   * Half sizes, m: the radius of a sphere; radius and half length along z of capsules and cylinders; half axes of
   * ellipsoids, boxes and planes (0: endless).
   */
  readonly size: Vector;
  /** In [0, 1], as for a screen (sRGB). */
  readonly color: Color;
  /** In (0, 1]. */
  readonly opacity: number;
  /** Index of the body it belongs to; 0 for everything that cannot move. */
  readonly body: number;
  /** Index into {@link SceneDescription.meshes} or {@link SceneDescription.heights}. */
  readonly data?: number;
}

export interface SceneMesh {
  /** Corners, `[n * 3]`, m. */
  readonly vertices: Float32Array;
  /** Triangles as triples of corners, `[m * 3]`, counterclockwise from outside. */
  readonly faces: Uint32Array;
}

/** A height field around its part's frame. */
export interface SceneHeights {
  /** Points along y. */
  readonly rows: number;
  /** Points along x. */
  readonly columns: number;
  /** Half its sides along x and y, the height of 1 above the frame, the depth of its base below. */
  readonly size: readonly [x: number, y: number, top: number, base: number];
  /** In [0, 1], row by row from the smallest y on, `[rows * columns]`. */
  readonly data: Float32Array;
}

/** A line through points that come with each frame: a tendon. */
export interface SceneLine {
  /** Number of points; later ones may repeat the last. */
  readonly points: number;
  readonly color: Color;
  /** Radius, m. */
  readonly width: number;
}

/**
 * What there is to see of a model: plain data that can be sent to another thread, saved, or written by hand for an
 * environment without MuJoCo. z points up; lengths are in metres.
 */
export interface SceneDescription {
  readonly name: string;
  readonly parts: readonly ScenePart[];
  readonly meshes: readonly SceneMesh[];
  readonly heights: readonly SceneHeights[];
  readonly lines: readonly SceneLine[];
  /** Names of the bodies by index; empty for those without. */
  readonly bodies: readonly string[];
  readonly view: SceneLook;
  /** Seconds of one control step. */
  readonly dt: number;
}

/** From where it looks best. */
export interface SceneLook {
  /** The point in the middle while the model is at rest. */
  readonly center: Vector;
  /** Unit vector towards the eye. */
  readonly eye: Vector;
  /** Metres from the lower to the upper edge. */
  readonly span: number;
  /** Index of the part that the eye goes along with; the middle moves as far over the ground as it has from `anchor`. */
  readonly follow?: number;
  /** Where the followed part is while the model is at rest. */
  readonly anchor?: Vector;
}

/**
 * Describes a model for drawing in space: what MuJoCo's own viewer shows by default (geoms of the groups 0 to 2 and
 * tendons that run through space) and the sites that the task's view names. Skins and flexible bodies are left out.
 *
 * @param env a {@link MujocoEnv}, also inside wrappers
 * @throws ArgumentError for another environment
 * @throws EnvironmentError if the environment was closed
 *
 * @example
 * ```ts
 * const scene = describeScene(env); // once
 * const pose = readPose(env); // each frame
 * ```
 */
export function describeScene(env: Env): SceneDescription {
  const { simulation, task, dt } = mujocoEnvIn(env);
  simulation.requireOpen();
  const sources = sceneSources(simulation, task.view?.sites);
  const limbs = limbsOf(simulation);
  const [meshes, heights] = [new Table((id) => meshOf(simulation, id)), new Table((id) => heightsOf(simulation, id))];
  const parts = sources.parts.map(({ kind, isSite, id }): ScenePart => {
    const paint = isSite ? sitePaint(simulation, id) : geomPaint(simulation, id, limbs);
    const data = isSite ? -1 : simulation.model.geom_dataid[id];
    const table = { mesh: meshes, heightField: heights }[kind as string];
    return { kind, ...shapeOf(simulation, isSite, id), ...paint, ...(table ? { data: table.index(data) } : {}) };
  });
  return {
    name: task.id ?? 'MujocoEnv',
    parts,
    meshes: meshes.entries,
    heights: heights.entries,
    lines: sources.lines.map(({ id, points }) => ({ points, ...lineLook(simulation, id) })),
    bodies: Array.from({ length: simulation.model.nbody }, (_, id) => nameOf(simulation, 'body', id)),
    view: lookOf(simulation, task.view ?? {}, sources),
    dt,
  };
}

/** What parts share, each once, in the order in which they were asked for. */
class Table<T> {
  readonly entries: T[] = [];
  private readonly indices = new Map<number, number>();

  constructor(private readonly read: (id: number) => T) {}

  index(id: number): number {
    const known = this.indices.get(id);
    if (known !== undefined) return known;
    this.indices.set(id, this.entries.push(this.read(id)) - 1);
    return this.entries.length - 1;
  }
}

function shapeOf(simulation: Simulation, isSite: boolean, id: number): Pick<ScenePart, 'name' | 'size' | 'body'> {
  const { model } = simulation;
  const owner: number = isSite ? model.site_bodyid[id] : model.geom_bodyid[id];
  return {
    name: nameOf(simulation, isSite ? 'site' : 'geom', id),
    size: point(isSite ? model.site_size : model.geom_size, id),
    body: model.body_weldid[owner] === 0 ? 0 : owner,
  };
}

function nameOf({ model }: Simulation, kind: 'body' | 'geom' | 'site', id: number): string {
  const accessor = model[kind](id);
  const name: string = accessor.name;
  accessor.delete();
  return name;
}

function meshOf({ model }: Simulation, mesh: number): SceneMesh {
  const [vertex, vertices]: [number, number] = [model.mesh_vertadr[mesh], model.mesh_vertnum[mesh]];
  const [face, faces]: [number, number] = [model.mesh_faceadr[mesh], model.mesh_facenum[mesh]];
  return {
    vertices: Float32Array.from(model.mesh_vert.subarray(3 * vertex, 3 * (vertex + vertices))),
    faces: Uint32Array.from(model.mesh_face.subarray(3 * face, 3 * (face + faces))),
  };
}

function heightsOf({ model }: Simulation, field: number): SceneHeights {
  const [rows, columns, first]: number[] = [
    model.hfield_nrow[field],
    model.hfield_ncol[field],
    model.hfield_adr[field],
  ];
  return {
    rows: rows!,
    columns: columns!,
    size: Array.from(model.hfield_size.subarray(4 * field, 4 * field + 4)) as unknown as SceneHeights['size'],
    data: Float32Array.from(model.hfield_data.subarray(first, first! + rows! * columns!)),
  };
}

function lineLook({ model }: Simulation, tendon: number): Omit<SceneLine, 'points'> {
  const [red, green, blue] = model.tendon_rgba.subarray(4 * tendon);
  return { color: [red, green, blue], width: model.tendon_width[tendon] };
}

/** What fits into a picture that is half as wide again as high. */
const PICTURE = { width: 3, height: 2 };

function lookOf(simulation: Simulation, view: View, { parts }: SceneSources): SceneLook {
  const rest = restBounds(simulation);
  const eye = viewDirection(view.from);
  const span = view.span ?? viewSpan(rest, frameTowards(eye), PICTURE);
  const look = { center: view.center ?? rest.center, eye, span };
  const body = followedBody(simulation, view.follow);
  const follow = parts.findIndex(({ isSite, id }) => !isSite && simulation.model.geom_bodyid[id] === body);
  return follow < 0 ? look : { ...look, follow, anchor: point(rest.geoms, parts[follow]!.id) };
}
