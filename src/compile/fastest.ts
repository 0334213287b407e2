import type { RuntimeArray } from './arrays.js';
import type { Executable } from './executable.js';

const RUNS = 3;

/** The one of several executables of a function that takes the least time for `inputs`; the others are released. */
export async function fastest(
  candidates: readonly Executable[],
  inputs: readonly RuntimeArray[],
  name: string,
): Promise<Executable> {
  const times: { executable: Executable; milliseconds: number }[] = [];
  for (const executable of candidates) times.push({ executable, milliseconds: await shortestRun(executable, inputs) });
  const [best, ...others] = times.sort((a, b) => a.milliseconds - b.milliseconds);
  for (const { executable } of others) await executable.release();
  const describe = ({ executable, milliseconds }: (typeof times)[number]) =>
    `${milliseconds.toPrecision(3)} ms on the ${executable.device}`;
  const reason = others.length > 0 ? times.map(describe).join(', ') : 'there is no graphics card that works';
  console.info(`diffrl: ${name} runs on the ${best!.executable.device}: ${reason}.`);
  return best!.executable;
}

/** Milliseconds, after a first run that makes everything ready. */
async function shortestRun(executable: Executable, inputs: readonly RuntimeArray[]): Promise<number> {
  let shortest = Infinity;
  for (let i = 0; i <= RUNS; i++) {
    const start = performance.now();
    await executable.rehearse(inputs);
    if (i > 0) shortest = Math.min(shortest, performance.now() - start);
  }
  return shortest;
}
