/** Every public function and class gets nonsense: it answers with a result or with an error of the library's own. */
import * as diffrl from 'diffrl';
import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { mistakes } from './mistakes.js';

type Anything = (...args: unknown[]) => unknown;
const library = diffrl as unknown as Record<string, Anything>;

/** What is not called with nonsense, and why. A new export is called unless it is put here. */
const EXCUSED: Record<string, string> = {
  'functions of tensors: TensorFlow.js checks them, and checks of ours would be traced': `addNoise annealedLangevin bestOf clipGlobalNorm
    completePath denoisingScoreMatchingLoss effectiveSampleSize entropyLowerBound forwardKl gaussianReturnLoss gaussianReturns gelu
    langevin logBackward logDerivativeKl logForward logNoising logNormal logNormalOfNoise logOneMinusTanhSquared logVariance
    lossAndGradients mish moveTowards negativeLogWeights noiseFromScore noiseLevels ppoStepLoss projectCategorical removeNoise
    reverseKl reverseSamplingTarget rssmLoss sacStepLoss scaleSteps scoreFromNoise smallerReturn stepBatch stepKl stepLogRatio
    stopGradient sumLogBackward sumLogForward tanhLogDet trajectoryBalance trustRegionLoss varGrad weighRows withoutGradient
    wpoStepLoss wpoSurrogate wpoVelocity augmentedGae disposeVariables variablesAsState prefixVariables numbers AugmentedRollout andThen`,
  'tables of options and arrays, for authors of agents': `option number integer oneOf flag widths functionOption group objectOption
    readOptions adamOption updatesPerTransition learningRateOption matrix vector prefixed substate together stateArray readEntries`,
  'made by create, load, valueCritic or fromSeed, which are called here or in test/agents/fuzz.test.ts': `ActionValues CriticHeads
    Microscope Policy Rng`,
  'changes the process': 'speedUpWasmMatMul useBestBackend',
};
const excused = new Set(Object.values(EXCUSED).flatMap((names) => names.split(/\s+/)));

const isClass = (value: unknown) => /^class\b/.test(Function.prototype.toString.call(value));
const isAgent = (name: string) => library[name]!.prototype instanceof diffrl.BaseAgent || name === 'BaseAgent';
const names = Object.keys(library).filter((name) => typeof library[name] === 'function');
const called = names.filter((name) => !excused.has(name) && !isAgent(name) && !/Error$/.test(name));

const nonsense = fc.constantFrom<unknown>(
  ...mistakes,
  ...[3, [1, 2], [null], new Float32Array(2), Symbol.iterator, 3n, new Map(), { low: [-1], high: [1], shape: [1] }],
  ...[
    { inputs: 2, hidden: [2], outputs: 1 },
    { inputs: '2', hidden: 3, outputs: null },
    { inputs: 2, hidden: [1e15] },
  ],
  ...[
    { inputs: 2, hidden: [2], outputs: 1, activation: 'relu' },
    { observationSize: 2, actionSize: 1 },
  ],
  ...[
    { observationSize: 2, actionSize: '1', hidden: 'x' },
    { observationSize: 2, actionSize: 1, hidden: [1e15] },
  ],
  ...[{ observationSize: 2, actionSize: 1, outputs: 1e15 }, { features: 3, hidden: 2, outputs: 2 }, { features: {} }],
  ...[{ diffusionSteps: Number.NaN, observationSize: 2, actionSize: 1 }, { initial: 'x' }, { initial: -1 }],
  ...[{ quantiles: '3' }, { learningRate: 'x' }, { transform: 3 }, { goals: 'x' }, { goals: [3] }, { steps: 0 }],
  ...[{ x: [1, 2], y: 'x' }, { x: [1, 2], y: [1, 2] }, { width: Number.NaN }, { steps: 'x' }, { automatic: null }],
  ...[{ anneal: null }, { env: {} }, { kind: 'x', config: {}, state: null }, { episodes: [], evaluations: 3 }],
  ...[new diffrl.Pendulum(), diffrl.Rng.fromSeed(1)],
);

it('the list of what is excused names nothing that is gone', () => {
  expect([...excused].filter((name) => !names.includes(name))).toEqual([]);
});

it('exports answer 10,000 calls with errors of diffrl or none', { timeout: 240_000 }, async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  const faults = new Map<string, number>();
  const note = (key: string) => faults.set(key, (faults.get(key) ?? 0) + 1);
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...called), fc.array(nonsense, { maxLength: 3 }), async (name, args) => {
      const target = library[name]!;
      try {
        const made = await (isClass(target) ? Reflect.construct(target, args) : target(...args));
        if (!(made instanceof diffrl.BatchRenorm)) (made as { dispose?(): void } | undefined)?.dispose?.();
      } catch (error) {
        if (error instanceof diffrl.DiffrlError) return;
        note(`${name}: ${(error as Error).name}: ${(error as Error).message.slice(0, 80)}`);
      }
    }),
    { numRuns: Number(process.env.FUZZ_RUNS ?? 10_000) },
  );
  console.info(`${called.length} of ${names.length} exports called, ${faults.size} distinct raw errors`);
  expect([...faults.keys()]).toEqual([]);
});

it.each(names.filter((name) => isAgent(name)))('%s is not made by new', (name) => {
  expect(() => Reflect.construct(library[name]!, [{ env: new diffrl.Pendulum() }])).toThrow(diffrl.ArgumentError);
});
