import type { Command } from 'commander';
import { addAgents } from './agents.js';
import { addCheck } from './check.js';
import { addEnvs } from './envs.js';
import { addEvaluate } from './evaluate.js';
import { addExport } from './export.js';
import { addResume } from './resume.js';
import { addTrain } from './train.js';
import { addWork } from './work.js';

/** Adds all commands; what each needs is loaded when it is called. */
export function addCommands(program: Command): void {
  for (const add of [addTrain, addResume, addEvaluate, addExport, addEnvs, addAgents, addCheck, addWork]) add(program);
}
