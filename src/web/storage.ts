import { createStore, del, get, keys, set, type UseStore } from 'idb-keyval';
import { encodeCheckpoint } from '../checkpoint/archive.js';
import { requireInteger } from '../errors.js';
import type { TrainingCallback } from '../training/callback.js';

/** Keeps `checkpoint`, such as {@link Trainer.snapshot} gives, in the browser's IndexedDB under `name`. */
export function storeCheckpoint(name: string, checkpoint: Uint8Array): Promise<void> {
  return set(name, checkpoint, store());
}

/** What was kept under `name`, if anything. */
export function storedCheckpoint(name: string): Promise<Uint8Array | undefined> {
  return get(name, store());
}

/** The names under which something is kept. */
export function storedCheckpoints(): Promise<string[]> {
  return keys(store());
}

/** Forgets what was kept under `name`. */
export function removeCheckpoint(name: string): Promise<void> {
  return del(name, store());
}

/** Options of {@link browserCheckpoints}. */
export interface BrowserCheckpointsOptions {
  /** What to keep it under; the one before is replaced. */
  name: string;
  /** Environment steps between two checkpoints, default 10,000. */
  every?: number;
}

/** Keeps a checkpoint of the run in IndexedDB, now and then and at the end: `checkpoints` for a page or its worker. */
export function browserCheckpoints({ name, every = 10_000 }: BrowserCheckpointsOptions): TrainingCallback {
  requireInteger('browserCheckpoints', 'every', every, { min: 1 });
  return {
    async onStepEnd(run) {
      if (run.isDue(every)) await storeCheckpoint(name, await encodeCheckpoint(await run.checkpoint()));
    },
    async onEnd(run, outcome) {
      if (outcome !== 'failed') await storeCheckpoint(name, await encodeCheckpoint(await run.checkpoint()));
    },
  };
}

/** Offers `bytes` to the visitor as a file to keep. */
export function downloadFile(bytes: Uint8Array<ArrayBuffer>, name: string): void {
  const url = URL.createObjectURL(new Blob([bytes]));
  const link = Object.assign(document.createElement('a'), { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

let opened: UseStore | undefined;

function store(): UseStore {
  opened ??= createStore('diffrl', 'checkpoints');
  return opened;
}
