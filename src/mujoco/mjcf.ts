import { ArgumentError, requireObject, show } from '../errors.js';
/** The value of an MJCF attribute; lists are written with spaces, `undefined` is left out. */
export type MjcfValue = string | number | boolean | readonly number[] | undefined;

/** One element of an MJCF file. */
export interface MjcfElement {
  readonly tag: string;
  readonly attributes: Readonly<Record<string, MjcfValue>>;
  readonly children: readonly MjcfElement[];
}

/** @inline */
type Vector = readonly number[];

/** Where an element sits in its parent's frame. At most one orientation. */
interface Placement {
  pos?: Vector;
  quat?: Vector;
  axisangle?: Vector;
  euler?: Vector;
  xyaxes?: Vector;
  zaxis?: Vector;
}

/**
 * How it is drawn: red, green, blue, opacity in [0, 1], and a group; viewers hide the groups from 3 on.
 *
 * @inline
 */
interface Look {
  rgba?: Vector;
  group?: number;
}

/**
 * How contacts and limits give way; see "solver parameters" in MuJoCo's manual.
 *
 * @inline
 */
interface Softness {
  solref?: Vector;
  solimp?: Vector;
  margin?: number;
}

export interface BodyAttributes extends Placement {
  childclass?: string;
}

export interface InertialAttributes extends Placement {
  mass: number;
  diaginertia?: Vector;
  fullinertia?: Vector;
}

export interface JointAttributes {
  class?: string;
  type?: 'free' | 'ball' | 'slide' | 'hinge';
  pos?: Vector;
  axis?: Vector;
  range?: Vector;
  limited?: boolean;
  ref?: number;
  springref?: number;
  springdamper?: Vector;
  stiffness?: number;
  damping?: number;
  armature?: number;
  frictionloss?: number;
  margin?: number;
  solreflimit?: Vector;
  solimplimit?: Vector;
}

export interface GeomAttributes extends Placement, Softness, Look {
  class?: string;
  type?: 'plane' | 'sphere' | 'capsule' | 'ellipsoid' | 'cylinder' | 'box';
  size?: number | Vector;
  fromto?: Vector;
  mass?: number;
  density?: number;
  friction?: number | Vector;
  condim?: 1 | 3 | 4 | 6;
  contype?: number;
  conaffinity?: number;
  priority?: number;
  gap?: number;
  solmix?: number;
  fluidshape?: 'none' | 'ellipsoid';
  fluidcoef?: Vector;
}

export interface SiteAttributes extends Placement, Look {
  class?: string;
  type?: 'sphere' | 'capsule' | 'ellipsoid' | 'cylinder' | 'box';
  size?: number | Vector;
  fromto?: Vector;
}

export interface ActuatorAttributes {
  class?: string;
  joint?: string;
  tendon?: string;
  site?: string;
  gear?: number | Vector;
  ctrllimited?: boolean;
  ctrlrange?: Vector;
  forcelimited?: boolean;
  forcerange?: Vector;
  gaintype?: 'fixed' | 'affine';
  gainprm?: number | Vector;
  biastype?: 'none' | 'affine';
  biasprm?: Vector;
  dyntype?: 'none' | 'integrator' | 'filter' | 'filterexact';
  dynprm?: number | Vector;
  kp?: number;
}

export interface TendonAttributes {
  class?: string;
  limited?: boolean;
  range?: Vector;
  stiffness?: number;
  damping?: number;
  width?: number;
}

/** Values that elements take over unless they say otherwise, by element type; `classes` are named and inherit. */
export interface MjcfDefaults {
  joint?: JointAttributes;
  geom?: GeomAttributes;
  site?: SiteAttributes;
  motor?: ActuatorAttributes;
  general?: ActuatorAttributes;
  position?: ActuatorAttributes;
  tendon?: TendonAttributes;
  equality?: Softness;
  classes?: Record<string, MjcfDefaults>;
}

/** A whole model; sections in MuJoCo's own terms. */
export interface MjcfModel {
  compiler?: Record<string, MjcfValue>;
  option?: Record<string, MjcfValue>;
  /** Flags inside `option`, such as `{ contact: 'disable' }`. */
  flags?: Record<string, 'enable' | 'disable'>;
  statistic?: Record<string, MjcfValue>;
  defaults?: MjcfDefaults;
  world: readonly MjcfElement[];
  actuators?: readonly MjcfElement[];
  tendons?: readonly MjcfElement[];
  equalities?: readonly MjcfElement[];
  sensors?: readonly MjcfElement[];
  /** Pairs of bodies that never collide. */
  excludes?: readonly (readonly [string, string])[];
}

/**
 * The MJCF text of a model.
 *
 * @example
 * ```ts
 * const pendulum = mjcf('pendulum', {
 *   option: { timestep: 0.01 },
 *   world: [body('pole', {}, hinge('pivot', { axis: [0, 1, 0] }), capsule('rod', { fromto: [0, 0, 0, 0, 0, 1], size: 0.05 }))],
 *   actuators: [motor('torque', { joint: 'pivot', ctrllimited: true, ctrlrange: [-1, 1] })],
 * });
 * ```
 */
