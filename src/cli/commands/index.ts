import type { Command } from 'commander';
import { addAgents } from './agents.js';
import { addCheck } from './check.js';
import { addCompare } from './compare.js';
import { addEnvs } from './envs.js';
import { addEvaluate } from './evaluate.js';
import { addExport } from './export.js';
import { addFilm } from './film.js';
import { addPlot } from './plot.js';
import { addResume } from './resume.js';
import { addServeEnv } from './serveEnv.js';
import { addSweep } from './sweep.js';
import { addTrain } from './train.js';
import { addVerify } from './verify.js';
import { addWatch } from './watch.js';
import { addWork } from './work.js';

/** Adds all commands in the order of the help; what each needs is loaded when it is called. */
export function addCommands(program: Command): void {
  const training = [addTrain, addResume, addSweep, addWatch];
  const results = [addEvaluate, addCompare, addPlot, addFilm, addExport, addVerify];
  const lists = [addEnvs, addAgents, addCheck, addServeEnv];
  for (const add of [...training, ...results, ...lists, addWork]) add(program);
}
