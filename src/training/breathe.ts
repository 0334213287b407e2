/** Milliseconds of work after which others get their turn; a picture at 60 Hz comes every 16. */
const BREATH = 8;

let last = 0;

/**
 * Lets timers, messages, input and pictures have their turn if they have waited for some milliseconds. Waiting for promises
 * alone does not: a loop of them keeps the page, or the worker, to itself.
 */
export async function breathe(): Promise<void> {
  if (performance.now() - last < BREATH) return;
  await nextTask();
  last = performance.now();
}

/** Resolves in a task of its own, without the 4 ms that browsers add to timers that set each other. */
function nextTask(): Promise<void> {
  if (typeof setImmediate === 'function') return new Promise((resolve) => void setImmediate(resolve));
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
