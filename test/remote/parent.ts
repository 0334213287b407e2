/** Starts an environment in Python, says its process and waits to be killed. */
import { connectEnv } from '../../src/remote/index.js';

const env = await connectEnv(process.argv[2]!);
await env.reset();
const { info } = await env.step(new Float32Array(env.actionSpace.size));
console.log(info.process);
setInterval(() => {}, 1000);
