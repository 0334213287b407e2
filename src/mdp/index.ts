export { AugmentedMdp, type AugmentedMdpOptions } from './augmentedMdp.js';
export { type AugmentedDiscounts, augmentedDiscounts, type DiscountMode } from './discounts.js';
export { type AugmentedSegment, augmentedGae } from './gae.js';
export { type AugmentedRecords, AugmentedRollout, type AugmentedStep } from './rollout.js';
export { gatherRows, type TransitionRows } from './rows.js';
export { TransitionIndex } from './transitionIndex.js';
