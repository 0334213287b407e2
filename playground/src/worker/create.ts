import { type Agent, type ExportableAgent, encodeOnnx, loadPolicy, Microscope } from 'diffrl';
import type { SceneDescription } from 'diffrl/mujoco';
import { type Page, setUpRuntime } from 'diffrl/web';
import mjs from 'onnxruntime-web/ort-wasm-simd-threaded.mjs?url';
import wasm from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url';
import * as ort from 'onnxruntime-web/wasm';
import type { Settings } from '../settings.js';
import { makeAgent } from './agents.js';
import { multiGoalWorld, pendulumWorld } from './handmadeWorlds.js';
import { mujocoWorld, robotWorld } from './mujocoWorld.js';
import { PolicyPlayer } from './policyPlayer.js';
import { type Held, type Pull, Watched, type World } from './world.js';

/** What the worker tells of without being asked. */
export interface Events {
  scene: SceneDescription;
  frame: Frame;
}

/** What there is to see now. */
export interface Frame {
  pose: Float32Array;
  held?: Held;
  /** Steps since the episode began. */
  moment: number;
}

/** Milliseconds between two frames. */
const FRAME = 15;
/** States of the episode that can be gone back to. */
const MEMORY = 1000;

const runtime = setUpRuntime(ort, { paths: { wasm, mjs } });

export type Create = typeof create;

/** Agent, environment and what the page can ask for, for the visitor's settings. */
export async function create(settings: Settings, page: Page<Events>) {
  const world = await makeWorld(settings);
  const episode = new Episode();
  let shown = 0;
  const env = new Watched(world.env, (observation, isReset) => {
    const pose = world.pose(observation);
    episode.add({ observation, pose }, isReset);
    if (performance.now() - shown < FRAME) return;
    shown = performance.now();
    page.send('frame', { pose, held: world.held, moment: episode.length - 1 });
  });
  const agent = settings.policy
    ? new PolicyPlayer(await loadPolicy(settings.policy, { runtime, seed: settings.seed }))
    : await makeAgent(settings, env, runtime);
  page.send('scene', world.scene);
  let lens: Microscope | null | undefined;
  return {
    agent,
    env,
    seed: settings.seed,
    close: () => lens?.dispose(),
    calls: {
      pull: (pull: Pull) => world.pull(pull),
      /** The pose of a moment of the episode. */
      recall: (moment: number) => episode.at(moment)?.pose,
      /** The policy in the present state, or at a moment of the episode. */
      microscope: async (moment = MEMORY, dimensions?: number[]) => {
        const state = episode.at(moment);
        lens ??= await Microscope.create(agent, { compile: { runtime }, samples: 192, resolution: 29 }).catch(
          () => null,
        );
        return state && lens ? lens.look(state.observation, { dimensions }) : undefined;
      },
      exportPolicy: () => exportPolicy(agent, settings),
      threads: () => ort.env.wasm.numThreads,
    },
  };
}

/** The policy as a file that says which task it is for; a robot's model goes with it. */
function exportPolicy(agent: Agent, { task, robot, policy }: Settings): Promise<Uint8Array> | Uint8Array {
  if (policy) return policy;
  const about = { task, mjcf: robot?.xml, settings: robot && { name: robot.name, reward: robot.reward } };
  return encodeOnnx(agent as Agent & ExportableAgent, { about });
}

function makeWorld({ task, robot }: Settings): Promise<World> | World {
  switch (task) {
    case 'Pendulum':
      return pendulumWorld();
    case 'MultiGoal':
      return multiGoalWorld();
    case 'Robot':
      if (!robot) throw new Error('Drop a model first.');
      return robotWorld(robot);
    default:
      return mujocoWorld(task);
  }
}

interface Moment {
  observation: Float32Array;
  pose: Float32Array;
}

/** The last states of the present episode. */
class Episode {
  private moments: Moment[] = [];

  add(moment: Moment, isReset: boolean): void {
    if (isReset) this.moments = [];
    this.moments.push({ ...moment, pose: moment.pose.slice() });
    if (this.moments.length > MEMORY) this.moments.shift();
  }

  get length(): number {
    return this.moments.length;
  }

  at(index: number): Moment | undefined {
    return this.moments[Math.min(index, this.moments.length - 1)];
  }
}
