import { readPolicyMetadata } from 'diffrl';
import type { SceneDescription } from 'diffrl/mujoco';
import { type Progress, Trainer } from 'diffrl/web';
import { SceneView } from '../scene/sceneView.js';
import {
  AGENTS,
  type AgentId,
  defaultKnobs,
  defaultSettings,
  type Robot,
  type RobotReward,
  type Settings,
  TASKS,
  type TaskId,
} from '../settings.js';
import type { Create, Frame } from '../worker/create.js';
import { short } from './chart.js';
import { Curves } from './curves.js';
import { Dials } from './dials.js';
import { element, fill } from './elements.js';
import { Files } from './files.js';
import { Microscope } from './microscope.js';
import { followTheme } from './theme.js';

/** How fast, in multiples of real time; the last is as fast as it goes. */
const SPEEDS = [0.25, 0.5, 1, 2, 4, 8, Number.POSITIVE_INFINITY];

/** From this return on a task counts as solved. */
const SOLVED: Partial<Record<TaskId, number>> = { 'InvertedPendulum-v5': 950, Pendulum: -200, 'Reacher-v5': -6 };

/** The page: one trainer, what it tells, and what the visitor wants of it. */
export class App {
  settings: Settings;
  trainer!: Trainer<Create>;
  /** When something moved for the first time, in ms since the page began to load. */
  moved?: number;
  /** The best return of an episode so far. */
  best = Number.NEGATIVE_INFINITY;
  scene?: SceneDescription;
  private view?: SceneView;
  private dark = true;
  /** Whether training, or the show, goes on. */
  running = true;
  private frame?: Frame;
  private readonly curves = new Curves();
  private readonly microscope = new Microscope(this);
  private readonly dials = new Dials(element('dials'), (change) => this.turn(change));
  private readonly files = new Files(this);

  constructor() {
    const [task, agent] = location.hash.slice(1).split('/');
    this.settings = defaultSettings(
      task && task in TASKS && task !== 'Robot' ? (task as TaskId) : undefined,
      agent && agent in AGENTS ? (agent as AgentId) : undefined,
    );
    this.listen();
  }

  async start(): Promise<void> {
    const worker = new Worker(new URL('../worker/trainer.worker.ts', import.meta.url), { type: 'module' });
    const trainer = new Trainer<Create>(worker);
    this.trainer = trainer;
    trainer.on('scene', (scene) => {
      this.scene = scene;
      this.view?.dispose();
      this.view = undefined;
      const view = new SceneView(element('view'), scene);
      view.theme(this.dark);
      view.onPull = (pull) => {
        element('hint').style.opacity = '0';
        void trainer.call('pull', pull);
      };
      this.view = view;
    });
    trainer.on('frame', (frame) => {
      this.frame = frame;
    });
    trainer.on('progress', (progress) => this.tell(progress));
    trainer.on('error', (error) => this.say(error.message));
    requestAnimationFrame(() => this.paint());
    await trainer.open(this.settings);
    await this.go();
    const threads = await trainer.call('threads');
    element('engine').textContent = threads === 1 ? 'One thread.' : `${threads} threads.`;
    this.showSettings();
  }

  /** Says something to the visitor for a moment. */
  say(text: string): void {
    const toast = element('toast');
    toast.textContent = text;
    toast.dataset.shown = '';
    setTimeout(() => delete toast.dataset.shown, Math.max(2500, 60 * text.length));
  }

  /** Begins anew with other settings. */
  async restart(changes: Partial<Settings>): Promise<void> {
    const settings = { ...this.settings, robot: undefined, policy: undefined, ...changes };
    try {
      await this.trainer.restart(settings);
    } catch (error) {
      this.say((error as Error).message);
      this.showSettings();
      return;
    }
    this.settings = settings;
    this.curves.reset();
    this.showSettings();
    await this.go();
  }

  /** Goes on, or stops, as the visitor has it. */
  async go(running = true): Promise<void> {
    this.running = running;
    element('play').ariaLabel = running ? 'Pause' : 'Play';
    this.microscope.follow(running);
    if (!running) return void (await this.trainer.pause());
    const speed = SPEEDS[Number(element<HTMLInputElement>('speed').value)]!;
    await this.trainer.start({ learn: this.isLearning, stepsPerSecond: speed / this.scene!.dt });
  }

  /** Trains with a model of the visitor's. */
  adopt(robot: Robot): Promise<void> {
    return this.restart({ task: 'Robot', knobs: defaultKnobs('Robot'), robot });
  }

