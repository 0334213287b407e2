import type { ElementType, Value } from './graph.js';

/** Operators that ONNX Runtime has for floating point numbers only. */
const FLOATS = new Set([
  ...['Acos', 'Acosh', 'Asin', 'Asinh', 'Atan', 'Atanh', 'Ceil', 'Cos', 'Cosh', 'Elu', 'Erf', 'Exp', 'Floor', 'Gemm'],
  ...['IsInf', 'IsNaN', 'LeakyRelu', 'Log', 'LogSoftmax', 'PRelu', 'Reciprocal', 'ReduceMean', 'Round', 'Selu'],
  ...['Sigmoid', 'Sin', 'Sinh', 'Softmax', 'Softplus', 'Sqrt', 'Tan', 'Tanh'],
]);

/** Operators for numbers of one type, of any but bool. */
const NUMBERS = new Set([
  ...[
    'Abs',
    'Add',
    'Clip',
    'CumSum',
    'Div',
    'Einsum',
    'Less',
    'LessOrEqual',
    'Greater',
    'GreaterOrEqual',
    'MatMul',
    'Max',
  ],
  ...[
    'Min',
    'Mod',
    'Mul',
    'Neg',
    'Pow',
    'ReduceMax',
    'ReduceMin',
    'ReduceProd',
    'ReduceSum',
    'Relu',
    'Sign',
    'Sub',
    'TopK',
  ],
]);

/** @throws Error if `operator` does not exist for the types of `inputs` */
export function requireTypes(operator: string, inputs: readonly Value[]): void {
  const types = inputs.map(({ type }) => type).filter((type) => type !== 'int64');
  const allowed: ElementType[] | undefined = FLOATS.has(operator)
    ? ['float32']
    : NUMBERS.has(operator)
      ? ['float32', 'int32']
      : undefined;
  if (!allowed) return;
  const wrong = types.find((type) => !allowed.includes(type)) ?? types.find((type) => type !== types[0]);
  if (wrong === undefined) return;
  throw new Error(`ONNX's ${operator} is not for ${[...new Set(types)].join(' with ')}; tf.cast to float32 before`);
}
