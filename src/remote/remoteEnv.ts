import type { Env, ResetResult, StepResult } from '../envs/env.js';
import { resetSeed } from '../envs/resetSeed.js';
import { EnvironmentError, requireFinite, requireLength } from '../errors.js';
import type { Box } from '../spaces/box.js';
import { type Commit, prefixed, type StateDict, substate } from '../state.js';
import type { Member } from './member.js';

/**
 * An environment elsewhere: in Python, on another machine, in a page. Made by {@link connectEnv} or {@link acceptEnv}.
 *
 * Where the connection is lost during a step, the outcome of that step is not known: `step` then returns the observation
 * before it, reward 0, `truncated`, and `info.lost` is true, which `train` does not learn from; `reset` connects again.
 */
export class RemoteEnv implements Env {
  readonly id: string | undefined;
  readonly observationSpace: Box;
  readonly actionSpace: Box;
  readonly state?: () => Promise<StateDict>;
  readonly prepare?: (state: StateDict) => Promise<Commit>;
  private readonly calls: Calls;

  /** @internal */
  constructor(private readonly member: Member) {
    const { id, observationSpace, actionSpace, hasState } = member.welcome;
    this.id = id;
    this.observationSpace = observationSpace;
    this.actionSpace = actionSpace;
    this.calls = new Calls(`RemoteEnv (${member.peer})`);
    if (!hasState) return;
    this.state = async () => substate(await this.calls.run('state', () => member.state(0)), 'env0');
    this.prepare = (state) => this.calls.prepare(() => member.prepare(prefixed('env0', state), 0));
  }

  /** @throws ArgumentError for a seed that is none; EnvironmentError if the environment threw, or a lost connection did not come back in time */
  async reset(options: { seed?: number } = {}): Promise<ResetResult> {
    const seed = resetSeed('RemoteEnv', options);
    return this.calls.run('reset', async () => {
      this.calls.isRunning = false;
      const { observations, infos } = await this.member.reset([seed]);
      this.calls.isRunning = true;
      return { observation: observations, info: infos[0]! };
    });
  }

  /**
   * @throws ShapeError, NonFiniteError for an action that is not a vector of the action space's size
   * @throws EnvironmentError where `reset` is due, or what the environment threw
   */
  async step(action: Float32Array): Promise<StepResult> {
    requireLength('RemoteEnv.step', 'action', action, this.actionSpace.size);
    requireFinite('RemoteEnv.step', 'action', action);
    this.calls.requireRunning('step');
    return this.calls.run('step', async () => {
      this.calls.isRunning = false;
      const { stepped } = await this.member.step(action);
      const [terminated, truncated] = [stepped.terminated[0] === 1, stepped.truncated[0] === 1];
      this.calls.isRunning = !terminated && !truncated;
      const { nextObservations, rewards, infos } = stepped;
      return { observation: nextObservations, reward: rewards[0]!, terminated, truncated, info: infos[0]! };
    });
  }

  /** Ends the connection, and the process that was started for it. */
  close(): void {
    this.calls.close();
    this.member.close();
  }
}

/** One call at a time, none after the end. */
export class Calls {
  /** Whether episodes are running. */
  isRunning = false;
  private isBusy = false;
  private isClosed = false;

  constructor(private readonly name: string) {}

  async run<T>(method: string, call: () => Promise<T>): Promise<T> {
    if (this.isClosed) throw new EnvironmentError(`${this.name}.${method}: it was closed; connect again.`);
    if (this.isBusy) throw new EnvironmentError(`${this.name}.${method}: await the call before.`);
    this.isBusy = true;
    try {
      return await call();
    } finally {
      this.isBusy = false;
    }
  }

  /** Runs `prepare`, and once more for what it returns, after which episodes are running. */
  async prepare(prepare: () => Promise<Commit>): Promise<Commit> {
    const commit = await this.run('prepare', prepare);
    return async () => {
      await this.run('prepare', async () => commit());
      this.isRunning = true;
    };
  }

  requireRunning(method: string): void {
    if (this.isRunning || this.isBusy || this.isClosed) return;
    throw new EnvironmentError(`${this.name}.${method}: call reset first; no episode is running.`);
  }

  close(): void {
    this.isClosed = true;
  }
}
