import { poseLength, type SceneDescription } from 'diffrl/mujoco';

/** Seconds in which two thirds of the way to a new pose are gone: smooth at 60 pictures a second, hardly late. */
const LAG = 0.025;

/** Poses come 20 to 50 times a second and pictures more often: what is shown glides from one to the next. */
export class SmoothPose {
  private shown: Float32Array | undefined;
  private aim: Float32Array | undefined;
  private readonly length: number;
  private readonly parts: number;
  /** A part that moves further between two poses was put there anew. */
  private readonly leap: number;

  constructor(description: SceneDescription) {
    this.length = poseLength(description);
    this.parts = description.parts.length;
    this.leap = 0.35 * description.view.span;
  }

  aimAt(pose: Float32Array): void {
    if (pose.length !== this.length) return; // the last pose of a scene that was left
    this.aim = pose.slice();
    if (!this.shown || this.hasLeapt(this.shown, this.aim)) this.shown = this.aim.slice();
  }

  /** The pose to draw, `seconds` after the last one; `undefined` before the first. */
  advance(seconds: number): Float32Array | undefined {
    const { shown, aim, parts } = this;
    if (!shown || !aim) return undefined;
    const share = 1 - Math.exp(-seconds / LAG);
    for (let part = 0; part < parts; part++) {
      approach(shown, aim, share, 7 * part, 7 * part + 3);
      turn(shown, aim, share, 7 * part + 3);
    }
    approach(shown, aim, share, 7 * parts, shown.length);
    return shown;
  }

  private hasLeapt(from: Float32Array, to: Float32Array): boolean {
    return Array.from({ length: this.parts }, (_, part) => 7 * part).some((at) => {
      return Math.hypot(to[at]! - from[at]!, to[at + 1]! - from[at + 1]!, to[at + 2]! - from[at + 2]!) > this.leap;
    });
  }
}

function approach(shown: Float32Array, aim: Float32Array, share: number, from: number, to: number): void {
  for (let i = from; i < to; i++) shown[i]! += share * (aim[i]! - shown[i]!);
}

/** The short way between unit quaternions; one and its negative are the same rotation. */
function turn(shown: Float32Array, aim: Float32Array, share: number, at: number): void {
  const indices = [at, at + 1, at + 2, at + 3];
  const sign = Math.sign(indices.reduce((sum, i) => sum + shown[i]! * aim[i]!, 0)) || 1;
  for (const i of indices) shown[i]! += share * (sign * aim[i]! - shown[i]!);
  const norm = Math.hypot(...indices.map((i) => shown[i]!)) || 1;
  for (const i of indices) shown[i]! /= norm;
}
