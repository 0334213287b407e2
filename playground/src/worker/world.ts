import { type Env, Wrapper } from 'diffrl';
import type { SceneDescription } from 'diffrl/mujoco';
import type { Vector } from './vector.js';

/** What the visitor's pointer does to the scene. */
export type Pull =
  | { kind: 'grab'; body: number; point: Vector }
  | { kind: 'move'; target: Vector }
  | { kind: 'release' };

/** A pull that is under way: the body, where it is held and where it is pulled to. */
export interface Held {
  body: number;
  from: Vector;
  to: Vector;
}

/** An environment that can be looked at and pulled at. */
export interface World {
  env: Env;
  scene: SceneDescription;
  /** Where everything is, see `readPose`. @param observation the last one */
  pose(observation: Float32Array): Float32Array;
  pull(pull: Pull): void;
  readonly held: Held | undefined;
}

/** Tells of every step and reset that passes through it. */
export class Watched extends Wrapper {
  constructor(
    env: Env,
    private readonly onMove: (observation: Float32Array, isReset: boolean) => void,
  ) {
    super(env);
  }

  override async reset(options?: { seed?: number }) {
    const result = await super.reset(options);
    this.onMove(result.observation, true);
    return result;
  }

  override async step(action: Float32Array) {
    const result = await super.step(action);
    this.onMove(result.observation, false);
    return result;
  }
}
