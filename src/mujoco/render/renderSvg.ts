import type { Env } from '../../envs/env.js';
import { ArgumentError, requireNumber, show } from '../../errors.js';
import { requireOptions } from '../../options.js';
import { document, type Figure, text } from '../../plots/document.js';
import { element } from '../../plots/svg.js';
import { findMujocoEnv, type MujocoEnv } from '../mujocoEnv.js';
import type { Simulation } from '../simulation.js';
import { type Camera, cameraOf, type View } from './camera.js';
import { drawPlane, geomPlane } from './ground.js';
import { geomPaint, limbsOf, type Paint, shaded, sitePaint } from './paint.js';
import { geomSolid, pair, type Solid, silhouette, siteSolid } from './shapes.js';
import { point, type Vector } from './vector.js';

/** Options of {@link renderSvg}; what is left out is chosen by the task, then by the model. */
export interface RenderOptions extends View {
  /** In pixels. Default 480. */
  width?: number;
  /** In pixels. Default 320. */
  height?: number;
  /** A line of text in the upper left corner; none by default. */
  caption?: string;
}

/**
 * Draws the present pose: what MuJoCo's own viewer shows by default (geoms of the groups 0 to 2, tendons that run
 * through space), along parallel lines and without perspective. Height fields and skins are left out. Needs neither
 * GPU nor page; the simulation is left as it is.
 *
 * Geoms have the colours of the model; those without one are painted limb by limb.
 *
 * @param env a {@link MujocoEnv}, also inside wrappers
 * @throws ArgumentError for another environment, a view that is not possible, an unknown body or site
 * @throws EnvironmentError if the environment was closed
 *
 * @example
 * ```ts
 * const env = await makeMujoco('HalfCheetah-v5');
 * await env.reset({ seed: 1 });
 * await writeFile('cheetah.svg', renderSvg(env, { from: 'diagonal' }).svg);
 * ```
 */
export function renderSvg(env: Env, options: RenderOptions = {}): Figure {
  const { simulation, task } = mujocoEnvIn(env);
  simulation.requireOpen();
  const {
    width = 480,
    height = 320,
    caption,
    ...view
  } = requireOptions('renderSvg', options, {
    ...RENDERING,
    caption: true,
  });
  requireNumber('renderSvg', 'width', width, { min: 16 });
  requireNumber('renderSvg', 'height', height, { min: 16 });
  const chosen = { ...task.view, ...view };
  const camera = cameraOf(simulation, chosen, { width, height });
  const heading = caption ? text(caption, { x: 12, y: 22, class: 'ink', 'font-size': 13 }) : '';
  return document(width, height, task.id, drawScene(simulation, camera, chosen.sites ?? []) + heading);
}

/** The names of the options of every picture. */
export const RENDERING = {
  width: true,
  height: true,
  from: true,
  follow: true,
  center: true,
  span: true,
  sites: true,
} as const;

/** The environment inside wrappers. */
export function mujocoEnvIn(env: Env): MujocoEnv {
  const found = findMujocoEnv(env);
  found?.simulation.requireOpen();
  if (found) return found;
  throw new ArgumentError(`renderSvg: env must be a MujocoEnv, or wrap one, got ${show(env)}.`);
}

/** Planes first, then everything else, the nearest last. */
function drawScene(simulation: Simulation, camera: Camera, sites: readonly string[]): string {
  const shown = shownGeoms(simulation);
  const limbs = limbsOf(simulation);
  const solids = shown.flatMap((id) => {
    const [solid, paint] = [geomSolid(simulation, id), geomPaint(simulation, id, limbs)];
    return solid && paint.opacity > 0 ? [{ solid, paint }] : [];
  });
  const marks = sites.map((name) => {
    const id = simulation.id('site', name);
    return { solid: siteSolid(simulation, id), paint: sitePaint(simulation, id) };
  });
  const planes = shown.filter((id) => isPlane(simulation, id)).map((id) => geomPlane(simulation, id));
  const casters = solids.map(({ solid }) => solid);
  const things = [
    ...[...solids, ...marks].map((painted) => solidThing(painted, camera)),
    ...tendonThings(simulation, camera),
  ];
  return [
    ...planes.map((plane) => drawPlane(plane, casters, camera)),
    element('g', OUTLINE, ...things.sort((a, b) => a.nearness - b.nearness).map(({ markup }) => markup)),
  ].join('');
}

/** A thin dark line around everything, which also parts limbs of one colour. */
const OUTLINE = { stroke: '#1f2328', 'stroke-opacity': '.55', 'stroke-width': 1, 'stroke-linejoin': 'round' };

/** Something to be drawn and its distance, rounded so that noise in the last bits never swaps limbs side by side. */
interface Thing {
  readonly nearness: number;
  readonly markup: string;
}

function solidThing({ solid, paint: { color, opacity } }: { solid: Solid; paint: Paint }, camera: Camera): Thing {
  const nearness = camera.nearness(solid.position);
  const markup = silhouette(solid, camera, shaded(color, lightAt(nearness, camera)));
  return { nearness: round(nearness), markup: opacity < 1 ? element('g', { opacity }, markup) : markup };
}

/** What is further away than the middle of the picture is darker, down to a third less. */
function lightAt(nearness: number, { height, scale }: Camera): number {
  const depth = Math.min(Math.max((-2 * nearness * scale) / height, 0), 1);
  return 1 - depth / 3;
}

/** Tendons that run through space, as lines. */
function tendonThings({ model, data }: Simulation, camera: Camera): Thing[] {
  const counts: Int32Array = data.ten_wrapnum;
  return Array.from(counts, (count, tendon): Thing[] => {
    if (count < 2 || model.tendon_group[tendon] > 2) return [];
    const first: number = data.ten_wrapadr[tendon];
    const points = Array.from({ length: count }, (_, i): Vector => point(data.wrap_xpos, first + i));
    const d = `M${points.map((at) => pair(camera.project(at))).join('L')}`;
    const nearness = round(Math.min(...points.map((at) => camera.nearness(at))));
    return [{ nearness, markup: element('path', { d, fill: 'none', 'stroke-opacity': 1, class: 'axis' }) }];
  }).flat();
}

function shownGeoms({ model }: Simulation): number[] {
  const groups: Int32Array = model.geom_group;
  return Array.from(groups.keys()).filter((id) => groups[id]! <= 2);
}

function isPlane({ engine, model }: Simulation, id: number): boolean {
  return model.geom_type[id] === engine.mjtGeom.mjGEOM_PLANE.value;
}

function round(metres: number): number {
  return Math.round(metres * 1e4) / 1e4;
}
