import { constantKey, LARGEST_SHARED, type Node, type Value } from './graph.js';
import { sameShape } from './shapes.js';

/** Leaves out what other passes wrote twice, and reshapes of reshapes. Values of `outputs` stay. */
export function dropRepeats(nodes: readonly Node[], outputs: ReadonlySet<Value>): Node[] {
  const same = new Map<Value, Value>();
  const known = new Map<string, readonly Value[]>();
  const reshaped = new Map<Value, Value>();
  const result: Node[] = [];
  for (const written of nodes) {
    const node = { ...written, inputs: written.inputs.map((value) => same.get(value) ?? value) };
    const [output] = node.outputs as [Value];
    if (node.operator === 'Reshape') {
      const source = reshaped.get(node.inputs[0]!) ?? node.inputs[0]!;
      node.inputs[0] = source;
      reshaped.set(output, source);
      if (sameShape(source.shape, output.shape) && !outputs.has(output)) {
        same.set(output, source);
        continue;
      }
    }
    const key = `${node.operator} ${node.inputs.map(keyOf)} ${JSON.stringify(node.attributes)}`;
    const before = known.get(key);
    if (before && !node.outputs.some((value) => outputs.has(value))) {
      for (const [i, value] of node.outputs.entries()) same.set(value, before[i]!);
      continue;
    }
    known.set(key, node.outputs);
    result.push(node);
  }
  return result;
}

/** Small constants that were made twice are the same. */
function keyOf(value: Value): string {
  const { id, constant } = value;
  const isSmall = constant && 'data' in constant && constant.data.length <= LARGEST_SHARED;
  return isSmall ? constantKey(constant.data, value) : `${id}`;
}
