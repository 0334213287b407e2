import { asCount, readEntries, type StateDict, type Stateful, stateArray } from '../state.js';

/** Environment steps observed so far, all environments together. */
export class StepCounter implements Stateful {
  value = 0;

  state(): StateDict {
    return { value: stateArray(this.value) };
  }

  prepare(state: StateDict): () => void {
    const value = asCount(readEntries(state, { value: 1 }).value, 'value');
    return () => {
      this.value = value;
    };
  }
}
