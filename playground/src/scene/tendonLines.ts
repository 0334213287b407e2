import type { SceneDescription } from 'diffrl/mujoco';
import { Color, CylinderGeometry, Group, Mesh, MeshStandardMaterial, Vector3 } from 'three';

/** Tendons as thin rods from point to point. */
export class TendonLines {
  readonly object = new Group();
  private readonly segments: { readonly rod: Mesh; readonly at: number }[] = [];
  private readonly from = new Vector3();
  private readonly to = new Vector3();

  constructor({ parts, lines, view }: SceneDescription) {
    let at = 7 * parts.length;
    for (const { points, color, width } of lines) {
      const radius = Math.max(width, 0.002 * view.span);
      const geometry = new CylinderGeometry(radius, radius, 1, 10).rotateX(Math.PI / 2);
      const rgb = color as [number, number, number];
      const material = new MeshStandardMaterial({ color: new Color().setRGB(...rgb, 'srgb'), roughness: 0.7 });
      for (let i = 1; i < points; i++) {
        const rod = new Mesh(geometry, material);
        rod.castShadow = true;
        this.object.add(rod);
        this.segments.push({ rod, at: at + 3 * (i - 1) });
      }
      at += 3 * points;
    }
  }

  place(pose: Float32Array): void {
    for (const { rod, at } of this.segments) {
      this.from.fromArray(pose, at);
      this.to.fromArray(pose, at + 3);
      const length = this.from.distanceTo(this.to);
      rod.visible = length > 1e-6;
      if (!rod.visible) continue;
      rod.position.lerpVectors(this.from, this.to, 0.5);
      rod.scale.z = length;
      rod.lookAt(this.to);
    }
  }
}
