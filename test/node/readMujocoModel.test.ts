import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MujocoEnv } from 'diffrl/mujoco';
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
});
