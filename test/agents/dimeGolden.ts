import { Box, DimeAgent, type DimeOptions, dimePresets, EulerMaruyamaSampler, TimeConditionedMlp } from 'diffrl';
import { loadState } from '../../src/state.js';
import reference from '../reference/dime/training.json' with { type: 'json' };

type Nested = number | Nested[];
type Flax = Record<string, Nested[]>;

const { config } = reference;

/** The reference's tiny agent, its weights loaded. */
export async function referenceAgent(options: Partial<DimeOptions> = {}): Promise<DimeAgent> {
  const hidden = [config.scoreHidden, config.scoreHidden, config.scoreHidden];
  const agent = await DimeAgent.create({
    env: { observationSpace: Box.uniform(config.observationSize), actionSpace: Box.uniform(config.actionSize, -1, 1) },
    sampler: new EulerMaruyamaSampler({
      steps: config.steps,
      network: (rng, sizes) => new TimeConditionedMlp(rng, { ...sizes, hidden, timeSize: config.scoreHidden }),
    }),
    criticHidden: config.criticHidden,
    support: { min: config.vMin, max: config.vMax, atoms: config.atoms },
    batchRenorm: { warmup: config.batchRenormWarmup },
    batchSize: config.batchSize,
    temperature: config.initialTemperature,
    ...dimePresets.released,
    ...options,
  });
  const state = await agent.state();
  for (const [name, values] of Object.entries(referenceParameters('initial')))
    state[name] = { ...state[name]!, data: values };
  state['temperature/log'] = { shape: [], data: Float32Array.of(Math.log(config.initialTemperature)) };
  await loadState(agent, state);
  return agent;
}

/** The reference's parameters before or after its updates, under the names of our state. */
export function referenceParameters(when: 'initial' | 'final'): Record<string, Float32Array> {
  const { actor, critic, criticStats } = reference[when] as unknown as Record<'actor' | 'critic' | 'criticStats', Flax>;
  const network = (path: string) => flat(actor[`params/fwd_params/params/${path}`]!);
  const ours: Record<string, Float32Array> = {
    'actor/stepSize': flat(actor['params/dt']!),
    'actor/friction': flat(actor['params/friction']!),
    'actor/control/time/phase': network('timestep_phase'),
  };
  const layers: [string, string][] = [
    ['time/mlp/*0', 'time_coder_state/layers_0'],
    ['time/mlp/*1', 'time_coder_state/layers_2'],
    ['trunk/*0', 'state_time_net/layers_0/layers_0'],
    ['trunk/*1', 'state_time_net/layers_1/layers_0'],
    ['trunk/*2', 'state_time_net/layers_2/layers_0'],
    ['trunk/*3', 'state_time_net/layers_3'],
  ];
  for (const [name, path] of layers) {
    for (const kind of ['kernel', 'bias'])
      ours[`actor/control/${name.replace('*', kind)}`] = network(`${path}/${kind}`);
  }
  for (const head of [0, 1]) {
    const of = (group: Flax, path: string) => flat(group[`VmapCritic_0/${path}`]![head]!);
    for (const i of [0, 1, 2]) {
      for (const kind of ['kernel', 'bias']) ours[`critic/head${head}/${kind}${i}`] = of(critic, `Dense_${i}/${kind}`);
      const norm = `critic/head${head}/norm${i}`;
      for (const kind of ['scale', 'bias']) ours[`${norm}/${kind}`] = of(critic, `BatchRenorm_${i}/${kind}`);
      ours[`${norm}/mean`] = of(criticStats, `BatchRenorm_${i}/mean`);
      ours[`${norm}/variance`] = of(criticStats, `BatchRenorm_${i}/var`);
      ours[`${norm}/steps`] = of(criticStats, `BatchRenorm_${i}/steps`);
    }
  }
  return ours;
}

/** Noise in our layout `[K + 1, B, A]` from the reference's prior sample `[B, A]` and step noise `[B, K, A]`. */
export function referenceNoise(priorSample: number[][], stepNoise: number[][][]): Float32Array {
  const prior = priorSample.flat().map((x) => x / config.priorStd);
  const steps = Array.from({ length: config.steps }, (_, k) => stepNoise.map((row) => row[k]!));
  return Float32Array.from([...prior, ...steps.flat().flat()]);
}

export function flat(values: unknown): Float32Array {
  return Float32Array.from([values].flat(9 as 1) as number[]);
}

/** Runs the reference's nine updates; returns the largest relative error of every quantity it recorded. */
export async function largestErrors(agent: DimeAgent): Promise<Record<string, number>> {
  const errors: Record<string, number> = {};
  const compare = (name: string, got: number, expected: number) => {
    errors[name] = Math.max(errors[name] ?? 0, Math.abs(got - expected) / Math.abs(expected));
  };
  for (const update of reference.updates) {
    const metrics = await agent.learn(
      {
        observations: flat(update.observations),
        actions: flat(update.actions),
        rewards: flat(update.rewards),
        nextObservations: flat(update.nextObservations),
        terminated: Float32Array.from(update.terminated as unknown as ArrayLike<number>, Number),
        truncated: new Float32Array(config.batchSize),
      },
      {
        critic: referenceNoise(update.nextPriorSample, update.nextNoise),
        ...(update.didActorUpdate && { actor: referenceNoise(update.actorPriorSample!, update.actorNoise!) }),
      },
    );
    compare('critic loss', metrics.criticLoss!, update.criticLoss);
    if (!update.didActorUpdate) continue;
    compare('actor loss', metrics.actorLoss!, update.actorLoss!);
    compare('run cost', metrics.runCost!, update.runCostMean!);
    compare('log temperature', Math.log(metrics.temperature!), update.logTemperatureAfter);
  }
  const state = await agent.state();
  for (const [name, expected] of Object.entries(referenceParameters('final'))) {
    const got = state[name]!.data;
    const scale = Math.max(...expected.map(Math.abs));
    expected.forEach((value, i) => {
      errors.parameters = Math.max(errors.parameters ?? 0, Math.abs(got[i]! - value) / scale);
    });
  }
  return errors;
}
