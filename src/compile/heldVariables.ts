import * as tf from '@tensorflow/tfjs-core';
import { CompileError, callSite } from './errors.js';
import { type ConstantData, dataOf } from './graph.js';
import type { Recorder, VariableValue } from './recorder.js';
import { ownerOf } from './tracingBackend.js';

/**
 * Keeps the numbers of all variables alive while a function assigns symbolic values to them, and watches over new
 * variables and over reads of variables.
 */
export class HeldVariables {
  private readonly before = new Map<tf.Variable, object>();
  private readonly created = new Map<tf.Variable, ConstantData>();
  private readonly original: Pick<ReturnType<typeof tf.engine>, 'makeVariable' | 'read' | 'readSync'>;
  private readonly assign = tf.Variable.prototype.assign;

  constructor(private readonly recorder: Recorder) {
    const engine = tf.engine();
    for (const variable of Object.values(engine.registeredVariables)) {
      this.before.set(variable, variable.dataId);
      ownerOf(variable.dataId).incRef(variable.dataId);
    }
    const { makeVariable, read, readSync } = engine;
    this.original = { makeVariable, read, readSync };
    const held = new Set(this.before.values());
    engine.makeVariable = (...args) => this.create(makeVariable.apply(engine, args));
    engine.readSync = (dataId) => (held.has(dataId) ? recorder.rejectRead() : readSync.call(engine, dataId));
    const { assign } = this;
    tf.Variable.prototype.assign = function (value) {
      assign.call(this, value);
      recorder.assigned(this, value);
    };
    engine.read = (dataId) => (held.has(dataId) ? recorder.rejectRead() : read.call(engine, dataId));
  }

  /** Variables that hold another value than before. */
  writes(): VariableValue[] {
    const variables = [...this.before.keys(), ...this.created.keys()];
    return variables
      .filter((variable) => !variable.isDisposed && this.recorder.isAssigned(variable))
      .map((variable) => ({ variable, value: this.recorder.valueOf(variable) }));
  }

  /** Stops watching. */
  release(): void {
    Object.assign(tf.engine(), this.original);
    tf.Variable.prototype.assign = this.assign;
  }

  /** Gives all variables the numbers they had, or were created with. */
  restore(): void {
    const engine = tf.engine();
    for (const [variable, dataId] of this.before) {
      if (!variable.isDisposed && variable.dataId !== dataId) {
        engine.disposeTensor(variable);
        variable.dataId = dataId;
        engine.incRef(variable, null as unknown as tf.KernelBackend);
      }
      ownerOf(dataId).disposeData(dataId);
    }
    for (const [variable, numbers] of this.created) {
      if (variable.isDisposed) continue;
      const initial = tf.tensor(numbers as tf.TypedArray, variable.shape, variable.dtype);
      variable.assign(initial);
      initial.dispose();
    }
  }

  private create(variable: tf.Variable): tf.Variable {
    const { dataId, shape, dtype } = variable;
    const value = this.recorder.valueOf({ dataId, shape, dtype });
    if (!value.constant) {
      variable.dispose();
      throw new CompileError(
        `compile: variable '${variable.name}' is created with a value that depends on inputs, at ${callSite()}. ` +
          'Create variables outside of the compiled function, or with constants.',
      );
    }
    this.created.set(variable, dataOf(value));
    return variable;
  }
}
