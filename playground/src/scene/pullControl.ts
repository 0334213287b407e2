import { type Camera, type Mesh, Plane, Raycaster, Vector2, Vector3 } from 'three';

/** What the pointer does to a body; points are in the world. */
export type PullMessage =
  | { kind: 'grab'; body: number; point: [number, number, number] }
  | { kind: 'move'; target: [number, number, number] }
  | { kind: 'release' };

/** Pixels around a finger in which a body counts as touched. */
const FINGER = 18;

/** Takes hold of the body under the pointer and tells where it is pulled to, in the plane that faces the eye. */
export class PullControl {
  /** Hears when a hold begins and ends; the camera must not turn meanwhile. */
  onHold?: (isHolding: boolean) => void;
  /** Where the pointer pulls to; `undefined` while it holds nothing. */
  target: Vector3 | undefined;
  private pointer: number | undefined;
  private readonly at = new Vector2();
  private readonly anchor = new Vector3();
  private readonly caster = new Raycaster();
  private readonly plane = new Plane();
  private readonly abort = new AbortController();
  private hover: Vector2 | undefined;

  constructor(
    private readonly element: HTMLElement,
    private readonly camera: Camera,
    private readonly meshes: readonly Mesh[],
    private readonly tell: (pull: PullMessage) => void,
  ) {
    const { signal } = this.abort;
    element.addEventListener('pointerdown', (event) => this.grab(event), { signal });
    element.addEventListener('pointermove', (event) => this.move(event), { signal });
    for (const end of ['pointerup', 'pointercancel', 'lostpointercapture'] as const) {
      element.addEventListener(end, (event) => this.release(event), { signal });
    }
  }

  /** The camera may have moved on below a pointer that rests. */
  refresh(): void {
    if (this.pointer !== undefined) this.aim();
    else if (this.hover) {
      this.element.style.cursor = this.hit(this.hover, 0) ? 'grab' : '';
      this.hover = undefined;
    }
  }

  dispose(): void {
    this.abort.abort();
  }

  private grab(event: PointerEvent): void {
    if (this.pointer !== undefined || event.button !== 0) return;
    const hit = this.hit(this.place(event), event.pointerType === 'mouse' ? 0 : FINGER);
    if (!hit) return;
    this.pointer = event.pointerId;
    this.element.setPointerCapture(event.pointerId);
    this.element.style.cursor = 'grabbing';
    this.anchor.copy(hit.point);
    this.at.copy(this.place(event));
    this.onHold?.(true);
    this.tell({ kind: 'grab', body: hit.body, point: hit.point.toArray() });
    this.target = hit.point.clone();
  }

  private move(event: PointerEvent): void {
    if (event.pointerId === this.pointer) this.at.copy(this.place(event));
    else if (event.pointerType === 'mouse' && event.buttons === 0) this.hover = this.place(event);
  }

  private aim(): void {
    this.camera.getWorldDirection(this.plane.normal);
    this.plane.setFromNormalAndCoplanarPoint(this.plane.normal, this.anchor);
    this.caster.setFromCamera(this.at, this.camera);
    const target = this.caster.ray.intersectPlane(this.plane, new Vector3());
    if (!target || target.distanceTo(this.target!) < 1e-6) return;
    this.target = target;
    this.anchor.copy(target);
    this.tell({ kind: 'move', target: target.toArray() });
  }

  private release(event: PointerEvent): void {
    if (event.pointerId !== this.pointer) return;
    this.pointer = undefined;
    this.target = undefined;
    this.element.style.cursor = '';
    this.onHold?.(false);
    this.tell({ kind: 'release' });
  }

  /** The nearest body that can be pulled, unless scenery hides it; around the point, too, for thick fingers. */
  private hit(at: Vector2, pixels: number): { body: number; point: Vector3 } | undefined {
    const { clientWidth, clientHeight } = this.element;
    const ring = pixels > 0 ? Array.from({ length: 8 }, (_, i) => (i * Math.PI) / 4) : [];
    const offsets = [new Vector2(), ...ring.map((angle) => new Vector2(Math.cos(angle), Math.sin(angle)))];
    for (const offset of offsets) {
      const shifted = offset
        .multiplyScalar(2 * pixels)
        .divide(new Vector2(clientWidth, clientHeight))
        .add(at);
      this.caster.setFromCamera(shifted, this.camera);
      const first = this.caster.intersectObjects(
        this.meshes.filter(({ visible }) => visible),
        false,
      )[0];
      const body: number = first?.object.userData.body ?? 0;
      if (first && body > 0) return { body, point: first.point };
    }
    return undefined;
  }

  /** In three.js' device coordinates, [-1, 1]. */
  private place(event: PointerEvent): Vector2 {
    const { left, top, width, height } = this.element.getBoundingClientRect();
    return new Vector2((2 * (event.clientX - left)) / width - 1, 1 - (2 * (event.clientY - top)) / height);
  }
}
