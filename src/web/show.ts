import { loadState, type StateDict } from '../state.js';
import { breathe } from '../training/breathe.js';
import { type Environments, environments } from '../training/environments.js';
import type { EpisodeRecord } from '../training/history.js';
import type { TrainingRun } from '../training/trainingRun.js';
import type { TrainingSession } from './session.js';

/** Episodes without exploration and learning, in the environment of a run that is put back where it was. */
export class Show {
  private readonly returns: Float64Array;
  private readonly lengths: Float64Array;

  private constructor(
    private readonly session: TrainingSession,
    private readonly run: TrainingRun,
    private readonly worlds: Environments,
    private readonly before: StateDict,
    private observations: Float32Array,
  ) {
    this.returns = new Float64Array(worlds.numEnvs);
    this.lengths = new Float64Array(worlds.numEnvs);
  }

  static async begin(session: TrainingSession, run: TrainingRun): Promise<Show> {
    const before = await run.state();
    const worlds = environments('Trainer.start', session.env);
    return new Show(session, run, worlds, before, await worlds.reset('at the start of a show'));
  }

  /** One step of all environments; the episodes that it ended. */
  async advance(): Promise<EpisodeRecord[]> {
    await breathe();
    const { actions } = await this.session.agent.act(this.observations, { explore: false });
    const { observations, rewards, terminated, truncated } = await this.worlds.step('in a show', actions);
    this.observations = observations;
    const ended: EpisodeRecord[] = [];
    for (let i = 0; i < this.worlds.numEnvs; i++) {
      this.returns[i] = this.returns[i]! + rewards[i]!;
      this.lengths[i] = this.lengths[i]! + 1;
      if (!terminated[i] && !truncated[i]) continue;
      ended.push({ step: this.run.step, return: this.returns[i]!, length: this.lengths[i]! });
      this.returns[i] = 0;
      this.lengths[i] = 0;
    }
    return ended;
  }

  /** Puts the run and its environment back. */
  end(): Promise<void> {
    return loadState(this.run, this.before);
  }
}
