export { cosineSchedule } from './cosine.js';
export { dimeCosineSchedule } from './dimeCosine.js';
export { linearSchedule } from './linear.js';
export { powerStepsSchedule } from './powerSteps.js';
export { type NoiseSchedule, scheduleFromBetas, scheduleFromStepSizes } from './schedule.js';
export { squareRootSchedule } from './squareRoot.js';
export { variancePreservingSchedule } from './variancePreserving.js';
