/**
 * `npm start`: DIME learns to balance a pole on a cart (Gymnasium's InvertedPendulum-v5, real MuJoCo physics).
 * Leaves a learning curve, a log, a checkpoint and a film in runs/quickstart. Options: --steps 5000, --seed 0, --resume.
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import {
  animation,
  checkpoints,
  csvLog,
  DimeAgent,
  EulerMaruyamaSampler,
  evaluate,
  evaluation,
  learningCurve,
  progressBar,
  stepNetwork,
  train,
} from 'diffrl';
import { FrameRecorder, makeMujoco } from 'diffrl/mujoco';

const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '5000' },
    seed: { type: 'string', default: '0' },
    resume: { type: 'boolean', default: false },
  },
});
const [steps, seed] = [Number(values.steps), Number(values.seed)];
const folder = 'runs/quickstart';

const env = await makeMujoco('InvertedPendulum-v5');
const agent = await DimeAgent.create({
  env,
  seed,
  sampler: new EulerMaruyamaSampler({ steps: 8, network: stepNetwork({ hidden: [64, 64], timeSize: 64 }) }),
  criticHidden: [128, 128],
  support: { min: -10, max: 110 },
  temperature: 0.1,
  warmupSteps: 500,
  updatesPerTransition: 1,
  actorLearningRate: 1e-3,
  criticLearningRate: 1e-3,
});

await train({
  agent,
  env,
  steps,
  seed,
  resume: values.resume ? folder : undefined,
  callbacks: [
    progressBar(),
    csvLog(`${folder}/log.csv`),
    evaluation({ env: await makeMujoco('InvertedPendulum-v5'), every: 500, episodes: 5, seed: 1000 }),
    learningCurve(`${folder}/curve.svg`, { every: 1000 }),
    checkpoints({ path: folder, every: 2000 }),
  ],
});

const recorder = new FrameRecorder(await makeMujoco('InvertedPendulum-v5'), { fps: 10 });
const result = await evaluate({ agent, env: recorder, episodes: 5, seed: 1000 });
await writeFile(`${folder}/film.svg`, animation(recorder.frames.slice(0, 200), { fps: recorder.fps }).svg);
console.log(`\nMean return of 5 episodes: ${result.mean.toFixed(0)} (a perfect one is 1000).`);
console.log(
  `In ${folder}: learning curve (curve.svg), film of the last episode (film.svg), log (log.csv), checkpoint.`,
);
console.log('Go on from here: npm start -- --resume --steps 12000');
