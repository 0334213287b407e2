import { environmentSeed, requireActions } from '../envs/batch.js';
import { resetSeed } from '../envs/resetSeed.js';
import type { VectorEnv, VectorReset, VectorStep } from '../envs/vectorEnv.js';
import { ArgumentError } from '../errors.js';
import { settled } from '../settled.js';
import type { Box } from '../spaces/box.js';
import { type Commit, readEntries, type StateDict } from '../state.js';
import type { Member } from './member.js';
import type { Stepped } from './messages.js';
import { Calls } from './remoteEnv.js';

/**
 * The environments of one or several servers as one vector environment; all step at the same time. Made by
 * {@link connectVectorEnv}. Seeds give the same data as in a `SyncVectorEnv` of the same environments.
 *
 * A server that does not answer in time or whose connection is lost is connected to again, within the step, and the
 * episodes of its environments start anew. The outcome of the step that was lost is not known: its rows repeat the
 * observation before it, with reward 0, `truncated`, and `info.lost` is true; `train` does not learn from them.
 */
export class RemoteVectorEnv implements VectorEnv {
  readonly id: string | undefined;
  readonly numEnvs: number;
  readonly observationSpace: Box;
  readonly actionSpace: Box;
  readonly state?: () => Promise<StateDict>;
  readonly prepare?: (state: StateDict) => Promise<Commit>;
  /** Index of each member's first environment. */
  private readonly firsts: number[];
  private readonly calls: Calls;

  /**
   * @internal
   * @throws ArgumentError unless all members have spaces of one size
   */
  constructor(private readonly members: readonly Member[]) {
    const [first] = members as [Member];
    const { id, observationSpace, actionSpace } = first.welcome;
    this.id = id;
    this.observationSpace = observationSpace;
    this.actionSpace = actionSpace;
    for (const member of members) requireSameSizes(member, first);
    let numEnvs = 0;
    this.firsts = members.map(({ welcome }) => {
      numEnvs += welcome.numEnvs;
      return numEnvs - welcome.numEnvs;
    });
    this.numEnvs = numEnvs;
    this.calls = new Calls(`RemoteVectorEnv (${members.map(({ peer }) => peer).join(', ')})`);
    if (!members.every(({ welcome }) => welcome.hasState)) return;
    this.state = () => this.calls.run('state', () => this.gather());
    this.prepare = (state) => this.calls.prepare(() => this.scatter(state));
  }

  /** @throws ArgumentError for a seed that is none; EnvironmentError if an environment threw, or a lost server did not come back in time */
  async reset(options: { seed?: number } = {}): Promise<VectorReset> {
    const seed = resetSeed('RemoteVectorEnv', options);
    return this.calls.run('reset', async () => {
      this.calls.isRunning = false;
      const started = await this.all((member, first) => {
        const rows = Array.from({ length: member.welcome.numEnvs }, (_, i) => first + i);
        const seeds = rows.map((row) => (seed === undefined ? undefined : environmentSeed(seed, row)));
        return member.reset(seeds, first);
      });
      this.calls.isRunning = true;
      return {
        observations: joined(started.map(({ observations }) => observations)),
        infos: started.flatMap(({ infos }) => infos),
      };
    });
  }

  /**
   * @throws ShapeError, NonFiniteError for wrong actions; nothing has moved then
   * @throws EnvironmentError what an environment threw, or a lost server that did not come back in time; a reset is due
   */
  async step(actions: Float32Array): Promise<VectorStep> {
    requireActions('RemoteVectorEnv.step', actions, this.numEnvs, this.actionSpace.size);
    this.calls.requireRunning('step');
    return this.calls.run('step', async () => {
      this.calls.isRunning = false;
      const { size } = this.actionSpace;
      const steps = await this.all((member, first) =>
        stepOrRestart(member, first, actions.subarray(first * size, (first + member.welcome.numEnvs) * size)),
      );
      this.calls.isRunning = true;
      return together(steps);
    });
  }

  /** Ends the connections, and the processes that were started for them. */
  close(): void {
    this.calls.close();
    for (const member of this.members) member.close();
  }

  private async gather(): Promise<StateDict> {
    return Object.assign({}, ...(await this.all((member, first) => member.state(first))));
  }

  private async scatter(state: StateDict): Promise<Commit> {
    const names = Array.from({ length: this.numEnvs }, (_, i) => `env${i}`);
    readEntries(state, {}, names);
    const commits = await this.all((member, first) => member.prepare(state, first));
    return async () => void (await Promise.all(commits.map((commit) => commit())));
  }

  /** `run` for every member at the same time; waits for all of them before it throws. */
  private async all<T>(run: (member: Member, first: number) => Promise<T>): Promise<T[]> {
    return settled(this.members.map((member, i) => run(member, this.firsts[i]!)));
  }
}

async function stepOrRestart(member: Member, first: number, actions: Float32Array): Promise<Stepped> {
  const { stepped, isLost } = await member.step(actions);
  if (!isLost) return stepped;
  const { observations } = await member.reset(member.freshSeeds(first));
  return { ...stepped, observations };
}

function together(steps: readonly Stepped[]): VectorStep {
  const column = <K extends keyof Stepped>(name: K) => steps.map((step) => step[name]);
  return {
    observations: joined(column('observations')),
    nextObservations: joined(column('nextObservations')),
    rewards: Float32Array.from(column('rewards').flatMap((rewards) => Array.from(rewards))),
    terminated: Uint8Array.from(column('terminated').flatMap((flags) => Array.from(flags))),
    truncated: Uint8Array.from(column('truncated').flatMap((flags) => Array.from(flags))),
    infos: column('infos').flat(),
  };
}

function joined(parts: readonly Float32Array[]): Float32Array {
  if (parts.length === 1) return parts[0]!;
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function requireSameSizes(member: Member, first: Member): void {
  for (const space of ['observationSpace', 'actionSpace'] as const) {
    const [its, wanted] = [member.welcome[space].size, first.welcome[space].size];
    if (its === wanted) continue;
    throw new ArgumentError(
      `connectVectorEnv: ${member.peer} has an ${space} of size ${its}, ${first.peer} of size ${wanted}; all must have the same.`,
    );
  }
}
