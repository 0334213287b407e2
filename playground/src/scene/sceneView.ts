import type { Held, SceneDescription } from 'diffrl/mujoco';
import { PerspectiveCamera, Scene, Timer, WebGLRenderer } from 'three';
import { FollowCamera } from './followCamera.js';
import { partObjects } from './parts.js';
import { PullControl, type PullMessage } from './pullControl.js';
import { Quality } from './quality.js';
import { SmoothPose } from './smoothPose.js';
import { Spring } from './spring.js';
import { Stage } from './stage.js';
import { TendonLines } from './tendonLines.js';

export type { PullMessage } from './pullControl.js';

/**
 * Draws a scene into an element of the page, with soft shadows, a camera that follows, and a hand: a drag with the mouse
 * or a finger on a body pulls at it; anywhere else it turns the camera, wheel and pinch zoom.
 *
 * @example
 * ```ts
 * const view = new SceneView(container, await worker.scene());
 * view.onPull = (pull) => worker.pull(pull);
 * worker.onFrame = (pose, held) => { view.update(pose); view.showHeld(held); };
 * ```
 */
export class SceneView {
  /** Hears of what the pointer pulls at; the receiver hands it to a `Hand`. */
  onPull?: (pull: PullMessage) => void;
  private readonly renderer: WebGLRenderer;
  private readonly scene = new Scene();
  private readonly camera = new PerspectiveCamera(30, 1, 0.01, 1000);
  private readonly timer = new Timer();
  private readonly quality: Quality;
  private readonly stage: Stage;
  private readonly objects: ReturnType<typeof partObjects>;
  private readonly lines: TendonLines;
  private readonly spring: Spring;
  private readonly follow: FollowCamera;
  private readonly pull: PullControl;
  private readonly pose: SmoothPose;
  private readonly observer: ResizeObserver;
  private held: Held | undefined;

  /** @throws Error where the browser has no WebGL 2 */
  constructor(
    private readonly container: HTMLElement,
    description: SceneDescription,
  ) {
    this.renderer = new WebGLRenderer({ antialias: true, alpha: true, powerPreference: 'high-performance' });
    this.quality = new Quality(this.renderer);
    container.toggleAttribute('data-plain', this.quality.isPlain);
    const { domElement } = this.renderer;
    domElement.style.touchAction = 'none';
    container.append(domElement);
    this.camera.up.set(0, 0, 1);
    const { view } = description;
    this.stage = new Stage(this.renderer, this.scene, description, this.quality.isPlain);
    this.objects = partObjects(description, this.stage.ground, this.quality.isPlain);
    this.lines = new TendonLines(description);
    this.spring = new Spring(view.span);
    this.scene.add(...this.objects.meshes, this.lines.object, this.spring.object);
    this.pose = new SmoothPose(description);
    this.pull = new PullControl(domElement, this.camera, this.objects.meshes, (pull) => this.onPull?.(pull));
    this.follow = new FollowCamera(this.camera, domElement, view);
    this.pull.onHold = (isHolding) => this.follow.enable(!isHolding);
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(container);
    this.resize();
    this.renderer.setAnimationLoop(() => this.draw());
  }

  /** Shows a pose as `readPose` gives it. The array is copied. */
  update(pose: Float32Array): void {
    this.pose.aimAt(pose);
  }

  /** Shows the spring of a pull that is under way, or none. */
  showHeld(held?: Held): void {
    this.held = held;
  }

  /** Light on dark, or dark on light; the page's own background shines through. */
  theme(dark: boolean): void {
    this.stage.theme(dark);
    this.spring.theme(dark);
  }

  /** Fits the picture to its element; done by itself when the element changes. */
  resize(): void {
    const { clientWidth: width, clientHeight: height } = this.container;
    if (width === 0 || height === 0) return;
    this.renderer.setPixelRatio(this.quality.pixelRatio);
    this.renderer.setSize(width, height);
    this.follow.resize(width / height);
  }

  /** Where on the page the middle of a part is drawn, px. */
  placeOf(part: number): { x: number; y: number } {
    const { x, y } = this.objects.meshes[part]!.position.clone().project(this.camera);
    const { left, top, width, height } = this.renderer.domElement.getBoundingClientRect();
    return { x: left + ((x + 1) / 2) * width, y: top + ((1 - y) / 2) * height };
  }

  /** Frees the graphics memory and leaves the element empty. */
  dispose(): void {
    this.renderer.setAnimationLoop(null);
    this.observer.disconnect();
    this.pull.dispose();
    this.follow.dispose();
    this.scene.traverse((object) => {
      const { geometry, material } = object as { geometry?: { dispose(): void }; material?: { dispose(): void } };
      geometry?.dispose();
      material?.dispose();
    });
    this.stage.dispose();
    this.renderer.dispose();
    this.renderer.domElement.remove();
  }

  /** Redraws with less; materials are made anew without what was left out. */
  private simplify(): void {
    this.resize();
    this.scene.traverse((object) => {
      const { material } = object as { material?: { needsUpdate: boolean } };
      if (material) material.needsUpdate = true;
    });
  }

  private draw(): void {
    if (!this.quality.isReady) return;
    this.timer.update();
    const seconds = this.timer.getDelta();
    const pose = this.pose.advance(seconds);
    if (!pose) return;
    this.objects.place(pose);
    this.lines.place(pose);
    this.follow.advance(pose, seconds);
    this.pull.refresh();
    this.spring.show(this.held, this.pull.target);
    this.stage.centreOn(this.follow.target, pose);
    this.renderer.render(this.scene, this.camera);
    if (this.quality.note()) this.simplify();
  }
}
