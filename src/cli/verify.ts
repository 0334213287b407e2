import { verifyRun } from '../runs/verify.js';
import { progressBar } from '../training/callbacks/progressBar.js';
import { INTERRUPTED, interruption } from './interruption.js';

/** Repeats a run and prints how it compares. */
export async function verify(path: string): Promise<void> {
  const result = await verifyRun(path, { signal: interruption, callbacks: [progressBar()] });
  if (!result) {
    process.exitCode = INTERRUPTED;
    console.log('Interrupted; the repetition begins anew with the next call.');
    return;
  }
  const { step, arrays, differing, evaluations, digits, changes } = result;
  for (const change of changes) console.log(`Changed since: ${change}.`);
  if (!differing.length) {
    console.log(`Repeated to step ${step}: all ${arrays} arrays of the checkpoint agree, byte for byte.`);
    return;
  }
  process.exitCode = 1;
  console.log(
    `Repeated to step ${step}: ${differing.length} of ${arrays} arrays differ (${differing.slice(0, 3).join(', ')} ...).`,
  );
  if (evaluations) console.log(`The returns of ${evaluations} evaluations agree to ${digits} digits.`);
}
