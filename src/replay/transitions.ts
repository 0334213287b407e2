/** One step of N environments (N = 1 for a single one), as flat arrays, one environment after the other. */
export interface Transitions {
  /** `[N * observationSize]`, what was acted on. */
  observations: Float32Array;
  /** `[N * actionSize]` */
  actions: Float32Array;
  /** `[N]` */
  rewards: Float32Array;
  /** `[N * observationSize]`, the true successors. */
  nextObservations: Float32Array;
  /** `[N]`, 1 where the task itself ended. */
  terminated: Uint8Array;
  /** `[N]`, 1 where the episode was cut. */
  truncated: Uint8Array;
}

/** What agents are told of a step. */
export interface ObservedTransitions extends Transitions {
  /** `[N]`, 1 where the environment was lost and its numbers only stand in, so that nothing may be learned from them. */
  lost?: Uint8Array;
}
