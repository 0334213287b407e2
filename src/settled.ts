import type { MaybePromise } from './state.js';

/** What all of them give, once each has given it or failed; then throws what the first that failed threw. */
export async function settled<T>(promises: readonly MaybePromise<T>[]): Promise<T[]> {
  const outcomes = await Promise.allSettled(promises);
  return outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
}

/** `use` of all that they give; where one of them or `use` fails, those that were made are closed before it throws. */
export async function allOrNone<T extends { close?(): unknown }, Result>(
  promises: readonly Promise<T>[],
  use: (made: T[]) => Result,
): Promise<Result> {
  try {
    return use(await settled(promises));
  } catch (error) {
    await Promise.allSettled(promises.map(async (promise) => (await promise)?.close?.()));
    throw error;
  }
}
