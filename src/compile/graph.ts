import { printNodes } from './print.js';
import { sizeOf } from './shapes.js';
import { mapLeaves } from './structure.js';
import { requireTypes } from './types.js';

/** Element types of graph values; `int64` only occurs inside a graph (shapes, axes, indices). */
export type ElementType = 'float32' | 'int32' | 'bool' | 'int64';

/** The numbers of a constant, in the layout ONNX Runtime uses. */
export type ConstantData = Float32Array | Int32Array | Uint8Array | BigInt64Array;

/** A constant is either all its numbers or one number that fills the whole shape. */
export type Constant = { readonly data: ConstantData } | { readonly fill: number };

/** An edge of the graph: a tensor of known type and shape. */
export interface Value {
  readonly id: number;
  readonly type: ElementType;
  readonly shape: readonly number[];
  /** Set for constants only. */
  readonly constant?: Constant;
  /** Set for graph inputs only. */
  readonly input?: string;
  /** What computes the value; unset for constants and inputs. */
  readonly node?: Node;
}

/** An attribute of an ONNX operator; a bare number or array is of integers. */
export type Attribute = number | readonly number[] | string | { readonly float: number };

/** One ONNX operator. */
export interface Node {
  readonly operator: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** Constants of more numbers are not compared. */
export const LARGEST_SHARED = 64;

/** Type and shape of a value to be made. */
export interface ValueInfo {
  readonly type: ElementType;
  readonly shape: readonly number[];
}

/**
 * A growing ONNX graph. Nodes are kept in the order of their creation, which is an order they can run in.
 * The same operator on the same inputs is only created once; equal small constants are one value.
 */
export class Graph {
  readonly inputs: Value[] = [];
  readonly nodes: Node[] = [];
  private readonly known = new Map<string, readonly Value[]>();
  private nextId = 0;

  input(name: string, info: ValueInfo): Value {
    const value = { ...this.newValue(info), input: name };
    this.inputs.push(value);
    return value;
  }

  /** A constant; one number that fills it is recognised. */
  constant(data: ConstantData, info: ValueInfo): Value {
    const first = data.length > 0 ? Number(data[0]) : 0;
    if (data.every((x) => Object.is(Number(x), first))) return this.fill(first, info);
    const make = () => this.ownConstant(data, info);
    if (data.length > LARGEST_SHARED) return make();
    return this.once(`data ${constantKey(data, info)}`, make);
  }

  /** A constant that is never taken for another one of equal numbers. */
  ownConstant(data: ConstantData, info: ValueInfo): Value {
    return { ...this.newValue(info), constant: { data } };
  }

  /** A constant whose entries are all `fill`. */
  fill(fill: number, info: ValueInfo): Value {
    return this.once(`fill ${constantKey([fill], info)}`, () => ({ ...this.newValue(info), constant: { fill } }));
  }

  /** The outputs of `operator` on `inputs`. @throws Error if it does not exist for their types */
  node(
    operator: string,
    inputs: readonly Value[],
    outputs: readonly ValueInfo[],
    attributes: Readonly<Record<string, Attribute>> = {},
  ): readonly Value[] {
    requireTypes(operator, inputs);
    const key = keyOf(operator, inputs, attributes);
    const known = this.known.get(key);
    if (known) return known;
    const node = { operator, inputs, outputs: [] as Value[], attributes };
    for (const info of outputs) node.outputs.push({ ...this.newValue(info), node });
    this.nodes.push(node);
    this.known.set(key, node.outputs);
    return node.outputs;
  }

  /** The first output of {@link node}, if that was called. */
  find(operator: string, inputs: readonly Value[], attributes: Node['attributes'] = {}): Value | undefined {
    return this.known.get(keyOf(operator, inputs, attributes))?.[0];
  }

  /** A node for a list of nodes that takes the place of {@link nodes}. */
  looseNode(operator: string, inputs: readonly Value[], info: ValueInfo, attributes: Node['attributes']): Node {
    const node = { operator, inputs, outputs: [] as Value[], attributes };
    node.outputs.push({ ...this.newValue(info), node });
    return node;
  }

