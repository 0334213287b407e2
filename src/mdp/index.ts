export { AugmentedMdp, type AugmentedMdpOptions, priorStream } from './augmentedMdp.js';
export { type ChainPolicy, type CollectOptions, collectInternal, collectWrapped } from './collect.js';
export { type AugmentedDiscounts, augmentedDiscounts, type DiscountMode } from './discounts.js';
export { type AugmentedSegment, augmentedGae } from './gae.js';
export { type AugmentedRecords, AugmentedRollout, type AugmentedStep } from './rollout.js';
export { gatherRows, type RecordSizes, type TransitionRows } from './rows.js';
