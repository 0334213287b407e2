import type { Simulation } from './simulation.js';

/** How control steps are made of physics steps; the two families of tasks read the engine at different moments. */
export interface Stepping {
  /** Puts the simulation into its initial state or a keyframe's for a new episode, before the task writes its start. */
  clear(simulation: Simulation, keyframe?: string): void;
  /** Brings derived arrays up to date after a state was written. */
  settle(simulation: Simulation): void;
  /** Brings the simulation to where {@link Stepping.advance} leaves it, after a saved state was put back. */
  resume(simulation: Simulation): void;
  /** One control step of `frameSkip` physics steps. */
  advance(simulation: Simulation, frameSkip: number): void;
}

/**
 * Gymnasium's way: whole physics steps, then the pass that fills `cfrc_ext`. Derived arrays (positions of bodies,
 * forces) are left as the last step used them, so they lag behind `qpos` and `qvel`.
 */
export const gymnasiumStepping: Stepping = {
  clear: (simulation, keyframe) => simulation.reset(keyframe),
  settle: (simulation) => simulation.forward(),
  resume: () => {},
  advance(simulation, frameSkip) {
    const { engine, model, data } = simulation;
    simulation.advance(frameSkip, () => {
      for (let i = 0; i < frameSkip; i++) simulation.stepOnce();
      engine.mj_rnePostConstraint(model, data);
    });
  },
};

/**
 * DeepMind Control's way: a control step ends in the middle of a physics step, so that positions and velocities of
 * bodies and sensors are up to date; readings of forces and accelerations belong to the last completed physics step.
 */
export const suiteStepping: Stepping = {
  clear(simulation, keyframe) {
    simulation.reset(keyframe);
    passiveForward(simulation);
  },
  settle: passiveForward,
  resume({ engine, model, data }) {
    engine.mj_step1(model, data);
  },
  advance(simulation, frameSkip) {
    const { engine, model, data, usesEuler } = simulation;
    simulation.advance(frameSkip, () => {
      if (usesEuler) {
        simulation.beforeStep?.();
        engine.mj_step2(model, data);
      }
      for (let i = usesEuler ? 1 : 0; i < frameSkip; i++) simulation.stepOnce();
      engine.mj_step1(model, data);
    });
  },
};

/** A forward pass with actuation switched off. */
function passiveForward(simulation: Simulation): void {
  const option = simulation.model.opt;
  const flags = option.disableflags;
  option.disableflags = flags | simulation.engine.mjtDisableBit.mjDSBL_ACTUATION.value;
  try {
    simulation.forward();
  } finally {
    option.disableflags = flags;
  }
}
