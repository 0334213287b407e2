import { requireEntry, type StateDict, type Stateful, stateArray } from '../state.js';

/** Environment steps observed so far, all environments together. */
export class StepCounter implements Stateful {
  value = 0;

  state(): StateDict {
    return { value: stateArray(this.value) };
  }

  loadState(state: StateDict): void {
    this.value = requireEntry(state, 'value', 1)[0] as number;
  }
}
