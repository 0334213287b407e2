import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { hasBrowser, runInPage, whyNot } from '../browser.js';
import { fit } from './pageProgram.js';

describe.skipIf(!hasBrowser)(`in a page${whyNot}`, () => {
  it('onnxruntime-web trains as onnxruntime-node does', async () => {
    const runtime = dirname(createRequire(import.meta.url).resolve('onnxruntime-web/wasm'));
    const inPage = await runInPage<Awaited<ReturnType<typeof fit>>>(
      new URL('page.ts', import.meta.url),
      runtime,
      'fit',
    );
    const inNode = await fit({});
    tf.disposeVariables();
    expect(inNode.losses.at(-1)).toBeLessThan(0.5 * inNode.losses[0]!);
    inPage.losses.forEach((loss, i) => void expect(loss / inNode.losses[i]!).toBeCloseTo(1, 4));
    expect(inPage.weight).toBeCloseTo(inNode.weight, 4);
  });
});
