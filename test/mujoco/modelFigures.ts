import type { ObjectKind, Simulation } from 'diffrl/mujoco';
import type { Reference } from './reference.js';

/** A list of a reference file: the kind to look names up, `mjModel`'s count, and the array behind each figure. */
interface List {
  kind?: ObjectKind;
  count: string;
  arrays: Record<string, string>;
}

const LISTS: Record<string, List> = {
  bodies: {
    kind: 'body',
    count: 'nbody',
    arrays: {
      ...{ pos: 'body_pos', quat: 'body_quat', mass: 'body_mass', inertia: 'body_inertia', ipos: 'body_ipos' },
      ...{ iquat: 'body_iquat', invweight0: 'body_invweight0', parent: 'body_parentid' },
    },
  },
  joints: {
    kind: 'joint',
    count: 'njnt',
    arrays: {
      ...{ body: 'jnt_bodyid', qpos_index: 'jnt_qposadr', dof_index: 'jnt_dofadr', pos: 'jnt_pos', axis: 'jnt_axis' },
      ...{ range: 'jnt_range', margin: 'jnt_margin', stiffness: 'jnt_stiffness' },
      ...{ limit_solref: 'jnt_solref', limit_solimp: 'jnt_solimp' },
    },
  },
  geoms: {
    kind: 'geom',
    count: 'ngeom',
    arrays: {
      ...{ body: 'geom_bodyid', size: 'geom_size', pos: 'geom_pos', quat: 'geom_quat', friction: 'geom_friction' },
      ...{ margin: 'geom_margin', gap: 'geom_gap', condim: 'geom_condim', contype: 'geom_contype' },
      ...{ conaffinity: 'geom_conaffinity', priority: 'geom_priority', solref: 'geom_solref', solimp: 'geom_solimp' },
    },
  },
  sites: {
    kind: 'site',
    count: 'nsite',
    arrays: { body: 'site_bodyid', size: 'site_size', pos: 'site_pos', quat: 'site_quat' },
  },
  actuators: {
    kind: 'actuator',
    count: 'nu',
    arrays: {
      ...{ gear: 'actuator_gear', ctrl_range: 'actuator_ctrlrange', force_range: 'actuator_forcerange' },
      ...{ gain: 'actuator_gainprm', bias: 'actuator_biasprm', dyn: 'actuator_dynprm', acc0: 'actuator_acc0' },
    },
  },
  tendons: {
    kind: 'tendon',
    count: 'ntendon',
    arrays: {
      ...{ range: 'tendon_range', stiffness: 'tendon_stiffness', damping: 'tendon_damping', length0: 'tendon_length0' },
      ...{ length_spring: 'tendon_lengthspring', invweight0: 'tendon_invweight0' },
      ...{ limit_solref: 'tendon_solref_lim', limit_solimp: 'tendon_solimp_lim' },
    },
  },
  sensors: {
    kind: 'sensor',
    count: 'nsensor',
    arrays: { address: 'sensor_adr', dim: 'sensor_dim', cutoff: 'sensor_cutoff' },
  },
  equalities: { count: 'neq', arrays: { data: 'eq_data', solref: 'eq_solref', solimp: 'eq_solimp' } },
};

/** Figures of a joint that MuJoCo keeps per degree of freedom. */
const DOF_ARRAYS = {
  ...{ damping: 'dof_damping', armature: 'dof_armature', frictionloss: 'dof_frictionloss' },
  ...{ dof_M0: 'dof_M0', dof_invweight0: 'dof_invweight0' },
};

const OPTIONS = [
  ...['timestep', 'gravity', 'iterations', 'tolerance', 'ls_iterations', 'ls_tolerance', 'noslip_iterations'],
  ...['noslip_tolerance', 'ccd_iterations', 'ccd_tolerance', 'impratio', 'density', 'viscosity', 'wind'],
];

/** A figure of the model beside the recorded one. */
interface Figure {
  label: string;
  given: ArrayLike<number>;
  wanted: number[];
}

/** The largest relative difference between the compiled model and the reference, and the figure it belongs to. */
export function modelDifference(simulation: Simulation, reference: Reference): { largest: number; where: string } {
  const result = { largest: 0, where: '' };
  for (const { label, given, wanted } of figures(simulation, reference)) {
    wanted.forEach((value, i) => {
      const difference = Math.abs(given[i]! - value) / (1 + Math.abs(value));
      if (difference <= result.largest) return;
      result.largest = Number.isNaN(difference) ? Infinity : difference;
      result.where = `${label}: ${Array.from(given).slice(0, wanted.length)} instead of ${wanted}`;
    });
  }
  return result;
}

function* figures(simulation: Simulation, reference: Reference): Generator<Figure> {
  // biome-ignore lint/suspicious/noExplicitAny: the bindings type arrays as any
  const model = simulation.model as any;
  const { option, sizes, statistics, qpos0 } = reference;
  const one = (label: string, given: number, wanted: number) => ({ label, given: [given], wanted: [wanted] });
  for (const [name, size] of Object.entries(sizes)) yield one(name, model[name], size as number);
  for (const name of OPTIONS) {
    const value: number | Float64Array = model.opt[name];
    const given = typeof value === 'number' ? [value] : value;
    yield { label: name, given, wanted: [option[name]].flat() };
  }
  yield one('integrator', model.opt.integrator, ['Euler', 'RK4'].indexOf(option.integrator));
  yield one('solver', model.opt.solver, ['PGS', 'CG', 'Newton'].indexOf(option.solver));
  yield one('cone', model.opt.cone, ['pyramidal', 'elliptic'].indexOf(option.cone));
  const { mjtDisableBit, mjtEnableBit } = simulation.engine;
  yield one('disabled', model.opt.disableflags, flags(mjtDisableBit, 'mjDSBL_', option.disabled));
  yield one('enabled', model.opt.enableflags, flags(mjtEnableBit, 'mjENBL_', option.enabled));
  yield one('mean inertia', model.stat.meaninertia, statistics.mean_inertia);
  yield { label: 'qpos0', given: model.qpos0, wanted: qpos0 };
  for (const [list, { kind, count, arrays }] of Object.entries(LISTS)) {
    for (const entry of reference[list] ?? []) {
      const label = `${list}[${entry.id}] ${entry.name ?? ''}`;
      if (kind && entry.name) yield one(`${label} id`, simulation.id(kind, entry.name), entry.id);
      for (const [key, array] of Object.entries(arrays)) {
        if (entry[key] === undefined || entry[key] === null) continue;
        const width = model[array].length / model[count];
        yield { label: `${label} ${key}`, given: model[array].subarray(entry.id * width), wanted: [entry[key]].flat() };
      }
    }
  }
  for (const joint of reference.joints) {
    const label = `joints[${joint.id}] ${joint.name ?? ''}`;
    const rest = model.qpos_spring.subarray(joint.qpos_index);
    yield { label: `${label} spring_rest`, given: rest, wanted: [joint.spring_rest ?? []].flat() };
    for (const [key, array] of Object.entries(DOF_ARRAYS)) {
      const given = model[array].subarray(joint.dof_index);
      yield { label: `${label} ${key}`, given, wanted: [joint[key] ?? []].flat() };
    }
  }
}

function flags(bits: object, prefix: string, names: string[]): number {
  const values = bits as Record<string, { value: number }>;
  return names.reduce((sum, name) => sum | values[prefix + name.toUpperCase()]!.value, 0);
}
