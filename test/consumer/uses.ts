// What users write against the published types, checked by scripts/checkConsumer.ts under every way to resolve modules.
import {
  Box,
  DimeAgent,
  type DimeOptions,
  type Env,
  EulerMaruyamaSampler,
  evaluation,
  MarkovEnv,
  Pendulum,
  type StateDict,
  type TrainingCallback,
  train,
} from 'diffrl';
import { compile } from 'diffrl/compile';
import { makeMujoco } from 'diffrl/mujoco';
import { WorkerVectorEnv } from 'diffrl/node';

const env: Env = {
  observationSpace: Box.uniform(1),
  actionSpace: Box.uniform(1, -1, 1),
  reset: () => ({ observation: Float32Array.of(0), info: {} }),
  step: async () => ({ observation: Float32Array.of(0), reward: 0, terminated: false, truncated: true, info: {} }),
};

class Walk extends MarkovEnv<[number]> {
  override readonly id = 'Walk';
  override readonly observationSpace = Box.uniform(1);
  override readonly actionSpace = Box.uniform(1, -1, 1);
  constructor() {
    super({ stateSize: 1, maxEpisodeSteps: 5 });
  }
  protected override start(): [number] {
    return [0];
  }
  protected override advance([x]: [number], [a]: [number]) {
    return { state: [x + a] as [number], reward: 0, terminated: false };
  }
  protected override observe([x]: [number]): Float32Array {
    return Float32Array.of(x);
  }
}

/** Options that may be missing are handed on as they are. */
export async function run(options: Partial<DimeOptions>, resume?: string, signal?: AbortSignal): Promise<StateDict> {
  const agent = await DimeAgent.create({ env, sampler: new EulerMaruyamaSampler({ steps: 2 }), ...options });
  const log: TrainingCallback = { onEpisode: (run, episode) => console.log(run.step, episode.return) };
  const callbacks = [log, evaluation({ env: new Pendulum() })];
  const rest: { resume?: string; signal?: AbortSignal } = { ...(resume && { resume }), ...(signal && { signal }) };
  await train({ agent, env: new Walk(), steps: 1, callbacks, ...rest });
  return agent.state();
}

export const others = { compile, makeMujoco, WorkerVectorEnv };
