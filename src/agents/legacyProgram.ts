import type * as tf from '@tensorflow/tfjs-core';
import type { StateArray } from '../state.js';
import { selectCompiler as select } from './program.js';

export type Arrays = Record<string, StateArray>;
export interface Program<In extends string, Out extends string> {
  (inputs: Record<In, StateArray>): Promise<Record<Out, Float32Array>>;
  dispose(): void;
}
export type Compiler = <In extends string, Out extends string>(
  program: (inputs: Record<In, tf.Tensor>) => Record<Out, tf.Tensor>,
) => Program<In, Out>;
export const selectCompiler = select as unknown as (compile?: Parameters<typeof select>[0]) => Promise<Compiler>;
