import { type Env, Rng, type VectorEnv } from 'diffrl';

/** The plainest vector environment there is: one after the other, environment i seeded with seed + i. */
export function vectorOf(envs: Env[]): VectorEnv {
  const [{ observationSpace, actionSpace }] = envs as [Env];
  const width = actionSpace.size;
  return {
    numEnvs: envs.length,
    observationSpace,
    actionSpace,
    async reset({ seed = 0 } = {}) {
      const results = await Promise.all(envs.map((env, i) => env.reset({ seed: seed + i })));
      return { observations: flat(results.map((r) => r.observation)), infos: results.map((r) => r.info) };
    },
    async step(actions) {
      const results = [];
      const observations = [];
      for (const [i, env] of envs.entries()) {
        const result = await env.step(actions.slice(i * width, (i + 1) * width));
        results.push(result);
        const ended = result.terminated || result.truncated;
        observations.push(ended ? (await env.reset()).observation : result.observation);
      }
      return {
        observations: flat(observations),
        nextObservations: flat(results.map((r) => r.observation)),
        rewards: Float32Array.from(results, (r) => r.reward),
        terminated: Uint8Array.from(results, (r) => Number(r.terminated)),
        truncated: Uint8Array.from(results, (r) => Number(r.truncated)),
        infos: results.map((r) => r.info),
      };
    },
  };
}

export function flat(rows: Float32Array[]): Float32Array {
  return Float32Array.from(rows.flatMap((row) => [...row]));
}

/** Numbers for tests that must look arbitrary and be the same every time. */
export function numbers(seed: number, size: number): Float32Array {
  return Rng.fromSeed(seed).normals(size);
}
