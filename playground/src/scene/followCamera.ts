import type { SceneLook } from 'diffrl/mujoco';
import { type PerspectiveCamera, Vector3 } from 'three';
import { OrbitControls } from 'three/addons/controls/OrbitControls.js';

/** Seconds in which the camera makes up two thirds of what the robot is ahead. */
const LAG = 0.12;

/** The least and the most that the eye looks down by itself, radians: a picture in space needs a little of both. */
const TILT = [0.2, 1.05] as const;

/** A camera that can be turned and zoomed, and goes along with the part that the scene names. */
export class FollowCamera {
  /** What it looks at. */
  readonly target: Vector3;
  private readonly controls: OrbitControls;
  private readonly rest: Vector3;
  private readonly wanted = new Vector3();

  constructor(
    private readonly camera: PerspectiveCamera,
    element: HTMLElement,
    private readonly view: SceneLook,
  ) {
    this.rest = new Vector3(...view.center);
    this.controls = new OrbitControls(camera, element);
    this.target = this.controls.target;
    this.target.copy(this.rest);
    Object.assign(this.controls, { enableDamping: true, dampingFactor: 0.12, enablePan: false, rotateSpeed: 0.7 });
    Object.assign(this.controls, { maxPolarAngle: Math.PI / 2 - 0.03, zoomSpeed: 0.8 });
  }

  /** Whether the pointer moves it. */
  enable(enabled: boolean): void {
    this.controls.enabled = enabled;
  }

  /** Keeps the direction; what was in the picture stays in it. */
  resize(aspect: number): void {
    const { camera, view, controls } = this;
    const isFirst = controls.minDistance === 0;
    const before = this.fit(camera.aspect);
    camera.aspect = aspect;
    const distance = this.fit(aspect);
    Object.assign(controls, { minDistance: 0.25 * distance, maxDistance: 5 * distance });
    if (isFirst) camera.position.copy(this.target).addScaledVector(direction(view.eye), distance);
    else
      camera.position
        .sub(this.target)
        .multiplyScalar(distance / before)
        .add(this.target);
    Object.assign(camera, { near: 0.01 * view.span, far: 60 * view.span });
    camera.updateProjectionMatrix();
    controls.update();
  }

  advance(pose: Float32Array, seconds: number): void {
    const { follow, anchor = [0, 0, 0], span } = this.view;
    this.wanted.copy(this.rest);
    if (follow !== undefined) {
      this.wanted.x += pose[7 * follow]! - anchor[0];
      this.wanted.y += pose[7 * follow + 1]! - anchor[1];
    }
    const way = this.wanted.sub(this.target);
    if (way.length() < span) way.multiplyScalar(1 - Math.exp(-seconds / LAG));
    this.target.add(way);
    this.camera.position.add(way);
    this.controls.update();
  }

  dispose(): void {
    this.controls.dispose();
  }

  /** The distance from which a picture half as wide again as high shows the whole view, also where it is narrow. */
  private fit(aspect: number): number {
    const half = Math.tan((this.camera.fov * Math.PI) / 360);
    return (0.54 * this.view.span * Math.max(1, 1.35 / aspect)) / half;
  }
}

/** Straight views from the side or from above are turned a little, so that there is depth to see. */
function direction([x, y, z]: readonly [number, number, number]): Vector3 {
  const tilt = Math.min(Math.max(Math.asin(z), TILT[0]), TILT[1]);
  const isStraight = Math.abs(z) < 0.01 || z > 0.99;
  const turn = Math.atan2(z > 0.99 ? -1 : y, z > 0.99 ? 0 : x) + (isStraight ? 0.3 : 0);
  return new Vector3(Math.cos(tilt) * Math.cos(turn), Math.cos(tilt) * Math.sin(turn), Math.sin(tilt));
}
