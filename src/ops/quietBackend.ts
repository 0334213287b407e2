import * as tf from '@tensorflow/tfjs-core';

/**
 * Keeps the backends of TensorFlow.js from talking over the program that uses them: the cpu backend's advice to install
 * another one, and, in Node, two listeners that come with the wasm backend and answer an uncaught error by printing
 * tens of kilobytes of its code before the message.
 */
export function quietBackend(): void {
  if (tf.getBackend() === 'cpu') (tf.backend() as unknown as { firstUse: boolean }).firstUse = false;
  if (tf.getBackend() === 'wasm') removeTraps();
}

/** Emscripten's listeners do nothing but throw again what they are told; without them Node does so with a clean message. */
function removeTraps(): void {
  const { process } = globalThis;
  if (typeof process?.listeners !== 'function') return;
  for (const listener of process.listeners('uncaughtException')) {
    if (/instanceof ExitStatus/.test(String(listener))) process.removeListener('uncaughtException', listener);
  }
  for (const listener of process.listeners('unhandledRejection')) {
    if (/^function\s*\((\w+)\)\s*\{\s*throw \1;?\s*\}$/.test(String(listener))) {
      process.removeListener('unhandledRejection', listener);
    }
  }
}
