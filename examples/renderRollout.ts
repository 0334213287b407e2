/**
 * Films of MuJoCo tasks without GPU or page: any task, driven by a wave that runs through its actuators, as an animated
 * SVG and as a strip of frames. Run: npx tsx examples/renderRollout.ts [--env Ant-v5] [--steps 100] [--from diagonal]
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { animation, filmStrip } from 'diffrl';
import { FrameRecorder, type MujocoId, makeMujoco, type View } from 'diffrl/mujoco';

const { values } = parseArgs({
  options: {
    env: { type: 'string', default: 'HalfCheetah-v5' },
    steps: { type: 'string', default: '100' },
    from: { type: 'string' },
    out: { type: 'string', default: 'runs/rollout' },
  },
});

const task = await makeMujoco(values.env as MujocoId);
const env = new FrameRecorder(task, { from: values.from as View['from'] });
const { low, high } = env.actionSpace;
const { dt } = task.unwrapped;

await env.reset({ seed: 1 });
for (let t = 0; t < Number(values.steps); t++) {
  const wave = high.map((_, i) => Math.sin(2 * Math.PI * 1.5 * t * dt - 1.8 * i));
  const action = wave.map((value, i) => (high[i]! + low[i]! + 0.8 * value * (high[i]! - low[i]!)) / 2);
  const { terminated, truncated } = await env.step(action);
  if (terminated || truncated) break;
}

await mkdir(values.out, { recursive: true });
await writeFile(`${values.out}/film.svg`, animation(env.frames, { fps: env.fps, title: values.env }).svg);
await writeFile(`${values.out}/strip.svg`, filmStrip(env.frames, { count: 6, columns: 3 }).svg);
console.log(`${env.frames.length} frames: ${values.out}/film.svg (open it in a browser), ${values.out}/strip.svg`);
env.close();
