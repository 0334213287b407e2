import type { Env, ResetResult, StepResult } from '../../envs/env.js';
import { andThen } from '../../envs/maybePromise.js';
import { Wrapper } from '../../envs/wrappers/wrapper.js';
import { requireNumber } from '../../errors.js';
import { requireOptions } from '../../options.js';
import type { Figure } from '../../plots/document.js';
import type { MaybePromise } from '../../state.js';
import { mujocoEnvIn, RENDERING, type RenderOptions, renderSvg } from './renderSvg.js';

/** Options of {@link FrameRecorder}: those of {@link renderSvg} and the number of frames. */
export interface FrameRecorderOptions extends Omit<RenderOptions, 'caption'> {
  /** Frames per second of simulated time, at most one a step. Default 25. */
  fps?: number;
}

/**
 * Draws a MuJoCo environment while it runs, with time and return in the corner of each frame.
 *
 * @example
 * ```ts
 * const recorder = new FrameRecorder(await makeMujoco('HalfCheetah-v5'));
 * await evaluate({ agent, env: recorder, episodes: 1 });
 * await writeFile('run.svg', animation(recorder.frames, { fps: recorder.fps }).svg);
 * ```
 */
export class FrameRecorder<E extends Env = Env> extends Wrapper<E> {
  /** Frames that {@link frames} has for each second, so that a film of them runs as fast as the model moved. */
  readonly fps: number;
  private readonly options: RenderOptions;
  private readonly stepsPerFrame: number;
  private readonly dt: number;
  private finished: readonly Figure[] | undefined;
  private running: Figure[] = [];
  private elapsed = 0;
  private return = 0;

  /** @throws ArgumentError unless there is a {@link MujocoEnv} inside `env` and `fps` is above 0 */
  constructor(env: E, given: FrameRecorderOptions = {}) {
    super(env);
    const { fps = 25, ...options } = requireOptions('FrameRecorder', given, { ...RENDERING, fps: true });
    requireNumber('FrameRecorder', 'fps', fps, { above: 0 });
    this.dt = mujocoEnvIn(env).dt;
    this.stepsPerFrame = Math.max(Math.round(1 / (fps * this.dt)), 1);
    this.fps = 1 / (this.stepsPerFrame * this.dt);
    this.options = options;
  }

  /** The frames of the last finished episode; until one has finished, of the running one. */
  get frames(): readonly Figure[] {
    return this.finished ?? this.running;
  }

  override reset(options?: { seed?: number }): MaybePromise<ResetResult> {
    return andThen(super.reset(options), (result) => {
      this.running = [];
      this.elapsed = 0;
      this.return = 0;
      this.draw();
      return result;
    });
  }

  override step(action: Float32Array): MaybePromise<StepResult> {
    return andThen(super.step(action), (result) => {
      this.elapsed++;
      this.return += result.reward;
      const ended = result.terminated || result.truncated;
      if (ended || this.elapsed % this.stepsPerFrame === 0) this.draw();
      if (ended) this.finished = this.running;
      return result;
    });
  }

  private draw(): void {
    const caption = `${(this.elapsed * this.dt).toFixed(1)} s · return ${this.return.toFixed(1)}`;
    this.running.push(renderSvg(this.env, { ...this.options, caption }));
  }
}
