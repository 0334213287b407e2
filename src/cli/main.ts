#!/usr/bin/env node
/** The program `diffrl`. */
import { Command, CommanderError } from 'commander';
import { listenForSignals } from './interruption.js';
import { describeError } from './print.js';

listenForSignals();
main().then(
  (code) => process.exit(code),
  (error) => {
    console.error(describeError(error));
    process.exit(1);
  },
);

async function main(): Promise<number> {
  const { addCommands } = await import('./commands/index.js');
  const program = new Command('diffrl')
    .description('Reinforcement learning with diffusion policies: one run, or a thousand.')
    .helpOption('-h, --help', 'show help; diffrl help COMMAND for one command')
    .showSuggestionAfterError()
    .configureHelp({ sortSubcommands: false })
    .addHelpText('after', EXAMPLES)
    .exitOverride();
  addCommands(program);
  try {
    await program.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode;
    throw error;
  }
  return Number(process.exitCode ?? 0);
}

const EXAMPLES = `
Three commands to a figure:
  diffrl train --agent dime --env Pendulum --seeds 0..2 --steps 20000
  diffrl train --agent sdac --env Pendulum --seeds 0..2 --steps 20000
  diffrl compare runs --svg comparison.svg

An environment of your own, a class or a function that makes one:
  diffrl check ./boat.ts#Boat
  diffrl train --agent dime --env ./boat.ts#Boat --steps 20000

Many runs, here or on a cluster, which go on after any interruption:
  diffrl sweep study.yaml
  diffrl sweep study.yaml --on slurm

Exit status: 0 complete, 75 interrupted and saved, 1 failed.
`;
