import { readCheckpoint } from '../checkpoint/checkpoint.js';
import type { Checkpoint } from '../checkpoint/checkpointFiles.js';
import { CheckpointError, requireObject } from '../errors.js';
import type { Agent } from './agent.js';
import { type RebuildableClass, type Rebuilding, rebuild } from './rebuild.js';
import { agentClasses } from './registry.js';

/**
 * The agent that a checkpoint was made of, whichever it is: networks, sampler, schedules, optimisers and replay as they
 * were. Nothing of its options needs to be told, but for what a file cannot hold.
 *
 * @param source the folder or `.zip` of a checkpoint (in Node), or a checkpoint that was read before
 * @throws CheckpointError if the checkpoint is damaged or of no agent of the library
 * @throws ArgumentError naming a piece that is not the library's own, or a function, that `rebuilding` does not give
 *
 * @example
 * ```ts
 * const agent = await loadAgent('runs/cheetah/best');
 * const { actions } = await agent.act(observation, { explore: false });
 * ```
 */
export async function loadAgent(source: string | Checkpoint, rebuilding?: Rebuilding): Promise<Agent> {
  const checkpoint = typeof source === 'string' ? await readCheckpoint(source) : source;
  requireObject('loadAgent', 'source', checkpoint);
  const classes = Object.values(agentClasses) as unknown as RebuildableClass<Agent>[];
  const Class = classes.find(({ kind }) => kind === checkpoint.kind);
  if (Class) return rebuild(Class, checkpoint, rebuilding);
  throw new CheckpointError(
    `loadAgent: the checkpoint belongs to a ${checkpoint.kind}, which is no agent of the library; call ${checkpoint.kind}.load(path).`,
  );
}
