import type { Attribute, Constant, Node, Value } from './graph.js';

/** Constants of more numbers are printed by their type and shape. */
const LARGEST_PRINTED = 8;

/** Nodes as text, one a line: `n2 = MatMul(x0, v0)  float32 [8, 4]`; values are numbered as they appear. */
export function printNodes(nodes: readonly Node[]): string {
  const names = new Map<Value, string>();
  const inputs = new Set(nodes.flatMap((node) => node.inputs).filter((value) => value.input !== undefined));
  const nameOf = (value: Value): string => {
    if (value.constant) return printConstant(value, value.constant);
    if (value.input !== undefined) return value.input;
    const name = names.get(value) ?? `n${names.size}`;
    names.set(value, name);
    return name;
  };
  const header = [...inputs].map((value) => `${value.input}  ${infoOf(value)}`);
  const lines = nodes.map(({ operator, inputs, outputs, attributes }) => {
    const operands = [...inputs.map(nameOf), ...Object.entries(attributes).map(printAttribute)];
    return `${outputs.map(nameOf).join(', ')} = ${operator}(${operands.join(', ')})  ${infoOf(outputs[0]!)}`;
  });
  return [...header, ...lines].join('\n');
}

function infoOf({ type, shape }: Value): string {
  return `${type} [${shape.join(', ')}]`;
}

function printConstant(value: Value, constant: Constant): string {
  if ('fill' in constant)
    return value.shape.length > 0 ? `${constant.fill} [${value.shape.join(', ')}]` : `${constant.fill}`;
  return constant.data.length > LARGEST_PRINTED ? `constant ${infoOf(value)}` : `[${constant.data.join(', ')}]`;
}

function printAttribute([name, attribute]: [string, Attribute]): string {
  if (typeof attribute === 'object' && 'float' in attribute) return `${name}: ${attribute.float}`;
  return `${name}: ${Array.isArray(attribute) ? `[${attribute.join(', ')}]` : attribute}`;
}
