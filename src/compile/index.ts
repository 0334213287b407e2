/**
 * TensorFlow.js programs as ONNX graphs in ONNX Runtime.
 *
 * @module diffrl/compile
 */

export type { RuntimeArray, TensorLike } from './arrays.js';
export {
  type ArrayOf,
  type ArrayResult,
  type CompiledArguments,
  type CompiledFunction,
  type CompileOptions,
  compile,
} from './compile.js';
export type { Device } from './device.js';
export { checkEngineOptions, type Engine, type EngineOptions, openEngine } from './engine.js';
export { CompileError } from './errors.js';
export { IR_VERSION, OPSET_VERSION } from './onnx.js';
export { isCompileAvailable, type OnnxRuntime } from './runtime.js';
export { type InputSpec, type TraceToOnnxOptions, traceToOnnx } from './traceToOnnx.js';
