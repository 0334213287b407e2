import type { Env } from '../envs/env.js';
import { ClipAction } from '../envs/wrappers/clipAction.js';
import { FrameStack } from '../envs/wrappers/frameStack.js';
import { NormaliseObservation } from '../envs/wrappers/normaliseObservation.js';
import { NormaliseReward } from '../envs/wrappers/normaliseReward.js';
import { RescaleAction } from '../envs/wrappers/rescaleAction.js';
import { TimeLimit } from '../envs/wrappers/timeLimit.js';
import { RunningMoments } from '../ops/runningMoments.js';

/** A wrapper by name, or `{ name: value }` for one that takes a value. */
export type WrapperSetting = keyof typeof WRAPPERS | { frameStack: number } | { timeLimit: number };

/** What the environments of a run share: moments of observations, one set for each normalising wrapper. */
export class Wrapping {
  private readonly moments: (RunningMoments | undefined)[] = [];

  constructor(private readonly settings: readonly WrapperSetting[]) {}

  /** @param learns whether it is trained in; rewards of evaluations stay as they are */
  wrap(env: Env, learns: boolean): Env {
    return this.settings.reduce((inner, setting, i) => {
      const [name, value] = typeof setting === 'string' ? [setting, undefined] : Object.entries(setting)[0]!;
      this.moments[i] ??= name === 'normaliseObservation' ? new RunningMoments(inner.observationSpace.size) : undefined;
      return WRAPPERS[name as keyof typeof WRAPPERS](inner, {
        learns,
        value: value as number,
        moments: this.moments[i]!,
      });
    }, env);
  }
}

interface Making {
  learns: boolean;
  value: number;
  moments: RunningMoments;
}

const WRAPPERS = {
  normaliseObservation: (env: Env, { learns, moments }: Making): Env =>
    new NormaliseObservation(env, { learns, moments }),
  normaliseReward: (env: Env, { learns }: Making): Env => (learns ? new NormaliseReward(env) : env),
  clipAction: (env: Env): Env => new ClipAction(env, { keepBounds: true }),
  rescaleAction: (env: Env): Env => new RescaleAction(env),
  frameStack: (env: Env, { value }: Making): Env => new FrameStack(env, value),
  timeLimit: (env: Env, { value }: Making): Env => new TimeLimit(env, value),
};

export const wrapperNames = Object.keys(WRAPPERS) as (keyof typeof WRAPPERS)[];
