import type { LostInfo } from '../envs/lost.js';
import { EnvironmentError } from '../errors.js';
import { Rng } from '../rng/rng.js';
import type { Box } from '../spaces/box.js';
import { type Commit, prefixed, type StateDict, substate } from '../state.js';
import { ConnectionLostError } from './errors.js';
import type { Started, Stepped, Welcome } from './messages.js';
import type { Session } from './session.js';

/** Milliseconds between attempts to come back: the first, and the longest. */
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 2000;

/**
 * One server, which may be lost and found again: a new connection has new environments, so their episodes start anew.
 */
export class Member {
  readonly welcome: Welcome;
  /** What was last observed, `[N * observationSize]`. */
  private observations: Float32Array | undefined;
  private restarts = 0;
  private isClosed = false;

  /**
   * @param dial opens a new session with the same server
   * @param patience milliseconds that a lost server has to come back
   * @param onClose called by {@link close}
   */
  private constructor(
    private session: Session,
    private readonly dial: () => Promise<Session>,
    private readonly patience: number,
    private readonly onClose: () => void,
  ) {
    this.welcome = session.welcome;
  }

  static async connect(dial: () => Promise<Session>, patience: number, onClose = () => {}): Promise<Member> {
    return new Member(await dial(), dial, patience, onClose);
  }

  get peer(): string {
    return this.session.peer;
  }

  /**
   * Starts episodes; if the server is lost, in the environments of the next connection, with {@link freshSeeds} where none
   * is given.
   */
  async reset(seeds: readonly (number | undefined)[], first = 0): Promise<Started> {
    const started = await this.session.reset(seeds).catch((error) => {
      const fresh = this.freshSeeds(first);
      return this.resetElsewhere(
        error,
        seeds.map((seed, i) => seed ?? fresh[i]!),
      );
    });
    this.observations = started.observations;
    return started;
  }

  /**
   * A step; if the server is lost, {@link lostStep}, after which a reset is due.
   *
   * @throws EnvironmentError what the environment threw
   */
  async step(actions: Float32Array): Promise<{ stepped: Stepped; isLost: boolean }> {
    try {
      const stepped = await this.session.step(actions);
      this.observations = stepped.observations;
      return { stepped, isLost: false };
    } catch (error) {
      if (!isLoss(error) || this.isClosed) throw error;
      return { stepped: this.lostStep(error), isLost: true };
    }
  }

  /** The state of each environment, `env0/...` first; in a vector environment the first has number `first`. */
  async state(first: number): Promise<StateDict> {
    return this.renumbered(await this.session.state(), 0, first);
  }

  async prepare(state: StateDict, first: number): Promise<Commit> {
    return this.session.prepare(this.renumbered(state, first, 0));
  }

  close(): void {
    this.isClosed = true;
    this.session.close();
    this.onClose();
  }

  /** Seeds of the episodes that begin after a loss: new ones each time, the same in every run. */
  freshSeeds(first: number): number[] {
    const stream = Rng.fromSeed(this.restarts).split('restart');
    return Array.from({ length: this.welcome.numEnvs }, (_, i) => stream.split(first + i).uint32());
  }

  private renumbered(state: StateDict, from: number, to: number): StateDict {
    const parts = Array.from({ length: this.welcome.numEnvs }, (_, i) =>
      prefixed(`env${to + i}`, substate(state, `env${from + i}`)),
    );
    return Object.assign({}, ...parts);
  }

  private async resetElsewhere(error: unknown, seeds: readonly number[]): Promise<Started> {
    if (!isLoss(error) || this.isClosed) throw error;
    const deadline = performance.now() + this.patience;
    let [pause, last] = [FIRST_PAUSE, error as Error];
    while (performance.now() < deadline && !this.isClosed) {
      try {
        await this.reconnect();
        return await this.session.reset(seeds);
      } catch (failure) {
        last = failure as Error;
      }
      await sleep(Math.min(pause, Math.max(deadline - performance.now(), 0)));
      pause = Math.min(2 * pause, LONGEST_PAUSE);
    }
    throw new EnvironmentError(
      `${this.peer}: the connection was lost and did not come back within ${this.patience / 1000} s: ${last.message}`,
      { cause: last },
    );
  }

  private async reconnect(): Promise<void> {
    this.session.close();
    const session = await this.dial();
    if (this.isClosed) {
      session.close();
      throw new EnvironmentError(`${this.peer}: it was closed; connect a new one`);
    }
    if (!isSame(session.welcome, this.welcome)) {
      session.close();
      throw new EnvironmentError(`${this.peer}: after the connection was lost, other environments are served there`);
    }
    this.session = session;
    this.restarts += 1;
  }

  /** What stands in for a step that was lost: nothing moved, no reward, the episode cut, `info.lost`. */
  private lostStep({ message }: Error): Stepped {
    const { numEnvs, observationSpace } = this.welcome;
    const observations = this.observations ?? new Float32Array(numEnvs * observationSpace.size);
    return {
      rewards: new Float64Array(numEnvs),
      terminated: new Uint8Array(numEnvs),
      truncated: new Uint8Array(numEnvs).fill(1),
      nextObservations: observations.slice(),
      observations: observations.slice(),
      infos: Array.from({ length: numEnvs }, (): LostInfo => ({ lost: true, reason: message })),
    };
  }
}

function isLoss(error: unknown): error is Error {
  return error instanceof ConnectionLostError;
}

function isSame(a: Welcome, b: Welcome): boolean {
  const sameBox = (x: Box, y: Box) =>
    x.size === y.size && x.low.every((low, i) => low === y.low[i] && x.high[i] === y.high[i]);
  return (
    a.id === b.id &&
    a.numEnvs === b.numEnvs &&
    sameBox(a.observationSpace, b.observationSpace) &&
    sameBox(a.actionSpace, b.actionSpace)
  );
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
