export { INTERRUPTED } from '../runs/interrupted.js';

const controller = new AbortController();

/** Aborts with the first SIGINT (Ctrl-C), SIGTERM (or the message of this name, from the pool) or SIGUSR1; `reason` is its name. */
export const interruption: AbortSignal = controller.signal;

/** Interrupts after so many seconds, as a signal would. */
export function interruptAfter(seconds: number): void {
  setTimeout(() => controller.abort('time limit'), 1000 * seconds).unref();
}

/** Listens from now on. A second Ctrl-C, a second after the first at least, ends the process at once. */
export function listenForSignals(): void {
  let first = 0;
  for (const name of ['SIGINT', 'SIGTERM', 'SIGUSR1'] as const) {
    process.on(name, () => {
      if (name === 'SIGINT' && first > 0 && Date.now() - first > 1000) process.exit(130);
      if (name === 'SIGINT' && first === 0 && process.stderr.isTTY) {
        console.error('\nSaving after the step that is under way; Ctrl-C again ends at once.');
      }
      first ||= Date.now();
      controller.abort(name);
    });
  }
  process.on('message', (message) => {
    if (message === 'SIGTERM') controller.abort(message);
  });
  process.channel?.unref();
}