export function mjcf(name: string, model: MjcfModel): string {
  requireObject('mjcf', 'model', model);
  if (!Array.isArray(model.world)) {
    throw new ArgumentError(`mjcf: model.world must be a list of elements, got ${show(model.world)}.`);
  }
  const flags = model.flags ? [element('flag', model.flags)] : [];
  const sections = [
    model.compiler && element('compiler', model.compiler),
    (model.option || model.flags) && element('option', model.option, ...flags),
    model.statistic && element('statistic', model.statistic),
    model.defaults && element('default', {}, ...defaultElements(model.defaults)),
    element('worldbody', {}, ...model.world),
    section(
      'contact',
      model.excludes?.map(([body1, body2]) => element('exclude', { body1, body2 })),
    ),
    section('tendon', model.tendons),
    section('equality', model.equalities),
    section('actuator', model.actuators),
    section('sensor', model.sensors),
  ];
  return toXml(element('mujoco', { model: name }, ...sections.filter((part) => part !== undefined)));
}

/** Any element. */
export function element(
  tag: string,
  attributes: Readonly<Record<string, MjcfValue>> = {},
  ...children: readonly MjcfElement[]
): MjcfElement {
  return { tag, attributes, children };
}

/** A body with its joints, geoms, sites and child bodies. An empty name leaves it unnamed. */
export function body(name: string, attributes: BodyAttributes, ...children: readonly MjcfElement[]): MjcfElement {
  return element('body', named(name, attributes), ...children);
}

export const inertial = (attributes: InertialAttributes) => element('inertial', { ...attributes });

export const joint = maker<JointAttributes>('joint');
export const hinge = maker<JointAttributes>('joint', { type: 'hinge' });
export const slide = maker<JointAttributes>('joint', { type: 'slide' });
export const ball = maker<JointAttributes>('joint', { type: 'ball' });
export const freejoint = maker<Record<string, never>>('freejoint');

export const geom = maker<GeomAttributes>('geom');
export const plane = maker<GeomAttributes>('geom', { type: 'plane' });
export const sphere = maker<GeomAttributes>('geom', { type: 'sphere' });
export const capsule = maker<GeomAttributes>('geom', { type: 'capsule' });
export const ellipsoid = maker<GeomAttributes>('geom', { type: 'ellipsoid' });
export const cylinder = maker<GeomAttributes>('geom', { type: 'cylinder' });
export const box = maker<GeomAttributes>('geom', { type: 'box' });

export const site = maker<SiteAttributes>('site');
export const motor = maker<ActuatorAttributes>('motor');
export const general = maker<ActuatorAttributes>('general');
export const position = maker<ActuatorAttributes>('position');

/** A tendon whose length is a sum of joint positions with the given coefficients. */
export function fixedTendon(name: string, coefficients: Record<string, number>, attributes: TendonAttributes = {}) {
  requireObject('fixedTendon', 'coefficients', coefficients);
  const joints = Object.entries(coefficients).map(([joint, coef]) => element('joint', { joint, coef }));
  return element('fixed', { name, ...attributes }, ...joints);
}

/** A tendon that runs straight through the given sites. */
export function spatialTendon(name: string, sites: readonly string[], attributes: TendonAttributes = {}) {
  if (!Array.isArray(sites)) {
    throw new ArgumentError(`spatialTendon: sites must be a list of names, got ${show(sites)}.`);
  }
  return element('spatial', { name, ...attributes }, ...sites.map((site) => element('site', { site })));
}

/** A sensor of a given type, such as `sensor('touch', 'toe_touch', { site: 'toe' })`. */
export function sensor(type: string, name: string, attributes: Readonly<Record<string, MjcfValue>>): MjcfElement {
  return element(type, { name, ...attributes });
}

function maker<Attributes extends object>(tag: string, fixed: object = {}) {
  return (name: string, attributes?: Attributes): MjcfElement =>
    element(tag, named(name, { ...fixed, ...attributes } as object));
}

function named(name: string, attributes: object): Record<string, MjcfValue> {
  return { name: name || undefined, ...attributes };
}

function section(tag: string, children?: readonly MjcfElement[]): MjcfElement | undefined {
  return children?.length ? element(tag, {}, ...children) : undefined;
}

function defaultElements({ classes = {}, ...types }: MjcfDefaults): MjcfElement[] {
  return [
    ...Object.entries(types).map(([tag, attributes]) => element(tag, attributes as Record<string, MjcfValue>)),
    ...Object.entries(classes).map(([name, values]) => element('default', { class: name }, ...defaultElements(values))),
  ];
}

function toXml({ tag, attributes, children }: MjcfElement): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}="${Array.isArray(value) ? value.join(' ') : value}"`)
    .join('');
  return children.length ? `<${tag}${written}>${children.map(toXml).join('')}</${tag}>` : `<${tag}${written}/>`;
}
