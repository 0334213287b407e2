import { NormaliseObservation, Pendulum, Rng, TimeLimit } from 'diffrl';
import { FrameRecorder, MujocoEnv, makeMujoco, mujocoIds, type RenderOptions, renderSvg } from 'diffrl/mujoco';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { requireWellFormed } from '../plots/wellFormed.js';

const open: { close(): unknown }[] = [];
afterEach(() => {
  for (const env of open.splice(0)) env.close();
});
const use = async <T extends { close(): unknown }>(env: Promise<T>): Promise<T> => {
  open.push(await env);
  return env;
};

/** A scene of resting things, and something unseen that an actuator can push. */
const scene = (world: string, rest = '') =>
  use(
    MujocoEnv.create({
      model: `<mujoco>${rest}
        <worldbody>${world}<body><joint name="unseen"/><geom size="9" group="3"/></body></worldbody>
        <actuator><motor joint="unseen"/></actuator></mujoco>`,
      frameSkip: 1,
      observe: ({ time }) => ({ time }),
      evaluate: () => ({ reward: 0 }),
    }),
  );

/** 100 pixels a metre; the origin lies in the middle, (150, 100). */
const plain: RenderOptions = { follow: false, center: [0, 0, 0], span: 2, width: 300, height: 200 };
const draw = async (world: string, options: RenderOptions = {}) => {
  const { content } = renderSvg(await scene(world), { ...plain, ...options });
  return content;
};
const numbers = (text: string) => (text.match(/-?[\d.]+/g) ?? []).map(Number);
/** The corners of each polygon, which has no arcs. */
const polygons = (svg: string) => [...svg.matchAll(/<path d="(M[^A"]*Z)" fill="#/g)].map(([, d]) => numbers(d!));
const fills = (svg: string) => [...svg.matchAll(/fill="(#\w{6})"/g)].map(([, fill]) => fill);

