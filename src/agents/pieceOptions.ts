import { consistencyOptions } from '../diffusion/consistency.js';
import { ddpmOptions } from '../diffusion/ddpm.js';
import { dmerlSamplerOptions } from '../diffusion/dmerl.js';
import { eulerMaruyamaOptions } from '../diffusion/eulerMaruyama.js';
import { flowOptions } from '../diffusion/flow.js';
import { gaussianOptions } from '../diffusion/gaussian.js';
import type { OptionTable } from '../options.js';
import { priorityOptions } from '../replay/prioritizedReplay.js';
import { trustRegionOptions } from './dmerl/trustRegion.js';

/** What pieces of agents may be given, by the names under which JSON and the command line know them. */
export const pieceOptions: Readonly<Record<string, OptionTable>> = {
  EulerMaruyamaSampler: eulerMaruyamaOptions,
  OrnsteinUhlenbeckSampler: eulerMaruyamaOptions,
  GeneralBridgeSampler: eulerMaruyamaOptions,
  dmerlSampler: dmerlSamplerOptions,
  DdpmSampler: ddpmOptions,
  FlowSampler: flowOptions,
  GaussianSampler: gaussianOptions,
  ConsistencySampler: consistencyOptions,
  prioritizedReplay: priorityOptions,
  trustRegion: trustRegionOptions,
};
