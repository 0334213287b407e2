import type { Agent, Policy } from 'diffrl';

/** A policy from a file in the place of an agent: it acts and learns nothing. */
export class PolicyPlayer implements Agent {
  readonly kind = 'Policy';
  readonly config = {};
  readonly warmupSteps = 0;

  constructor(private readonly policy: Policy) {}

  get name() {
    return this.policy.metadata.agent;
  }

  get observationSpace() {
    return this.policy.observationSpace;
  }

  get actionSpace() {
    return this.policy.actionSpace;
  }

  async act(observations: Float32Array) {
    return { actions: await this.policy.act(observations) };
  }

  observe(): void {}

  async update() {
    return {};
  }

  state() {
    return {};
  }

  prepare() {
    return () => {};
  }

  async checkpoint() {
    return { kind: this.kind, config: this.config, state: {} };
  }

  async save(): Promise<void> {
    throw new Error('A policy file has nothing to save.');
  }

  dispose(): void {
    void this.policy.dispose();
  }
}