describe('renderSvg: geometry', () => {
  it('projects along y, x and z', async () => {
    const ball = '<geom size="0.1" pos="0.5 0.3 0.2"/>';
    expect(await draw(ball)).toContain('<circle cx="200" cy="80" r="10"');
    expect(await draw(ball, { from: 'front' })).toContain('<circle cx="180" cy="80" r="10"');
    expect(await draw(ball, { from: 'top' })).toContain('<circle cx="200" cy="70" r="10"');
    expect(await draw(ball, { from: [0, -7, 0], center: [0.5, 0, 0.2] })).toContain('cx="150" cy="100"');
  });

  it('draws a capsule as the hull of two discs', async () => {
    const svg = await draw('<geom type="capsule" fromto="-1 0 0 0 0 0.5" size="0.1"/>');
    const [, d] = svg.match(/<path d="(M[^"]*A[^"]*)"/)!;
    const [x0, y0, rx, ry, , , , x1, y1] = numbers(d!) as [number, number, number, number, ...number[]];
    expect([rx, ry]).toEqual([10, 10]);
    const ends = [
      [(x0 + x1!) / 2, (y0 + y1!) / 2],
      [50, 100],
      [150, 50],
    ];
    // the arc spans a diameter across the axis, around one of the two ends
    expect(Math.hypot(x0 - x1!, y0 - y1!)).toBeCloseTo(20, 0);
    expect(Math.min(...ends.slice(1).map(([x, y]) => Math.hypot(x! - ends[0]![0]!, y! - ends[0]![1]!)))).toBeLessThan(
      0.2,
    );
    expect((x1! - x0) * 100 + (y1! - y0) * -50).toBeCloseTo(0, -1.5);
    expect(await draw('<geom type="capsule" fromto="0 -1 0 0 1 0" size="0.1"/>')).toContain(
      '<circle cx="150" cy="100"',
    );
  });

  it('draws the faces of a box that can be seen', async () => {
    const cuboid = '<geom type="box" size="0.1 0.2 0.3" pos="0.5 0 0"/>';
    const [face, ...others] = polygons(await draw(cuboid));
    expect(others).toEqual([]);
    expect([...new Set(face!.filter((_, i) => i % 2 === 0))].sort()).toEqual([190, 210]);
    expect([...new Set(face!.filter((_, i) => i % 2 === 1))].sort()).toEqual([130, 70]);
    expect(polygons(await draw(cuboid, { from: 'diagonal' }))).toHaveLength(3);
  });

  it('draws a cylinder as a rectangle from the side and as a disc along its axis', async () => {
    const can = '<geom type="cylinder" size="0.2 0.4"/>';
    const [x0, y0, , , , , , x1, y1] = numbers((await draw(can)).match(/d="(M[^"]*)"/)![1]!);
    expect([Math.abs(x0! - x1!), y0]).toEqual([40, y1]);
    expect(await draw(can, { from: 'top' })).toMatch(/<ellipse rx="20" ry="20" transform="translate\(150 100\)/);
  });

  it('draws a mesh as its hull', async () => {
    const mesh = '<asset><mesh name="roof" vertex="-1 0 0  1 0 0  0 0 1  0 0.5 0.2  0 0 0.5"/></asset>';
    const env = await scene('<geom type="mesh" mesh="roof"/>', mesh);
    const [corners] = polygons(renderSvg(env, { ...plain, follow: false }).content);
    expect(corners).toHaveLength(6); // two of the vertices lie inside
    const [xs, ys] = [0, 1].map((k) => corners!.filter((_, i) => i % 2 === k));
    expect(Math.max(...xs!) - Math.min(...xs!)).toBeCloseTo(200, 0);
    expect(Math.max(...ys!) - Math.min(...ys!)).toBeCloseTo(100, 0);
  });

  it('draws an ellipsoid as the ellipse that just holds it, from wherever it is seen', async () => {
    const env = await scene('<geom type="ellipsoid" size="0.1 0.2 0.6" euler="20 -50 70"/>');
    const { simulation } = env;
    const matrix = Array.from(simulation.array('geom_xmat'));
    const unit = fc.double({ min: -1, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.tuple(unit, unit, unit), fc.double({ min: 0, max: 6.3, noNaN: true }), (from, angle) => {
        fc.pre(Math.hypot(from[0], from[1]) > 0.1);
        const svg = renderSvg(env, { ...plain, from, span: 0.2 }).content; // 1000 pixels a metre
        const [, rx, ry, turn] = svg.match(/rx="([\d.]+)" ry="([\d.]+)".*?rotate\(([-\d.]+)\)/)!.map(Number);
        // the support function of the ellipse against that of the ellipsoid, in the picture's direction `angle`
        const eye = from.map((value) => value / Math.hypot(...from));
        const right = [-eye[1]!, eye[0]!, 0].map((value) => value / Math.hypot(eye[0]!, eye[1]!));
        const up = [
          ...[eye[1]! * right[2]! - eye[2]! * right[1]!, eye[2]! * right[0]! - eye[0]! * right[2]!],
          eye[0]! * right[1]! - eye[1]! * right[0]!,
        ];
        const direction = right.map((value, i) => Math.cos(angle) * value - Math.sin(angle) * up[i]!);
        const reach = [0.1, 0.2, 0.6].map(
          (size, axis) => size * direction.reduce((sum, value, i) => sum + value * matrix[3 * i + axis]!, 0),
        );
        const relative = angle - (turn! * Math.PI) / 180;
        const drawn = Math.hypot(rx! * Math.cos(relative), ry! * Math.sin(relative));
        expect(Math.abs(drawn - 1000 * Math.hypot(...reach))).toBeLessThan(1.5);
      }),
    );
  });

  it('draws a tendon through its sites', async () => {
    const world = `<site name="a" pos="-0.5 0 0"/><body><freejoint/><geom size="0.05"/><site name="b"/></body>`;
    const tendon = '<tendon><spatial><site site="a"/><site site="b"/></spatial></tendon>';
    const { content } = renderSvg(await scene(world, tendon), plain);
    expect(content).toContain('<path d="M100 100L150 100" fill="none"');
  });
});

describe('renderSvg: what is shown', () => {
  it('puts what is nearer in front of what is further away, which is darker', async () => {
    const [near, far] = ['<geom size="0.1" pos="0 -0.9 0"/>', '<geom size="0.2" pos="0 0.9 0"/>'];
    for (const world of [near + far, far + near]) {
      const svg = await draw(world);
      expect(svg.indexOf('r="20"')).toBeLessThan(svg.indexOf('r="10"'));
      const [behind, front] = fills(svg).map((fill) => Number.parseInt(fill!.slice(1, 3), 16));
      expect(behind).toBeLessThan(front!);
    }
  });

  it('has the colours of the model and hides what its viewer hides', async () => {
    const colors = await draw(`
      <geom size="0.1" rgba="1 0 0.2 1"/><geom size="0.1" rgba="0 1 0 0.4"/><geom size="0.3" rgba="0 1 0 0"/>
      <geom size="0.3" group="3"/><geom size="0.1" group="2"/>`);
    expect(colors.match(/<circle/g)).toHaveLength(3);
    expect(fills(colors).slice(0, 2)).toEqual(['#ff0033', '#00ff00']);
    expect(colors).toContain('<g opacity="0.4"><circle');
    const material = '<asset><material name="m" rgba="0 0 1 1"/></asset>';
    expect(fills(renderSvg(await scene('<geom size="0.1" material="m"/>', material), plain).content)).toEqual([
      '#0000ff',
    ]);
  });

  it('paints limbs apart and what belongs together alike', async () => {
    const env = await use(makeMujoco('Walker2d-v5'));
    const { simulation } = env.unwrapped;
    const [torso, thigh, leg, foot, leftThigh] = fills(renderSvg(env).content);
    expect(simulation.model.ngeom).toBe(8);
    expect([thigh, leg]).toEqual([leg, foot]);
    expect(new Set([torso, thigh, leftThigh]).size).toBe(3);
  });

  it('shows the sites that are asked for', async () => {
    const world = '<site name="goal" pos="0.5 0 0" size="0.3"/><site name="other"/>';
    expect(await draw(world)).not.toContain('circle');
    expect((await draw(world, { sites: ['goal'] })).match(/<circle/g)).toHaveLength(1);
  });

  it('shows ground from the side with a ruler, from above as a grid with shadows, from below not at all', async () => {
    const world = '<geom type="plane" size="1 1 1" pos="0 0 -0.5"/><geom size="0.1"/>';
    const side = await draw(world);
    expect(side).toMatch(/class="axis" stroke-width="1.5" d="M-350 150L650 150"/);
    expect([...side.matchAll(/>(-?[\d.]+) m</g)].map(([, mark]) => mark)).toEqual(['-1', '0', '1']);
    const above = await draw(world, { from: 'diagonal' });
    expect(above).toContain('class="grid"');
    expect(above.match(/<circle/g)).toHaveLength(2); // the ball and its shadow
    expect(above).toMatch(/transform="matrix\([^"]*\)" opacity="0?.18"><circle cx="0" cy="0" r="10" fill="#000000"/);
    const below = await draw(world, { from: [1, -2, -1] });
    expect(below).not.toMatch(/grid|axis/);
  });

  it('follows what roams and stays with what is fixed', async () => {
    const [cheetah, pendulum] = [await use(makeMujoco('HalfCheetah-v5')), await use(makeMujoco('InvertedPendulum-v5'))];
    const shapes = ({ content }: { content: string }) => content.slice(content.indexOf('<g stroke'));
    const at = (x: number) => {
      cheetah.unwrapped.start({ qpos: [x, ...Array(8).fill(0)] });
      return shapes(renderSvg(cheetah));
    };
    const [here, there] = [at(0), at(7)];
    expect(there).toBe(here);
    expect(shapes(renderSvg(cheetah, { follow: false }))).not.toBe(here);
    pendulum.unwrapped.start({ qpos: [0, 0] });
    const middle = shapes(renderSvg(pendulum));
    pendulum.unwrapped.start({ qpos: [0.5, 0] });
    expect(shapes(renderSvg(pendulum))).not.toBe(middle);
    expect(shapes(renderSvg(pendulum, { follow: 'cart' }))).not.toBe(shapes(renderSvg(pendulum)));
  });
});

