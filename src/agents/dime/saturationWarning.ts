const THRESHOLD = 0.05;
const WARMUP = 500;
const MOMENTUM = 0.99;

/**
 * Watches how much of a categorical critic's target sits at the ends of its support. Returns beyond the support
 * cannot be told apart, which ruins whole runs without any error; so it is said once.
 */
export class SaturationWarning {
  private average = 0;
  private seen = 0;
  private said = false;

  watch(saturation: number): void {
    this.seen++;
    this.average += (1 - MOMENTUM) * (saturation - this.average);
    if (this.said || this.seen < WARMUP || this.average < THRESHOLD) return;
    this.said = true;
    const share = Math.round(100 * this.average);
    console.warn(
      `diffrl: ${share} % of the critic's target sits at the ends of its support, so it cannot tell returns beyond them apart. ` +
        'Widen `support` to the discounted returns of your task (presets: dimePresets), or scale the rewards down.',
    );
  }
}
