import {
  type Agent,
  ArgumentError,
  CheckpointError,
  DiffrlError,
  decodeCheckpoint,
  Pendulum,
  stateArray,
  type TrainingCallback,
  TrainingRun,
} from 'diffrl';
import { type Page, serveTraining, Trainer, type TrainingSession } from 'diffrl/web';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TinyAgent } from '../training/tinyAgent.js';

interface Options {
  seed?: number;
  broken?: boolean;
  fails?: boolean;
  discount?: number;
  callbacks?: TrainingCallback[];
}

let made: (TrainingSession & { options: Options })[] = [];
let closed = 0;

const create = (options: Options, page: Page<{ frame: Float32Array }>) => {
  if (options.broken) throw new ArgumentError('create: broken must be false, got true.');
  const env = Object.assign(new Pendulum({ maxEpisodeSteps: 30 }), { close: () => void closed++ });
  if (options.fails) env.step = () => ({ ...Pendulum.prototype.step.call(env, new Float32Array(1)), reward: NaN });
  const agent: Agent = new TinyAgent(env, options.seed);
  const session = {
    agent,
    env,
    options,
    callbacks: [{ onStep: () => page.send('frame', Float32Array.of(1, 2)) }, ...(options.callbacks ?? [])],
    calls: { double: (x: number) => 2 * x, discount: () => options.discount },
  };
  made.push(session);
  return session;
};

let ports: MessageChannel;
beforeEach(() => {
  made = [];
  closed = 0;
  ports = new MessageChannel();
});
afterEach(() => {
  ports.port1.close();
  ports.port2.close();
});

async function connect(options: Options = {}): Promise<Trainer<typeof create>> {
  const trainer = new Trainer<typeof create>(ports.port1);
  serveTraining(create, ports.port2);
  await trainer.open(options);
  return trainer;
}

const until = (trainer: Trainer<typeof create>, step: number) =>
  new Promise<void>((resolve) => {
    const stop = trainer.on('progress', (progress) => {
      if (progress.step < step) return;
      stop();
      resolve();
    });
  });

describe('a trainer', () => {
  it('trains as a run of its own does, bit for bit', async () => {
    const trainer = await connect({ seed: 3 });
    await trainer.step(60);
    await trainer.step(40);
    const run = new TrainingRun({
      agent: new TinyAgent(new Pendulum(), 3),
      env: new Pendulum({ maxEpisodeSteps: 30 }),
    });
    for (let i = 0; i < 100; i++) await run.advance();
    expect(await made[0]!.agent.state()).toEqual(await run.agent.state());
  });

  it('starts, reports, pauses', async () => {
    const trainer = await connect();
    const frames: Float32Array[] = [];
    trainer.on('frame', (frame) => frames.push(frame));
    let episodes = 0;
    trainer.on('progress', (progress) => {
      episodes += progress.episodes.length;
    });
    await trainer.start();
    await until(trainer, 200);
    const { step, running, episodes: last } = await trainer.pause();
    expect(running).toBe(false);
    expect(step).toBeGreaterThanOrEqual(200);
    expect(episodes + last.length).toBe(Math.floor(step / 30));
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect((await trainer.pause()).step).toBe(step);
    expect(frames).toHaveLength(step);
  });

  it('keeps to a speed', async () => {
    const trainer = await connect();
    await trainer.start({ stepsPerSecond: 50 });
    await new Promise((resolve) => setTimeout(resolve, 400));
    const { step } = await trainer.pause();
    expect(step).toBeGreaterThan(3);
    expect(step).toBeLessThan(26);
  });

  it('shows what was learned without leaving a trace', async () => {
    const trainer = await connect({ seed: 1 });
    await trainer.step(50);
    const before = await trainer.snapshot();
    const shown = new Promise((resolve) =>
      trainer.on('progress', ({ episodes }) => episodes.length && resolve(episodes.slice(0, 1))),
    );
    await trainer.start({ learn: false });
    expect(await shown).toMatchObject([{ length: 30, step: 50 }]);
    await trainer.pause();
    expect(Buffer.from(await trainer.snapshot())).toEqual(Buffer.from(before));
  });

  it('changes options of a running training, keeps what it has learned, and refuses what does not fit', async () => {
    const trainer = await connect({ seed: 2, discount: 0.9 });
    await trainer.step(40);
    const before = await trainer.snapshot();
    await trainer.set({ discount: 0.5 });
    expect(await trainer.call('discount')).toBe(0.5);
    expect(made[1]!.options).toEqual({ seed: 2, discount: 0.5 });
    expect(Buffer.from(await trainer.snapshot())).toEqual(Buffer.from(before));
    expect(closed).toBe(1);
    await expect(trainer.set({ broken: true })).rejects.toThrow(ArgumentError);
    expect(await trainer.call('discount')).toBe(0.5);
  });

  it('loads a checkpoint of another run and goes on bit for bit', async () => {
    const trainer = await connect({ seed: 2 });
    await trainer.step(45);
    const saved = await trainer.snapshot();
    await trainer.step(20);
    const expected = await trainer.snapshot();
    await trainer.restart({ seed: 9 });
    await expect(trainer.load(saved.slice(0, 200))).rejects.toThrow(CheckpointError);
    await trainer.load(saved);
    await trainer.step(20);
    expect(Buffer.from(await trainer.snapshot())).toEqual(Buffer.from(expected));
    const observation = Float32Array.of(1, 0, 0.5);
    const { actions: own } = await made[1]!.agent.act(observation, { explore: false });
    expect(await trainer.act(observation, { explore: false })).toEqual(own);
  });

  it('passes errors on as what they are', async () => {
    await expect(connect({ broken: true })).rejects.toThrow(ArgumentError);
    ports = new MessageChannel();
    const trainer = await connect({ fails: true });
    await expect(trainer.step(3)).rejects.toThrow(/reward must be a finite number/);
    const failed = new Promise<Error>((resolve) => trainer.on('error', resolve));
    await trainer.start();
    expect(await failed).toBeInstanceOf(DiffrlError);
    expect((await trainer.pause()).running).toBe(false);
    await expect(trainer.call('triple' as never, ...([] as never))).rejects.toThrow(
      /no call 'triple'; the session has \['double'/,
    );
    expect(await trainer.call('double', 4)).toBe(8);
    await trainer.close();
    await expect(trainer.step()).rejects.toThrow(/was closed/);
    expect(closed).toBe(1);
  });

  it('changes a slow pace at once', async () => {
    const trainer = await connect();
    await trainer.start({ stepsPerSecond: 0.01 });
    await new Promise((resolve) => setTimeout(resolve, 50));
    await trainer.start();
    await until(trainer, 50);
    await trainer.start({ stepsPerSecond: 0.01 });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await trainer.pause()).running).toBe(false);
    await trainer.start();
    await until(trainer, 100);
  });

  it('ends a worker whose script fails, and asks it nothing more', async () => {
    let fail = (_: { message: string }) => {};
    let terminated = 0;
    const trainer = new Trainer({
      postMessage: () => {},
      addEventListener: (type, listener) => {
        if (type === 'error') fail = listener;
      },
      removeEventListener: () => {},
      terminate: () => void terminated++,
    });
    const opened = trainer.open({});
    fail({ message: 'boom' });
    await expect(opened).rejects.toThrow('The worker failed: boom.');
    await expect(trainer.act(new Float32Array(3))).rejects.toThrow('The worker failed: boom.');
    await trainer.close();
    expect(terminated).toBe(1);
  });
});

