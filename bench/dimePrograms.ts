/** DIME's programs, what benchmarks give them, and their graphs. */
import type * as tf from '@tensorflow/tfjs-core';
import { DimeAgent, type DimeOptions } from '../src/agents/dime/dimeAgent.js';
import type { Accept, Compiler, Program, TensorProgram } from '../src/agents/program.js';
import type { Node, Value } from '../src/compile/graph.js';
import { optimise } from '../src/compile/optimise.js';
import { type Trace, trace } from '../src/compile/trace.js';
import { EulerMaruyamaSampler } from '../src/diffusion/eulerMaruyama.js';
import { Rng } from '../src/rng/rng.js';
import { Box } from '../src/spaces/box.js';
import type { StateArray } from '../src/state.js';

export const BATCH = 256;
export const STEPS = 16;

export type Inputs = Record<string, StateArray>;
export type AnyProgram = TensorProgram<tf.NamedTensorMap, string>;

/** The three programs of an agent, in the order it makes them, and how they run. */
export class MeasuredAgent extends DimeAgent {
  constructor(
    options: DimeOptions,
    readonly programs: AnyProgram[],
    readonly runs: Program<tf.NamedTensorMap, string>[],
    compiler: Compiler,
  ) {
    super(DimeAgent, options, ((program: AnyProgram, accept?: Accept<string>) => {
      const run = compiler(program, accept);
      programs.push(program);
      runs.push(run);
      return run;
    }) as Compiler);
  }
}

export interface Size {
  observation: number;
  action: number;
  width: number;
}

export function createAgent({ observation, action, width }: Size, steps: number, how: Compiler): MeasuredAgent {
  const env = { observationSpace: Box.uniform(observation, -1, 1), actionSpace: Box.uniform(action, -1, 1) };
  const sampler = new EulerMaruyamaSampler({ steps });
  return new MeasuredAgent({ env, sampler, criticHidden: [width, width], bufferCapacity: 1 }, [], [], how);
}

export function inputsOf({ observation, action }: Size, steps: number): Record<string, Inputs> {
  const rng = Rng.fromSeed(0);
  const normal = (...shape: number[]) => ({ data: rng.normals(shape.reduce((a, b) => a * b)), shape });
  const act = (rows: number) => ({ observations: normal(rows, observation), noise: normal(steps + 1, rows, action) });
  const zeros = { data: new Uint8Array(BATCH), shape: [BATCH] };
  return {
    'act, 1 observation': act(1),
    'act, 64 observations': act(64),
    'critic update': {
      ...act(BATCH),
      actions: normal(BATCH, action),
      rewards: normal(BATCH),
      nextObservations: normal(BATCH, observation),
      terminated: zeros,
      truncated: zeros,
    },
    'actor update': act(BATCH),
  };
}

/** For agents whose programs are wanted, not run. */
export const idle = (() => Object.assign(() => {}, { dispose() {} })) as unknown as Compiler;

/** The programs by what they do, as places in {@link MeasuredAgent.programs}. */
export const PROGRAM_OF: Record<string, number> = {
  'act, 1 observation': 0,
  'act, 64 observations': 0,
  'critic update': 2,
  'actor update': 3,
};

/** Sizes from `observation/action/width`. */
export const sizeOf = (name: string): Size => {
  const [observation, action, width] = name.split('/').map(Number) as [number, number, number];
  return { observation, action, width };
};

/** A program's trace, what of it is wanted, and the operators that compute that. */
export function graphOf(program: AnyProgram, inputs: Inputs): { traced: Trace; outputs: Value[]; nodes: Node[] } {
  const names = Object.keys(inputs);
  const infos = names.map((name) => {
    const { data, shape } = inputs[name]!;
    return { dtype: data instanceof Uint8Array ? 'bool' : 'float32', shape } as const;
  });
  const traced = trace('bench', infos, (tensors) => program(Object.fromEntries(names.map((n, i) => [n, tensors[i]!]))));
  const outputs = [...Object.values(traced.result as object), ...traced.writes.map(({ value }) => value)] as Value[];
  return { traced, outputs, nodes: optimise(traced.builder.graph, outputs) };
}
