/** How augmented transitions are numbered: in the order `[T, K, N]`, of T steps of N environments with K diffusion steps each. */
export class TransitionIndex {
  constructor(
    readonly numEnvs: number,
    readonly steps: number,
  ) {}

  /** The transition at diffusion step k of an environment step, which are numbered `[T, N]`. */
  of(outer: number, k: number): number {
    return (Math.floor(outer / this.numEnvs) * this.steps + k) * this.numEnvs + (outer % this.numEnvs);
  }

  /** Its diffusion step, generation order. */
  step(index: number): number {
    return Math.floor(index / this.numEnvs) % this.steps;
  }

  /** Its environment step, numbered `[T, N]`. */
  outer(index: number): number {
    return Math.floor(index / (this.numEnvs * this.steps)) * this.numEnvs + (index % this.numEnvs);
  }

  /** The latent that it starts from, numbered `[T, K + 1, N]`; it leads to the one `numEnvs` further on. */
  latent(index: number): number {
    const t = Math.floor(index / (this.numEnvs * this.steps));
    return index + t * this.numEnvs;
  }
}
