import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MujocoEnv, Simulation } from 'diffrl/mujoco';
import { readMujocoModel } from 'diffrl/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'robot-'));
  await mkdir(join(folder, 'assets', 'meshes'), { recursive: true });
  const files = {
    'robot.xml': `<mujoco><compiler meshdir="assets/meshes"/><include file="assets/arm.xml"/>
      <asset><mesh name="stone" file="stone.OBJ"/></asset></mujoco>`,
    'assets/arm.xml': `<mujoco><worldbody><body name="arm"><joint name="shoulder"/><geom type="mesh" mesh="stone"/></body></worldbody>
      <actuator><motor joint="shoulder"/></actuator></mujoco>`,
    'assets/meshes/stone.OBJ': 'v -1 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 3 2\nf 1 2 4\nf 2 3 4\nf 3 1 4\n',
    'README.md': 'not for MuJoCo',
    'assets/meshes/unused.stl': 'never looked at',
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
});
afterAll(() => rm(folder, { recursive: true }));

describe('readMujocoModel', () => {
  it.each(['', 'robot.xml'])('takes the model with all its files, by folder or by name (%s)', async (name) => {
    const model = await readMujocoModel(join(folder, name));
    expect(Object.keys(model.assets ?? {}).sort()).toEqual(['assets/arm.xml', 'assets/meshes/stone.OBJ']);
    const env = await MujocoEnv.create({
      model,
      frameSkip: 1,
      observe: ({ qpos }) => ({ qpos }),
      evaluate: () => ({ reward: 0 }),
    });
    expect([env.simulation.id('body', 'arm'), env.simulation.model.mesh_vertnum[0]]).toEqual([1, 4]);
    env.close();
  });

  it('names what is not there and what cannot be decided', async () => {
    await expect(readMujocoModel(join(folder, 'nothing'))).rejects.toThrow(/there is no file or folder '.*nothing'/);
    await expect(readMujocoModel(join(folder, 'assets', 'meshes'))).rejects.toThrow(
      /exactly one .xml file, .* holds none/,
    );
    await writeFile(join(folder, 'other.xml'), '<mujoco/>');
    await expect(readMujocoModel(folder)).rejects.toThrow(/holds other.xml, robot.xml; name one of them/);
    await rm(join(folder, 'other.xml'));
  });

  it('follows references to other folders and links, and takes only what the model mentions', async () => {
    const root = await mkdtemp(join(tmpdir(), 'robots-'));
    const stone = 'v -1 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 3 2\nf 1 2 4\nf 2 3 4\nf 3 1 4\n';
    const mesh = (name: string, file: string) => `<asset><mesh name="${name}" file="${file}"/></asset>`;
    const uses = (name: string) => `<worldbody><geom type="mesh" mesh="${name}"/></worldbody>`;
    const files = {
      'hand/models/hand.xml': `<mujoco><compiler meshdir="../stls"/><include file="../parts/finger.xml"/>
        <!-- <mesh file="commented.obj"/> --> ${mesh('palm', 'palm.obj')}${uses('palm')}
        <asset><model name="tool" file="../../tool/tool.xml"/></asset>
        <worldbody><attach model="tool" body="tool" prefix="t_"/></worldbody></mujoco>`,
      'hand/parts/finger.xml': `<mujoco>${mesh('tip', 'sub/tip.obj')}${uses('tip')}<include file="nail.xml"/></mujoco>`,
      'hand/parts/nail.xml': `<mujoco>${mesh('nail', 'linked/a&amp;b.obj')}${uses('nail')}</mujoco>`,
      'hand/stls/palm.obj': stone,
      'hand/stls/sub/tip.obj': stone,
      'hand/stls/other.obj': 'not a mesh',
      'hand/stls/commented.obj': 'not a mesh',
      'hand/models/palm.txt': 'no model',
      'store/a&b.obj': stone,
      'tool/tool.xml': `<mujoco><compiler meshdir="m"/>${mesh('tool', 'tool.obj')}<worldbody><body name="tool">
        <geom type="mesh" mesh="tool"/></body></worldbody></mujoco>`,
      'tool/m/tool.obj': stone,
    };
    for (const [name, content] of Object.entries(files)) {
      await mkdir(join(root, name, '..'), { recursive: true });
      await writeFile(join(root, name), content);
    }
    await symlink(join(root, 'store'), join(root, 'hand/stls/linked'));

    const model = await readMujocoModel(join(root, 'hand/models'), { root });
    expect(Object.keys(model.assets ?? {}).sort()).toEqual([
      ...['../../tool/m/tool.obj', '../../tool/tool.xml', '../parts/finger.xml', '../parts/nail.xml'],
      ...['../stls/linked/a&b.obj', '../stls/palm.obj', '../stls/sub/tip.obj'],
    ]);
    const simulation = await Simulation.create(model);
    expect(simulation.model.nmesh).toBe(4);
    simulation.close();

    const fenced = (folder: string) => readMujocoModel(join(root, 'hand/models'), { root: join(root, folder) });
    await expect(fenced('hand')).rejects.toThrow(
      /hand.xml includes '..\/..\/tool\/tool.xml', which lies outside of the root/,
    );
    await expect(fenced('tool')).rejects.toThrow(/hand.xml lies outside of the root/);
    await rm(join(root, 'tool'), { recursive: true });
    await expect(fenced('hand')).rejects.toThrow(/'linked\/a&b.obj', which lies outside/); // by way of the link
    await expect(fenced('nowhere')).rejects.toThrow(/root must be a folder, but there is none/);
    await writeFile(join(root, 'hand/models/hand.xml'), `<mujoco>${mesh('m', join(root, 'store/a.obj'))}</mujoco>`);
    await expect(readMujocoModel(join(root, 'hand/models'))).rejects.toThrow(/by their path from the model's folder/);
    await rm(root, { recursive: true });
  });
});
