import { MissingPackageError } from '../errors.js';
import type { RuntimeArray } from './arrays.js';

/** ONNX Runtime as a module: `onnxruntime-node` and `onnxruntime-web` fit as they are. */
export interface OnnxRuntime {
  readonly Tensor: new (...args: never[]) => object;
  readonly InferenceSession: { create(...args: never[]): Promise<object> };
}

/** What is used of the module. */
export interface TypedRuntime {
  /** Whether its tensors may lie in shared memory; `onnxruntime-node` refuses that. */
  readonly readsShared?: boolean;
  readonly Tensor: new (type: string, data: RuntimeArray, dims: readonly number[]) => OnnxTensor;
  readonly InferenceSession: { create(model: Uint8Array, options: object): Promise<OnnxSession> };
}

/** A tensor of ONNX Runtime. */
export interface OnnxTensor {
  /** `'cpu'` for the memory of the host. */
  readonly location: string;
  /** The numbers, if they are on the host. */
  readonly data: RuntimeArray;
  readonly dims: readonly number[];
  dispose(): void;
}

/** A loaded model of ONNX Runtime. */
export interface OnnxSession {
  run(feeds: Readonly<Record<string, OnnxTensor>>): Promise<Readonly<Record<string, OnnxTensor>>>;
  release(): Promise<void>;
}

let automatic: Promise<OnnxRuntime> | undefined;

/**
 * The runtime for this place: `onnxruntime-node` in Node, `onnxruntime-web` in a page.
 *
 * @throws {@link MissingPackageError} if it is not installed or does not work here
 */
export function loadRuntime(): Promise<OnnxRuntime> {
  automatic ??= importRuntime();
  automatic.catch(() => {
    automatic = undefined;
  });
  return automatic;
}

/** Whether {@link compile} can run here: whether ONNX Runtime is installed and loads. */
export async function isCompileAvailable(): Promise<boolean> {
  return loadRuntime().then(
    () => true,
    () => false,
  );
}

async function importRuntime(): Promise<OnnxRuntime> {
  const name = typeof process !== 'undefined' && process.versions?.node ? 'onnxruntime-node' : 'onnxruntime-web';
  try {
    const module = await import(/* @vite-ignore */ /* webpackIgnore: true */ name);
    return module.InferenceSession ? module : module.default;
  } catch (cause) {
    const message =
      `compile: package '${name}' is not installed or does not work here. ` +
      `Run: npm install ${name}. In a bundled page, import it yourself and pass it as option 'runtime'.`;
    throw new MissingPackageError(message, { cause });
  }
}