describe('renderSvg: any task', () => {
  it('gives a document with everything that is visible', { timeout: 120_000 }, async () => {
    for (const id of mujocoIds()) {
      const env = await makeMujoco(id);
      await env.reset({ seed: 1 });
      const { model, engine } = env.unwrapped.simulation;
      const count = (kind: { value: number }) =>
        (Array.from(model.geom_type) as number[]).filter((type) => type === kind.value).length;
      const { svg, content, width, height } = renderSvg(env, { from: 'side', caption: `${id} <&>` });
      requireWellFormed(svg.replace(/<style>.*?<\/style>/, ''));
      expect(svg, id).not.toMatch(/NaN|Infinity|undefined/);
      expect([width, height]).toEqual([480, 320]);
      const { mjGEOM_SPHERE, mjGEOM_ELLIPSOID } = engine.mjtGeom;
      expect((content.match(/<circle/g) ?? []).length, id).toBeGreaterThanOrEqual(count(mjGEOM_SPHERE));
      expect((content.match(/<ellipse/g) ?? []).length, id).toBeGreaterThanOrEqual(count(mjGEOM_ELLIPSOID));
      const [, first] = content.match(/<g stroke[^>]*>(.*)<\/g>/)!;
      const shapes = first!.match(/<(circle|ellipse|path)/g)!.length;
      const opacities = Array.from({ length: model.ngeom }, (_, i) => model.geom_rgba[4 * i + 3] as number);
      const unseen = opacities.filter((opacity) => opacity === 0).length;
      expect(shapes, id).toBeGreaterThanOrEqual(model.ngeom - unseen - count(engine.mjtGeom.mjGEOM_PLANE));
      env.close();
    }
  });

  it('leaves the simulation and its memory as they were', async () => {
    const env = await use(makeMujoco('dm_control/quadruped-run'));
    await env.reset({ seed: 1 });
    const before = await env.state!();
    renderSvg(env);
    const memory = () => env.unwrapped.simulation.qpos.buffer.byteLength;
    const bytes = memory();
    for (let i = 0; i < 300; i++) renderSvg(env);
    expect(memory()).toBe(bytes);
    expect(await env.state!()).toEqual(before);
  });

  it('names what it cannot draw', async () => {
    const env = await makeMujoco('Hopper-v5');
    expect(() => renderSvg(new Pendulum())).toThrow(/env must be a MujocoEnv, or wrap one, got a Pendulum/);
    expect(() => renderSvg(env, { from: 'back' as never })).toThrow(/from must be 'side'.* got 'back'/);
    expect(() => renderSvg(env, { from: [0, 0, 0] })).toThrow(/a direction \[x, y, z\], got \[0, 0, 0\]/);
    expect(() => renderSvg(env, { follow: 'tail' })).toThrow(/no body named 'tail'/);
    expect(() => renderSvg(env, { sites: ['goal'] })).toThrow(/no site named 'goal'/);
    expect(() => renderSvg(env, { span: 0 })).toThrow(/span must be a number > 0, got 0/);
    expect(() => renderSvg(env, { width: 0 })).toThrow(/width must be a number >= 16/);
    env.close();
    expect(() => renderSvg(env)).toThrow(/was closed/);
  });
});

