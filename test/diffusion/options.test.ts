import {
  ArgumentError,
  DdpmSampler,
  DiffusionSampler,
  ddpm,
  dmerlSampler,
  EulerMaruyamaSampler,
  eulerMaruyama,
  FlowSampler,
  GaussianSampler,
  GeneralBridgeSampler,
  generalBridge,
  ornsteinUhlenbeck,
} from 'diffrl';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

// biome-ignore lint/suspicious/noExplicitAny: options as somebody may get them wrong
type Wrong = any;

const makers: Record<string, (options: Wrong) => unknown> = {
  EulerMaruyamaSampler: (options) => new EulerMaruyamaSampler(options),
  GeneralBridgeSampler: (options) => new GeneralBridgeSampler(options),
  DdpmSampler: (options) => new DdpmSampler(options),
  FlowSampler: (options) => new FlowSampler(options),
  GaussianSampler: (options) => new GaussianSampler(options),
  DiffusionSampler: (options) => new DiffusionSampler(options),
  dmerlSampler,
  eulerMaruyama,
  ornsteinUhlenbeck,
  ddpm,
  generalBridge,
};

describe('options of samplers and processes', () => {
  it.each([
    [
      makers.EulerMaruyamaSampler!,
      { stesp: 4 },
      "EulerMaruyamaSampler: there is no option 'stesp', did you mean 'steps'?",
    ],
    [makers.dmerlSampler!, { learnDifusion: true }, "did you mean 'learnDiffusion'?"],
    [makers.eulerMaruyama!, { learnDiffusion: 'perstep' }, "learnDiffusion must be one of true, false, 'perStep'"],
    [
      makers.EulerMaruyamaSampler!,
      { divergence: 'logVariance' },
      'divergence must be a divergence such as logVariance',
    ],
    [makers.EulerMaruyamaSampler!, { schedule: 'cosine' }, 'must be a noise schedule such as cosineSchedule'],
    [makers.DdpmSampler!, { network: 3 }, 'network must be a function (rng, sizes) => StepNetwork, got 3.'],
    [makers.GaussianSampler!, { hidden: 256 }, 'hidden must be a list of widths such as [256, 256], got 256.'],
    [makers.DiffusionSampler!, {}, 'process must be a process such as ornsteinUhlenbeck({ steps: 8 }), got undefined.'],
    [makers.generalBridge!, { around: {} }, 'around must be a process'],
    [makers.EulerMaruyamaSampler!, { squash: Math.tanh }, 'squash must be { apply, logDet } such as tanhSquash'],
  ])('says what is wrong (%#)', (make, options, message) => {
    expect(() => make(options)).toThrow(ArgumentError);
    expect(() => make(options)).toThrow(message);
  });

  it.each(Object.entries(makers))('%s takes nothing for granted: an ArgumentError or an object', (_, make) => {
    const names = [
      'steps',
      'schedule',
      'priorStd',
      'stepSize',
      'learnDiffusion',
      'network',
      'squash',
      'divergence',
      'process',
    ];
    const value = fc.oneof(fc.anything(), fc.constantFrom(NaN, Infinity, -1, 0, 1e15, '8', null));
    fc.assert(
      fc.property(
        fc.oneof(value, fc.dictionary(fc.constantFrom(...names, 'around', 'hidden', 'limit'), value)),
        (options) => {
          try {
            make(options);
          } catch (error) {
            expect(error).toBeInstanceOf(ArgumentError);
          }
        },
      ),
      { numRuns: 100 },
    );
  });
});
