import type { Held } from 'diffrl/mujoco';
import { CylinderGeometry, Group, Mesh, MeshBasicMaterial, SphereGeometry, Vector3 } from 'three';

/** The line from where a body is held to where it is pulled, with a bead at each end. */
export class Spring {
  readonly object = new Group();
  private readonly material = new MeshBasicMaterial({ transparent: true, opacity: 0.9, depthTest: false });
  private readonly rod: Mesh;
  private readonly beads: readonly [Mesh, Mesh];
  private readonly to = new Vector3();
  private readonly from = new Vector3();

  /** @param span metres of the picture's height; the line is as thick on all scenes */
  constructor(span: number) {
    const radius = 0.0035 * span;
    const bead = (size: number) => new Mesh(new SphereGeometry(size * radius, 24, 16), this.material);
    this.rod = new Mesh(new CylinderGeometry(radius, radius, 1, 12).rotateX(Math.PI / 2), this.material);
    this.beads = [bead(2.6), bead(3.8)];
    this.object.add(this.rod, ...this.beads);
    for (const child of this.object.children) child.renderOrder = 10;
    this.object.visible = false;
  }

  theme(dark: boolean): void {
    this.material.color.set(dark ? '#ffab5e' : '#f08a34');
  }

  /** @param pointer where the pointer is by now; the held body's own target comes a frame later */
  show(held: Held | undefined, pointer: Vector3 | undefined): void {
    this.object.visible = held !== undefined;
    if (!held) return;
    this.from.set(...held.from);
    this.to.copy(pointer ?? this.to.set(...held.to));
    const length = this.from.distanceTo(this.to);
    this.beads[0].position.copy(this.from);
    this.beads[1].position.copy(this.to);
    this.rod.position.lerpVectors(this.from, this.to, 0.5);
    this.rod.scale.set(1, 1, Math.max(length, 1e-6));
    if (length > 1e-6) this.rod.lookAt(this.to);
  }
}