  /** A value for a node of such a list. */
  looseValue(info: ValueInfo): Value {
    return this.newValue(info);
  }

  /** The graph as text, one operator a line. */
  toString(): string {
    return printNodes(this.nodes);
  }

  private newValue({ type, shape }: ValueInfo): Value {
    return { id: this.nextId++, type, shape };
  }

  private once(key: string, make: () => Value): Value {
    const known = this.known.get(key);
    if (known) return known[0]!;
    const value = make();
    this.known.set(key, [value]);
    return value;
  }
}

/** A text that is the same for constants of the same numbers, type and shape only; 0 and -0 are two numbers. */
export function constantKey(data: ConstantData | readonly number[], { type, shape }: ValueInfo): string {
  return `${type} [${shape}] ${Array.from<number | bigint, string>(data, (x) => (Object.is(x, -0) ? '-0' : `${x}`))}`;
}

function keyOf(operator: string, inputs: readonly Value[], attributes: Node['attributes']): string {
  return `${operator} ${inputs.map((value) => value.id)} ${JSON.stringify(attributes)}`;
}

/** The nodes that `outputs` need, of nodes in running order. */
export function liveNodes(nodes: readonly Node[], outputs: Iterable<Value>): Node[] {
  const live = new Set<Value>(outputs);
  const kept: Node[] = [];
  for (const node of nodes.toReversed()) {
    if (!node.outputs.some((value) => live.has(value))) continue;
    kept.push(node);
    for (const value of node.inputs) live.add(value);
  }
  return kept.reverse();
}

/** The nodes in an order that they can run in, otherwise as they are. */
export function inRunningOrder(nodes: readonly Node[]): Node[] {
  const producers = producersOf(nodes);
  const placed = new Set<Node>();
  const ordered: Node[] = [];
  for (const root of nodes) {
    const pending = [root];
    for (let node = pending.at(-1); node; node = pending.at(-1)) {
      const missing = node.inputs
        .map((value) => producers.get(value))
        .filter((source) => source && !placed.has(source));
      if (missing.length > 0) {
        pending.push(...(missing as Node[]));
        continue;
      }
      pending.pop();
      if (!placed.has(node)) ordered.push(node);
      placed.add(node);
    }
  }
  return ordered;
}

/** Whether something is a {@link Value}. */
export function isValue(leaf: unknown): leaf is Value {
  return typeof leaf === 'object' && leaf !== null && 'id' in leaf && 'type' in leaf && 'shape' in leaf;
}

/** All values in a nested structure. */
export function valuesIn(structure: unknown): Value[] {
  const found: Value[] = [];
  mapLeaves(structure, isValue, (leaf) => isValue(leaf) && found.push(leaf));
  return found;
}

/** Whether `value` is a matrix of float32. */
export function isMatrix({ type, shape }: Value): boolean {
  return type === 'float32' && shape.length === 2;
}

/** The number that fills `value`, if it is a constant of equal entries. */
export function fillOf(value: Value): number | undefined {
  return value.constant && 'fill' in value.constant ? value.constant.fill : undefined;
}

/** The numbers of the constant `value`, written out. */
export function dataOf(value: Value): ConstantData {
  if (!value.constant) throw new Error(`value ${value.id} is not constant`);
  if ('data' in value.constant) return value.constant.data;
  const size = sizeOf(value.shape);
  const { fill } = value.constant;
  switch (value.type) {
    case 'float32':
      return new Float32Array(size).fill(fill);
    case 'int32':
      return new Int32Array(size).fill(fill);
    case 'bool':
      return new Uint8Array(size).fill(fill);
    case 'int64':
      return new BigInt64Array(size).fill(BigInt(fill));
  }
}

/** The node that computes each value. */
export function producersOf(nodes: readonly Node[]): Map<Value, Node> {
  return new Map(nodes.flatMap((node) => node.outputs.map((value) => [value, node])));
}

/** How often each value is an input. */
export function usesOf(nodes: readonly Node[]): Map<Value, number> {
  const uses = new Map<Value, number>();
  for (const value of nodes.flatMap((node) => node.inputs)) uses.set(value, (uses.get(value) ?? 0) + 1);
  return uses;
}
