import type { SceneDescription, SceneHeights, SceneMesh, ScenePart } from 'diffrl/mujoco';
import {
  BufferAttribute,
  BufferGeometry,
  CapsuleGeometry,
  Color,
  CylinderGeometry,
  type Material,
  Mesh,
  MeshLambertMaterial,
  MeshPhysicalMaterial,
  PlaneGeometry,
  SphereGeometry,
} from 'three';
import { RoundedBoxGeometry } from 'three/addons/geometries/RoundedBoxGeometry.js';
import { toCreasedNormals } from 'three/addons/utils/BufferGeometryUtils.js';

/** The meshes of a scene, in the order of its parts; `userData.body` is the body's index. */
export interface PartObjects {
  readonly meshes: Mesh[];
  place(pose: Float32Array): void;
}

/**
 * @param ground index of the plane that the stage draws itself, or -1
 * @param plain whether materials are to be cheap
 */
export function partObjects(description: SceneDescription, ground: number, plain: boolean): PartObjects {
  const shared = description.meshes.map(meshGeometry);
  const hills = description.heights.map(heightGeometry);
  const meshes = description.parts.map((part, i) => {
    const geometry = { mesh: shared, heightField: hills }[part.kind as string]?.[part.data ?? 0] ?? shape(part);
    const mesh = new Mesh(geometry, material(part, plain));
    mesh.castShadow = part.kind !== 'plane' && part.opacity > 0.5;
    mesh.receiveShadow = true;
    mesh.visible = i !== ground;
    mesh.userData.body = part.body;
    mesh.scale.setScalar(1 + 5e-4 * (i % 8)); // surfaces that coincide would flicker
    return mesh;
  });
  return {
    meshes,
    place(pose) {
      meshes.forEach((mesh, i) => {
        mesh.position.fromArray(pose, 7 * i);
        mesh.quaternion.fromArray(pose, 7 * i + 3);
      });
    },
  };
}

/** Like painted wood: matt, with a thin clear coat. */
function material({ color, opacity, kind }: ScenePart, plain: boolean): Material {
  const isScenery = kind === 'plane' || kind === 'heightField';
  const look = {
    color: new Color().setRGB(...(color as [number, number, number]), 'srgb'),
    opacity,
    transparent: opacity < 1,
    depthWrite: opacity > 0.5,
  };
  if (plain) return new MeshLambertMaterial(look);
  return new MeshPhysicalMaterial({
    ...look,
    roughness: isScenery ? 0.95 : 0.48,
    clearcoat: isScenery ? 0 : 0.35,
    clearcoatRoughness: 0.35,
  });
}

/** MuJoCo's shapes; its capsules and cylinders lie along z, those of three.js along y. */
function shape({ kind, size: [x, y, z] }: ScenePart): BufferGeometry {
  switch (kind) {
    case 'sphere':
      return new SphereGeometry(x, 48, 32);
    case 'capsule':
      return new CapsuleGeometry(x, 2 * y, 16, 40).rotateX(Math.PI / 2);
    case 'cylinder':
      return new CylinderGeometry(x, x, 2 * y, 64).rotateX(Math.PI / 2);
    case 'ellipsoid':
      return new SphereGeometry(1, 48, 32).scale(x, y, z);
    case 'box':
      return new RoundedBoxGeometry(2 * x, 2 * y, 2 * z, 4, 0.12 * Math.min(x, y, z));
    default:
      return new PlaneGeometry(2 * x || 1000, 2 * y || 1000);
  }
}

function meshGeometry({ vertices, faces }: SceneMesh): BufferGeometry {
  const geometry = new BufferGeometry();
  geometry.setAttribute('position', new BufferAttribute(vertices, 3));
  geometry.setIndex(new BufferAttribute(faces, 1));
  return toCreasedNormals(geometry, 0.6);
}

/** three.js counts rows from the largest y on. */
function heightGeometry({ rows, columns, size: [x, y, top], data }: SceneHeights): BufferGeometry {
  const geometry = new PlaneGeometry(2 * x, 2 * y, columns - 1, rows - 1);
  const position = geometry.getAttribute('position');
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      position.setZ((rows - 1 - row) * columns + column, top * data[row * columns + column]!);
    }
  }
  geometry.computeVertexNormals();
  return geometry;
}
