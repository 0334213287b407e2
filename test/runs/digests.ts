import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunFolder } from 'diffrl/node';

/** Digests of the files of a run that must not depend on interruptions. */
export async function digests(run: RunFolder): Promise<Record<string, string>> {
  const files = ['evaluations.csv', 'curve.svg'];
  for (const checkpoint of ['latest', 'best']) {
    files.push(...(await readdir(run.file(checkpoint))).map((name) => join(checkpoint, name)));
  }
  const digest = async (name: string) =>
    createHash('sha256')
      .update(await readFile(run.file(name)))
      .digest('hex');
  return Object.fromEntries(await Promise.all(files.map(async (name) => [name, await digest(name)])));
}
