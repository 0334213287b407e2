/**
 * What saving a full replay costs: memory, bytes and time of a first checkpoint, and of one 10,000 transitions later.
 *
 * Usage: npx tsx bench/replay.ts [--size 1000000] [--observation 376] [--action 17]
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ReplayBuffer, readCheckpoint, writeCheckpoint } from 'diffrl';

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '1000000' },
    observation: { type: 'string', default: '376' },
    action: { type: 'string', default: '17' },
  },
});
const [size, observationSize, actionSize] = [values.size, values.observation, values.action].map(Number) as [
  number,
  number,
  number,
];
const folder = mkdtempSync(join(tmpdir(), 'diffrl-replay-'));
const replay = new ReplayBuffer({ observationSize, actionSize, capacity: size });
const megabytes = () => process.memoryUsage().rss / 1e6;
const steps = (count: number) => ({
  observations: new Float32Array(count * observationSize).map(() => Math.random()),
  actions: new Float32Array(count * actionSize),
  rewards: new Float32Array(count),
  nextObservations: new Float32Array(count * observationSize),
  terminated: new Uint8Array(count),
  truncated: new Uint8Array(count),
});

try {
  for (let filled = 0; filled < size; filled += 1000) replay.add(steps(Math.min(1000, size - filled)));
  console.log(
    `${size} transitions of ${observationSize} + ${actionSize} numbers: ${megabytes().toFixed(0)} MB resident`,
  );
  await save('first save');
  for (let i = 0; i < 10; i++) replay.add(steps(1000));
  await save('save after 10,000 more');
  const started = performance.now();
  replay.prepare((await readCheckpoint(folder)).state)();
  console.log(`read and loaded: ${seconds(started)}, ${megabytes().toFixed(0)} MB resident`);
} finally {
  rmSync(folder, { recursive: true });
}

async function save(name: string): Promise<void> {
  const before = new Set(readdirSync(folder));
  let peak = megabytes();
  const watch = setInterval(() => {
    peak = Math.max(peak, megabytes());
  }, 20);
  const started = performance.now();
  await writeCheckpoint(folder, { kind: 'Replay', config: {}, state: replay.snapshot() });
  clearInterval(watch);
  const written = readdirSync(folder).filter((file) => !before.has(file) || file === 'checkpoint.json');
  const bytes = written.reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
  console.log(
    `${name}: ${seconds(started)}, ${(bytes / 1e6).toFixed(1)} MB written, at most ${peak.toFixed(0)} MB resident`,
  );
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}
