import type { Box } from '../../spaces/box.js';
import {
  type Commit,
  type MaybePromise,
  prefixed,
  readEntries,
  type StateDict,
  type Stateful,
  substate,
} from '../../state.js';
import type { Env, ResetResult, StepResult } from '../env.js';
import { hasState } from '../hasState.js';
import { andThen } from '../maybePromise.js';
import { requireEnv } from '../received.js';

/** The environment inside all wrappers. */
export type Unwrapped<E> = E extends Wrapper<infer Inner> ? Unwrapped<Inner> : E;

/**
 * An environment around another one; passes everything through.
 *
 * Subclass requirements: override what changes; results of the inner environment may be promises (see {@link andThen}).
 * A wrapper that remembers something between steps gives it out in `ownState` and takes it back in `prepareOwn`;
 * `state` and `prepare` exist when the inner environment has them, `memory` always.
 */
export class Wrapper<E extends Env = Env> implements Env {
  readonly observationSpace: Box;
  readonly actionSpace: Box;
  readonly state?: () => MaybePromise<StateDict>;
  readonly prepare?: (state: StateDict) => MaybePromise<Commit>;
  /** What the wrappers alone remember. */
  readonly memory: Stateful;

  constructor(readonly env: E) {
    requireEnv(new.target.name, env);
    this.observationSpace = env.observationSpace;
    this.actionSpace = env.actionSpace;
    this.memory = this.around(env.memory ?? NOTHING);
    if (!hasState(env)) return;
    const whole = this.around(env);
    this.state = () => whole.state();
    this.prepare = (state) => whole.prepare(state);
  }

  get id(): string | undefined {
    return this.env.id;
  }

  get unwrapped(): Unwrapped<E> {
    return (this.env instanceof Wrapper ? this.env.unwrapped : this.env) as Unwrapped<E>;
  }

  reset(options?: { seed?: number }): MaybePromise<ResetResult> {
    return this.env.reset(options);
  }

  step(action: Float32Array): MaybePromise<StepResult> {
    return this.env.step(action);
  }

  close(): MaybePromise<void> {
    return this.env.close?.();
  }

  /** What this wrapper alone remembers. */
  protected ownState(): StateDict {
    return {};
  }

  /** Checks what `ownState` gave and returns what puts it in place and cannot fail. */
  protected prepareOwn(state: StateDict): () => void {
    return NOTHING.prepare(state);
  }

  private around(inner: Stateful): Stateful {
    return {
      state: () =>
        andThen(inner.state(), (state) => ({ ...prefixed('env', state), ...prefixed('wrapper', this.ownState()) })),
      prepare: (state) => {
        readEntries(state, {}, ['env', 'wrapper']);
        const own = this.prepareOwn(substate(state, 'wrapper'));
        return andThen(inner.prepare(substate(state, 'env')), (commit) => () => andThen(commit(), own));
      },
    };
  }
}

const NOTHING = {
  state: () => ({}),
  prepare(state: StateDict): () => void {
    readEntries(state, {});
    return () => {};
  },
};
