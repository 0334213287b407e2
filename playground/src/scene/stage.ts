import type { SceneDescription } from 'diffrl/mujoco';
import {
  Color,
  DirectionalLight,
  HemisphereLight,
  Mesh,
  NeutralToneMapping,
  PCFShadowMap,
  PlaneGeometry,
  PMREMGenerator,
  type Scene,
  ShaderMaterial,
  ShadowMaterial,
  type Texture,
  type Vector3,
  type WebGLRenderer,
} from 'three';
import { RoomEnvironment } from 'three/addons/environments/RoomEnvironment.js';

/** What differs between the page's themes. */
const THEMES = {
  dark: { ground: '#232c42', line: '#c3cdf0', lines: 0.13, shadow: 0.55, sky: '#aebcff', soil: '#3a2c24', room: 0.42 },
  light: { ground: '#ffffff', line: '#39446b', lines: 0.17, shadow: 0.24, sky: '#ffffff', soil: '#cdbfae', room: 0.5 },
} as const;

/** Light, and a ground that fades into the page's background; both go along with what is followed. */
export class Stage {
  /** Index of the part that is the floor, -1 if there is none; the stage draws it. */
  readonly ground: number;
  private readonly sun = new DirectionalLight('#fff1de', 2.4);
  private readonly sky = new HemisphereLight();
  private readonly floor: Mesh<PlaneGeometry, ShaderMaterial>;
  private readonly shade: Mesh<PlaneGeometry, ShadowMaterial>;
  private readonly room?: Texture;
  private readonly span: number;
  /** Height of the ground where the scene has none. */
  private readonly below: number;

  constructor(
    renderer: WebGLRenderer,
    private readonly scene: Scene,
    { parts, view }: SceneDescription,
    private readonly plain: boolean,
  ) {
    renderer.toneMapping = NeutralToneMapping;
    renderer.shadowMap.enabled = !plain;
    renderer.shadowMap.type = PCFShadowMap;
    this.span = view.span;
    this.ground = parts.findIndex(({ kind, body }) => kind === 'plane' && body === 0);
    this.below = view.center[2] - 0.47 * view.span;
    if (!plain) scene.environment = this.room = roomAround(renderer);
    this.floor = new Mesh(new PlaneGeometry(), floorMaterial(view.span));
    this.shade = new Mesh(new PlaneGeometry(), new ShadowMaterial({ depthWrite: false, transparent: true }));
    this.shade.receiveShadow = true;
    for (const [order, layer] of [this.floor, this.shade].entries()) {
      layer.scale.setScalar(14 * view.span);
      layer.renderOrder = order - 2;
    }
    this.setUpSun();
    scene.add(this.sky, this.sun, this.sun.target, this.floor, this.shade);
    this.theme(true);
  }

  theme(dark: boolean): void {
    const { ground, line, lines, shadow, sky, soil, room } = THEMES[dark ? 'dark' : 'light'];
    const { uniforms } = this.floor.material;
    uniforms.ground!.value.set(ground);
    uniforms.line!.value.set(line);
    uniforms.lines!.value = lines;
    this.shade.material.opacity = shadow;
    this.sky.color.set(sky);
    this.sky.groundColor.set(soil);
    this.sky.intensity = (dark ? 0.75 : 1) + (this.plain ? 1 : 0);
    this.scene.environmentIntensity = room;
  }

  /** Moves light and ground below `target`. */
  centreOn(target: Vector3, pose: Float32Array): void {
    const height = this.ground < 0 ? this.below : pose[7 * this.ground + 2]!;
    const { span, sun, floor, shade } = this;
    sun.target.position.copy(target);
    sun.position.set(target.x - 0.9 * span, target.y - 1.2 * span, target.z + 2.6 * span);
    for (const layer of [floor, shade]) layer.position.set(target.x, target.y, height);
    floor.material.uniforms.centre!.value.set(target.x, target.y);
  }

  dispose(): void {
    this.room?.dispose();
    this.sun.dispose();
  }

  private setUpSun(): void {
    const { shadow } = this.sun;
    const reach = 1.1 * this.span;
    this.sun.castShadow = true;
    shadow.mapSize.setScalar(2048);
    shadow.radius = 5;
    shadow.normalBias = 0.004 * this.span;
    shadow.bias = -0.0004;
    Object.assign(shadow.camera, { left: -reach, right: reach, top: reach, bottom: -reach });
    Object.assign(shadow.camera, { near: 0.1 * this.span, far: 6 * this.span });
  }
}

/** Soft light from all sides, as in a studio. */
function roomAround(renderer: WebGLRenderer): Texture {
  const generator = new PMREMGenerator(renderer);
  const { texture } = generator.fromScene(new RoomEnvironment(), 0.04);
  generator.dispose();
  return texture;
}

/** A pool of light with fine lines at round distances; nothing of it is left a few spans away. */
function floorMaterial(span: number): ShaderMaterial {
  return new ShaderMaterial({
    transparent: true,
    depthWrite: false,
    uniforms: {
      ground: { value: new Color() },
      line: { value: new Color() },
      lines: { value: 0 },
      centre: {
        value: {
          x: 0,
          y: 0,
          set(x: number, y: number) {
            this.x = x;
            this.y = y;
          },
        },
      },
      step: { value: roundStep(span / 5) },
      reach: { value: span },
    },
    vertexShader: /* glsl */ `
      varying vec2 at;
      void main() {
        vec4 world = modelMatrix * vec4(position, 1.0);
        at = world.xy;
        gl_Position = projectionMatrix * viewMatrix * world;
      }`,
    fragmentShader: /* glsl */ `
      varying vec2 at;
      uniform vec3 ground, line;
      uniform vec2 centre;
      uniform float lines, step, reach;
      float grid(float size) {
        vec2 cell = at / size;
        vec2 width = fwidth(cell);
        vec2 near = abs(fract(cell - 0.5) - 0.5) / max(width, 1e-6);
        vec2 lines = (1.0 - min(near, 1.0)) * (1.0 - smoothstep(0.25, 0.8, width));
        return max(lines.x, lines.y);
      }
      void main() {
        float away = distance(at, centre) / reach;
        float pool = exp(-0.55 * away * away);
        float lit = lines * max(0.55 * grid(step), grid(5.0 * step)) * exp(-0.16 * away * away);
        float alpha = 0.9 * pool + lit * (1.0 - 0.9 * pool);
        gl_FragColor = vec4(mix(ground, line, lit / max(alpha, 1e-4)), alpha);
        #include <colorspace_fragment>
      }`,
  });
}

/** 1, 2 or 5 times a power of ten, the nearest below. */
function roundStep(length: number): number {
  const unit = 10 ** Math.floor(Math.log10(length));
  return unit * ([5, 2].find((factor) => factor * unit <= length) ?? 1);
}