describe('FrameRecorder', () => {
  it('takes frames at the rate that it was asked for and keeps the last finished episode', async () => {
    const hopper = makeMujoco('Hopper-v5', { terminateWhenUnhealthy: false, maxEpisodeSteps: 20 });
    const env = new FrameRecorder(new NormaliseObservation(await use(hopper)), { fps: 25, width: 100, height: 80 });
    expect(env.fps).toBeCloseTo(25, 9); // every fifth step of 0.008 s
    await env.reset({ seed: 1 });
    for (let t = 0; t < 12; t++) await env.step(new Float32Array(3));
    expect(env.frames).toHaveLength(3);
    let total = 0;
    const rng = Rng.fromSeed(1);
    await env.reset({ seed: 1 });
    for (let t = 0; t < 20; t++) total += (await env.step(env.actionSpace.sample(rng))).reward;
    await env.reset();
    expect(env.frames).toHaveLength(5);
    expect(env.frames[0]!.content).toContain('>0.0 s · return 0.0<');
    expect(env.frames[4]!.content).toContain(`>0.2 s · return ${total.toFixed(1)}<`);
    expect(env.frames[4]!.width).toBe(100);
  });

  it('draws every step where steps are longer than frames, and the last one always', async () => {
    const env = new FrameRecorder(await use(makeMujoco('HalfCheetah-v5', { maxEpisodeSteps: 7 })), { fps: 1000 });
    expect(env.fps).toBeCloseTo(20, 9);
    const rare = new FrameRecorder(new TimeLimit(env, 7), { fps: 5 });
    await rare.reset({ seed: 1 });
    for (let t = 0; t < 7; t++) await rare.step(new Float32Array(6));
    expect([env.frames.length, rare.frames.length]).toEqual([8, 3]);
    expect(() => new FrameRecorder(new Pendulum())).toThrow(/env must be a MujocoEnv/);
    expect(() => new FrameRecorder(env, { fps: 0 })).toThrow(/fps must be a number > 0/);
  });
});