  /** Shows what a policy from a file does. */
  play(policy: Uint8Array): Promise<void> {
    const { task, mjcf, settings } = readPolicyMetadata(policy);
    if (task === 'Robot' && mjcf) {
      const { name, reward } = settings as { name: string; reward: RobotReward };
      return this.restart({ task, robot: { name, xml: mjcf, assets: {}, reward }, policy });
    }
    return this.restart({ task: task && task in TASKS ? (task as TaskId) : this.settings.task, policy });
  }

  /** Shows a pose other than the present one. */
  recall(pose: Float32Array): void {
    this.view?.update(pose);
  }

  /** Where on the page a part of the scene is drawn, px. */
  placeOf(name: string): { x: number; y: number } {
    const index = this.scene!.parts.findIndex((part) => part.name === name);
    return this.view!.placeOf(index);
  }

  /** The returns of a run that was loaded. */
  showHistory(episodes: readonly { step: number; return: number }[]): void {
    this.curves.reset(episodes.map((episode) => [episode.step, episode.return] as const));
  }

  showSettings(): void {
    const { task, agent, knobs, robot, policy } = this.settings;
    const tasks = { ...TASKS, Robot: robot ? robot.name : TASKS.Robot };
    fill(element('task'), tasks, task);
    fill(element('agent'), policy ? { policy: 'A policy file' } : AGENTS, policy ? 'policy' : agent);
    this.dials.set(knobs, agent);
    history.replaceState(undefined, '', `#${task}/${agent}`);
    element('hint').textContent = 'Drag the robot to push it. Drag the ground to look around.';
  }

  private get isLearning(): boolean {
    return (
      !this.settings.policy &&
      element<HTMLInputElement>('mode').querySelector<HTMLInputElement>(':checked')?.value === 'learn'
    );
  }

  private listen(): void {
    followTheme(element('theme'), (dark) => {
      this.dark = dark;
      this.view?.theme(dark);
      this.curves.draw();
      this.microscope.draw();
    });
    element('task').addEventListener('change', () =>
      this.chooseTask(element<HTMLSelectElement>('task').value as TaskId),
    );
    element('agent').addEventListener('change', () => {
      void this.restart({ agent: element<HTMLSelectElement>('agent').value as AgentId });
    });
    element('play').addEventListener('click', () => this.go(!this.running));
    element('again').addEventListener('click', () => this.restart({ seed: this.settings.seed + 1 }));
    element('step').addEventListener('click', async () => {
      await this.go(false);
      this.tell(await this.trainer.step());
    });
    element('mode').addEventListener('change', () => this.go());
    element('speed').addEventListener('input', () => {
      const speed = SPEEDS[Number(element<HTMLInputElement>('speed').value)]!;
      element<HTMLOutputElement>('speed-value').value = Number.isFinite(speed) ? `${speed}×` : 'max';
      void this.go(this.running);
    });
    addEventListener('resize', () => {
      this.view?.resize();
      this.curves.draw();
      this.microscope.draw();
    });
    document.addEventListener('keydown', (event) => {
      if (event.key !== ' ' || event.target !== document.body) return;
      event.preventDefault();
      void this.go(!this.running);
    });
  }

  private chooseTask(task: TaskId): void {
    if (task === 'Robot' && !this.settings.robot) {
      this.showSettings();
      this.files.askForRobot();
      return;
    }
    void this.restart({ task, knobs: defaultKnobs(task), robot: task === 'Robot' ? this.settings.robot : undefined });
  }

  /** A knob was turned: the session goes on with it, or begins anew where sizes changed. */
  private async turn(change: Partial<Settings['knobs']>): Promise<void> {
    const knobs = { ...this.settings.knobs, ...change };
    try {
      await this.trainer.set({ knobs });
      this.settings = { ...this.settings, knobs };
    } catch {
      await this.restart({ ...this.settings, knobs });
    }
  }

  private tell(progress: Progress): void {
    for (const episode of progress.episodes) this.best = Math.max(this.best, episode.return);
    this.curves.add(progress);
    this.microscope.refresh();
    element('steps').textContent = progress.step.toLocaleString('en');
    element('rate').textContent = progress.stepsPerSecond.toFixed(0);
    const mean = this.curves.recentReturn;
    element('return').textContent = mean === undefined ? '–' : scoreText(mean);
    element('score').toggleAttribute('data-solved', (mean ?? -Infinity) >= (SOLVED[this.settings.task] ?? Infinity));
  }

  private paint(): void {
    requestAnimationFrame(() => this.paint());
    const { frame } = this;
    if (!frame) return;
    this.frame = undefined;
    this.moved ??= frame.moment > 0 ? performance.now() : undefined;
    this.view?.update(frame.pose);
    this.view?.showHeld(frame.held);
    this.microscope.moments(frame.moment);
  }
}

function scoreText(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : short(Number(value.toPrecision(3)));
}
