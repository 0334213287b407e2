import { decodeCheckpoint } from 'diffrl';
import { storedCheckpoint, Trainer } from 'diffrl/web';
import type { Create } from './worker.js';

/** Trains a little in a worker and tells what came of it. */
export async function trainInWorker(worker: Worker, paths?: { wasm: string; mjs: string }) {
  const trainer = new Trainer<Create>(worker);
  await trainer.open({ seed: 1, paths });
  const { step, metrics, episodes } = await trainer.step(40);
  const stored = await decodeCheckpoint((await storedCheckpoint('bundled'))!);
  const actions = Array.from(await trainer.act(Float32Array.of(1, 0, 0), { explore: false }));
  await trainer.restart({ seed: 1 });
  const backend = await trainer.call('backend');
  await trainer.close();
  return { step, metrics, episodes: episodes.length, kind: stored.kind, actions, backend };
}
