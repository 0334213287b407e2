import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import { DimeAgent, EulerMaruyamaSampler, Pendulum, useBestBackend } from 'diffrl';
import { browserCheckpoints, serveTraining, setUpRuntime } from 'diffrl/web';
import * as ort from 'onnxruntime-web/wasm';

export type Create = typeof create;

async function create({ seed, paths }: { seed: number; paths?: { wasm: string; mjs: string } }) {
  const env = new Pendulum({ maxEpisodeSteps: 20 });
  const agent = await DimeAgent.create({
    env,
    seed,
    compile: { runtime: setUpRuntime(ort, { paths }) },
    sampler: new EulerMaruyamaSampler({ steps: 2 }),
    criticHidden: [16],
    batchSize: 16,
    warmupSteps: 20,
  });
  const callbacks = [browserCheckpoints({ name: 'bundled', every: 30 })];
  return { agent, env, callbacks, calls: { backend: async () => (await useBestBackend()).name } };
}

serveTraining(create);
