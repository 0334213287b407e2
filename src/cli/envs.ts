import { presetFor } from '../agents/presets.js';
import { agentClasses } from '../agents/registry.js';
import type { Env } from '../envs/env.js';
import { TimeLimit } from '../envs/wrappers/timeLimit.js';
import { Wrapper } from '../envs/wrappers/wrapper.js';
import { environmentIds, makeEnvironment } from '../runs/environment.js';
import type { Box } from '../spaces/box.js';
import { brief } from './print.js';

/** All ids, one a line. */
export async function listEnvironments(): Promise<string> {
  const ids = await environmentIds();
  return [
    ...ids,
    '',
    "'diffrl envs ID' describes one. Your own: ./file.ts#function, a function that returns an environment.",
  ].join('\n');
}

/** What one needs to know of an environment before one trains in it. */
export async function describeEnvironment(id: string): Promise<string> {
  const env = await makeEnvironment('diffrl envs', id);
  const name = env.id ?? id;
  const lines = [
    name,
    `  observations  ${spaceOf(env.observationSpace)}`,
    `  actions       ${spaceOf(env.actionSpace)}`,
    `  time limit    ${timeLimitOf(env) ?? 'none that a wrapper sets'}`,
    `  resumes       ${env.state ? 'bit for bit' : 'in a new episode (it has no state)'}`,
    '',
    'presets (diffrl train --preset small is the default):',
  ];
  for (const agent of Object.keys(agentClasses)) {
    for (const preset of ['small', 'paper'] as const) {
      const { lines: found, envs } = presetFor(agent, name, preset);
      if (!found.length) continue;
      lines.push(`  ${agent}, ${preset}${envs > 1 ? `, ${envs} environments` : ''}`);
      for (const { options, source } of found) lines.push(`    ${JSON.stringify(options)}`, `      ${source}`);
    }
  }
  await env.close?.();
  return lines.join('\n');
}

function spaceOf({ size, low, high }: Box): string {
  const isUniform = low.every((bound) => bound === low[0]) && high.every((bound) => bound === high[0]);
  const range = (i: number) => `[${brief(low[i])}, ${brief(high[i])}]`;
  return isUniform
    ? `${size} numbers in ${range(0)}`
    : `${size} numbers: ${Array.from(low, (_, i) => range(i)).join(' ')}`;
}

function timeLimitOf(env: Env): string | undefined {
  if (env instanceof TimeLimit) return `${env.maxEpisodeSteps} steps`;
  if (env instanceof Wrapper) return timeLimitOf(env.env);
  const own = (env as { maxEpisodeSteps?: number }).maxEpisodeSteps;
  return own === undefined ? undefined : `${own} steps`;
}
