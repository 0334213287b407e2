import { geomPaint, limbsOf } from '../render/paint.js';
import type { Simulation } from '../simulation.js';

/** What the parts of a scene are in MuJoCo's terms; the same order in descriptions and poses. */
export interface SceneSources {
  readonly parts: readonly { readonly kind: PartKind; readonly isSite: boolean; readonly id: number }[];
  /** Tendons that run through space. */
  readonly lines: readonly { readonly id: number; readonly points: number }[];
}

const KINDS = {
  mjGEOM_PLANE: 'plane',
  mjGEOM_HFIELD: 'heightField',
  mjGEOM_SPHERE: 'sphere',
  mjGEOM_CAPSULE: 'capsule',
  mjGEOM_ELLIPSOID: 'ellipsoid',
  mjGEOM_CYLINDER: 'cylinder',
  mjGEOM_BOX: 'box',
  mjGEOM_MESH: 'mesh',
} as const;

export type PartKind = (typeof KINDS)[keyof typeof KINDS];

/** Groups from this one on are hidden by MuJoCo's viewer. */
const HIDDEN_GROUP = 3;

const known = new WeakMap<Simulation, SceneSources>();

/** Found once for each simulation, as a pose is read for every frame. */
export function sceneSources(simulation: Simulation, sites: readonly string[] = []): SceneSources {
  const sources = known.get(simulation) ?? {
    parts: [...geomParts(simulation), ...sites.map((name) => sitePart(simulation, name))],
    lines: tendonLines(simulation),
  };
  known.set(simulation, sources);
  return sources;
}

function geomParts(simulation: Simulation): SceneSources['parts'] {
  const groups: Int32Array = simulation.model.geom_group;
  const limbs = limbsOf(simulation);
  return Array.from(groups.keys()).flatMap((id) => {
    const kind = kindOf(simulation, simulation.model.geom_type[id]);
    const isShown = groups[id]! < HIDDEN_GROUP && geomPaint(simulation, id, limbs).opacity > 0;
    return kind && isShown ? [{ kind, isSite: false, id }] : [];
  });
}

function sitePart(simulation: Simulation, name: string): SceneSources['parts'][number] {
  const id = simulation.id('site', name);
  return { kind: kindOf(simulation, simulation.model.site_type[id]) ?? 'sphere', isSite: true, id };
}

function kindOf({ engine }: Simulation, type: number): PartKind | undefined {
  const found = Object.entries(KINDS).find(([name]) => engine.mjtGeom[name as keyof typeof KINDS].value === type);
  return found?.[1];
}

/** A site is one point of a tendon; a geom that it wraps around is two. */
function tendonLines({ engine, model }: Simulation): SceneSources['lines'] {
  const { mjWRAP_JOINT, mjWRAP_SPHERE, mjWRAP_CYLINDER } = engine.mjtWrap;
  const types: Int32Array = model.wrap_type;
  const groups: Int32Array = model.tendon_group;
  return Array.from(groups.keys()).flatMap((id) => {
    const wraps = types.subarray(model.tendon_adr[id], model.tendon_adr[id] + model.tendon_num[id]);
    if (groups[id]! >= HIDDEN_GROUP || wraps[0] === mjWRAP_JOINT.value) return [];
    const round = wraps.filter((type) => type === mjWRAP_SPHERE.value || type === mjWRAP_CYLINDER.value).length;
    return [{ id, points: wraps.length + round }];
  });
}
