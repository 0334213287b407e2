import { existsSync } from 'node:fs';
import { openEngine } from '../../src/compile/index.js';
import { MissingPackageError } from '../../src/errors.js';

/** Chromium's Vulkan driver that computes on the processor. */
const SOFTWARE = '/usr/lib/chromium/vk_swiftshader_icd.json';

/** Why there is no graphics card to test with, not even one in software; empty if there is. */
export async function whyNoGpu(): Promise<string> {
  if (existsSync(SOFTWARE)) process.env.VK_ICD_FILENAMES ??= SOFTWARE;
  return openEngine({ device: 'gpu' }).then(
    () => '',
    (error: Error) => {
      if (!(error instanceof MissingPackageError)) throw error;
      return ` (skipped: ${error.message.split('\n')[1]?.trim()})`;
    },
  );
}
