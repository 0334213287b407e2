export type { Outcome, TrainingCallback } from './callback.js';
export { type CheckpointsOptions, checkpoints } from './callbacks/checkpoints.js';
export { type CsvLogOptions, csvLog } from './callbacks/csvLog.js';
export { type EvaluationOptions, evaluation } from './callbacks/evaluation.js';
export { progressBar } from './callbacks/progressBar.js';
export { type EvaluateOptions, type Evaluation, evaluate } from './evaluate.js';
export { type EpisodeRecord, type EvaluationRecord, TrainingHistory } from './history.js';
export { type TrainOptions, type TrainResult, train } from './train.js';
export { type StepReport, TrainingRun, type TrainingRunOptions } from './trainingRun.js';