describe('callbacks of a session', () => {
  // MessagePorts clone options, so these are handed over beside them.
  let heard: string[];
  const hearing = (name: string): TrainingCallback => ({
    onStart: () => void heard.push(`${name} start`),
    onEnd: (_, outcome) => void heard.push(`${name} ${outcome}`),
  });
  beforeEach(() => {
    heard = [];
  });

  async function serve(callbacks: TrainingCallback[], options: Options = {}): Promise<Trainer<typeof create>> {
    const trainer = new Trainer<typeof create>(ports.port1);
    serveTraining((given: Options, page) => create({ ...given, callbacks }, page), ports.port2);
    await trainer.open(options);
    return trainer;
  }

  it('hear of a failure once, and of a new start', async () => {
    const trainer = await serve([hearing('a')], { fails: true });
    await expect(trainer.step()).rejects.toThrow(/reward/);
    expect(heard).toEqual(['a start', 'a failed']);
    await expect(trainer.step()).rejects.toThrow(/reward/);
    await trainer.close();
    expect(heard).toEqual(['a start', 'a failed', 'a start', 'a failed']);
  });

  it('all start before the first step, or none goes on', async () => {
    let full = true;
    const disk: TrainingCallback = {
      onStart: () => {
        if (full) throw new Error('disk full');
      },
    };
    const trainer = await serve([hearing('a'), disk, hearing('b')]);
    await expect(trainer.step()).rejects.toThrow('disk full');
    expect(heard).toEqual(['a start', 'a failed']);
    full = false;
    expect((await trainer.step()).step).toBe(1);
    expect(heard.slice(2)).toEqual(['a start', 'b start']);
  });

  it('have what they remember in snapshots', async () => {
    const state = { v: stateArray(Float32Array.of(2)) };
    const part = { state: async () => state, prepare: () => () => {} };
    const trainer = await serve([{ parts: { mine: part } }, { parts: { mine: part } }]);
    await trainer.step();
    const { training } = await decodeCheckpoint(await trainer.snapshot(), made[0]!.agent.kind);
    expect(Object.keys(training!).filter((name) => name.startsWith('parts/'))).toEqual([
      'parts/mine/v',
      'parts/mine-2/v',
    ]);
  });

  it('cannot keep a session from being freed', async () => {
    const trainer = await serve([
      {
        onEnd: () => {
          throw new Error('quota exceeded');
        },
      },
    ]);
    await trainer.step();
    await expect(trainer.restart()).rejects.toThrow('quota exceeded');
    expect(closed).toBe(1);
    await trainer.step();
    await expect(trainer.close()).rejects.toThrow('quota exceeded');
    expect(closed).toBe(2);
    await expect(trainer.step()).rejects.toThrow(/was closed/);
  });
});
