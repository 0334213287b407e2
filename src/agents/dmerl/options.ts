import { type SamplingMode, samplingModes } from '../../diffusion/chain.js';
import { DiffusionSampler } from '../../diffusion/diffusionSampler.js';
import { dmerlSampler } from '../../diffusion/dmerl.js';
import { ArgumentError, show } from '../../errors.js';
import { oneOf, option } from '../../options.js';

/** The policy's chain. */
export const samplerOption = option<DiffusionSampler>({
  doc: "The policy's chain. The agent builds it.",
  allowed: 'a DiffusionSampler',
  initial: () => dmerlSampler(),
  defaultText: 'dmerlSampler()',
  check: (where, name, value) => {
    if (value instanceof DiffusionSampler) {
      if (value.isReverseKl) return value;
      throw new ArgumentError(
        `${where}: ${name} must not have a divergence of its own, which is a loss of whole chains: these agents train single steps. Leave it out, or use DimeAgent.`,
      );
    }
    throw new ArgumentError(
      `${where}: ${name} must be a DiffusionSampler, such as dmerlSampler(), got ${show(value)}.`,
    );
  },
});

/** How the chain is run without exploring. */
export function evaluationOption(initial: SamplingMode) {
  const doc = 'How the chain is run with explore: false; see SamplingMode.';
  return oneOf(samplingModes, initial, doc);
}
