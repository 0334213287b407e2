export type { Outcome, TrainingCallback } from './callback.js';
export { bestModel } from './callbacks/bestModel.js';
export { type CheckpointsOptions, checkpoints } from './callbacks/checkpoints.js';
export { type EvaluationOptions, evaluation } from './callbacks/evaluation.js';
export { type FilmingOptions, filming } from './callbacks/filming.js';
export { type LearningCurveOptions, learningCurve } from './callbacks/learningCurve.js';
export { progressBar } from './callbacks/progressBar.js';
export {
  type StopWithoutImprovementOptions,
  stopAfter,
  stopAtReturn,
  stopWithoutImprovement,
} from './callbacks/stopping.js';
export { type EvaluateOptions, type Evaluation, evaluate } from './evaluate.js';
export { type EpisodeRecord, type EvaluationRecord, TrainingHistory } from './history.js';
export { csvLog } from './loggers/csvLog.js';
export { evaluationsCsv } from './loggers/evaluationsCsv.js';
export { jsonLinesLog } from './loggers/jsonLinesLog.js';
export { loggedName } from './loggers/metricNames.js';
export type { LogOptions, LogRow } from './loggers/rowLog.js';
export { tensorBoardLog } from './loggers/tensorBoardLog.js';
export { plotHistory } from './plotHistory.js';
export { type TrainOptions, type TrainResult, train } from './train.js';
export { type StepReport, TrainingRun, type TrainingRunOptions } from './trainingRun.js';
