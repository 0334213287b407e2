import protobuf from 'protobufjs/minimal.js';
import { VERSION } from '../version.js';
import { ONNX_TYPE } from './builder.js';
import { type Attribute, dataOf, type Node, type Value } from './graph.js';
import { sizeOf } from './shapes.js';
import { productWork } from './work.js';

/** Version of the ONNX operator set that graphs are written in. */
export const OPSET_VERSION = 20;

/** The oldest operator set that has what graphs use: axes of a reduction as an input. */
export const OLDEST_OPSET = 18;

/** Version of the ONNX file format, the one that came with the operator set. */
export const IR_VERSION = 9;

/** A size in the shape of an input or output that may differ from run to run. */
export const ANY_SIZE = -1;

/** Larger constants of one repeated number are written as an Expand of it. */
const LARGEST_WRITTEN_FILL = 1024;

/** What a model consists of. */
export interface ModelDescription {
  readonly name: string;
  /** Version of the operator set; default {@link OPSET_VERSION}. */
  readonly opset?: number;
  /** In running order. */
  readonly nodes: readonly Node[];
  readonly inputs: readonly (readonly [name: string, value: Value])[];
  readonly outputs: readonly (readonly [name: string, value: Value])[];
}

/** The ONNX file of a graph, weights and other constants included. */
export function encodeModel({ name, opset = OPSET_VERSION, nodes, inputs, outputs }: ModelDescription): Uint8Array {
  const names = new Names(inputs, outputs);
  const copied = outputs.filter(([output, value]) => names.of(value) !== output);
  const constants = new Set<Value>(outputs.map(([, value]) => value).filter((value) => value.constant));
  for (const node of nodes) for (const value of node.inputs) if (value.constant) constants.add(value);
  const expanded = [...constants].filter(isLargeFill);
  const model: Message = {
    ir_version: opset < 19 ? IR_VERSION - 1 : IR_VERSION,
    producer_name: 'diffrl',
    producer_version: VERSION,
    opset_import: [{ domain: '', version: opset }],
    graph: {
      name,
      doc_string: `${nodes.length} operators, ${(productWork(nodes) / 1e6).toPrecision(4)} MFLOP in products`,
      node: [
        ...expanded.map((value) => expandMessage(names, value)),
        ...nodes.map((node, i) => nodeMessage(names, node, i)),
        ...copied.map(([output, value]) => ({ input: [names.of(value)], output: [output], op_type: 'Identity' })),
      ],
      initializer: [
        ...[...constants].map((value) => constantMessage(names, value)),
        ...expanded.map((value) => shapeMessage(names, value)),
      ],
      input: inputs.map(([input, value]) => valueMessage(input, value)),
      output: outputs.map(([output, value]) => valueMessage(output, value)),
    },
  };
  return encode(SCHEMA.Model!, model).finish();
}

/** What values are called in a file. Names that were not given begin as no given one does. */
class Names {
  private readonly given: Map<Value, string>;
  private readonly prefix: string;

  constructor(inputs: ModelDescription['inputs'], outputs: ModelDescription['outputs']) {
    this.given = new Map(inputs.map(([name, value]) => [value, name]));
    for (const [name, value] of outputs) if (value.node && !this.given.has(value)) this.given.set(value, name);
    let prefix = '_';
    while ([...inputs, ...outputs].some(([name]) => name.startsWith(prefix))) prefix += '_';
    this.prefix = prefix;
  }

  of(value: Value): string {
    return this.given.get(value) ?? this.inner(value.constant ? 'c' : 'n', value);
  }

  /** A name for a value, or for something that belongs to it, of its own kind. */
  inner(kind: string, { id }: Value): string {
    return `${this.prefix}${kind}${id}`;
  }
}

function nodeMessage(names: Names, node: Node, index: number): Message {
  return {
    name: `${node.operator}_${index}`,
    input: node.inputs.map((value) => names.of(value)),
    output: node.outputs.map((value) => names.of(value)),
    op_type: node.operator,
    attribute: Object.entries(node.attributes).map(([name, attribute]) => attributeMessage(name, attribute)),
  };
}

function attributeMessage(name: string, attribute: Attribute): Message {
  if (typeof attribute === 'number') return { name, type: 2, i: attribute };
  if (typeof attribute === 'string') return { name, type: 3, s: new TextEncoder().encode(attribute) };
  if ('float' in attribute) return { name, type: 1, f: attribute.float };
  return { name, type: 7, ints: attribute };
}

function valueMessage(name: string, value: Value): Message {
  const dim = value.shape.map((size) => (size === ANY_SIZE ? {} : { dim_value: size }));
  return { name, type: { tensor_type: { elem_type: ONNX_TYPE[value.type], shape: { dim } } } };
}

function isLargeFill(value: Value): boolean {
  return 'fill' in value.constant! && sizeOf(value.shape) > LARGEST_WRITTEN_FILL;
}

function constantMessage(names: Names, value: Value): Message {
  const data_type = ONNX_TYPE[value.type];
  if (!isLargeFill(value)) {
    return { name: names.of(value), data_type, dims: value.shape, raw_data: bytesOf(dataOf(value)) };
  }
  return { name: names.inner('f', value), data_type, dims: [], raw_data: bytesOf(dataOf({ ...value, shape: [] })) };
}

function expandMessage(names: Names, value: Value): Message {
  const input = [names.inner('f', value), names.inner('s', value)];
  return { input, output: [names.of(value)], op_type: 'Expand' };
}

function shapeMessage(names: Names, value: Value): Message {
  const shape = BigInt64Array.from(value.shape, BigInt);
  const name = names.inner('s', value);
  return { name, data_type: ONNX_TYPE.int64, dims: [shape.length], raw_data: bytesOf(shape) };
}

function bytesOf(data: ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

type Message = { readonly [field: string]: unknown };
type Schema = Readonly<Record<string, readonly [number: number, type: string]>>;

/** The part of the ONNX format that is used: field numbers and types by message. */
const SCHEMA: Readonly<Record<string, Schema>> = {
  Model: {
    ir_version: [1, 'int64'],
    producer_name: [2, 'string'],
    producer_version: [3, 'string'],
    graph: [7, 'Graph'],
    opset_import: [8, 'OperatorSetId'],
  },
  OperatorSetId: { domain: [1, 'string'], version: [2, 'int64'] },
  Graph: {
    node: [1, 'Node'],
    name: [2, 'string'],
    initializer: [5, 'Tensor'],
    input: [11, 'ValueInfo'],
    doc_string: [10, 'string'],
    output: [12, 'ValueInfo'],
  },
  Node: {
    input: [1, 'string'],
    output: [2, 'string'],
    name: [3, 'string'],
    op_type: [4, 'string'],
    attribute: [5, 'Attribute'],
  },
  Attribute: {
    name: [1, 'string'],
    f: [2, 'float'],
    i: [3, 'int64'],
    s: [4, 'bytes'],
    ints: [8, 'int64'],
    type: [20, 'int32'],
  },
  Tensor: { dims: [1, 'int64'], data_type: [2, 'int32'], name: [8, 'string'], raw_data: [9, 'bytes'] },
  ValueInfo: { name: [1, 'string'], type: [2, 'Type'] },
  Type: { tensor_type: [1, 'TensorType'] },
  TensorType: { elem_type: [1, 'int32'], shape: [2, 'TensorShape'] },
  TensorShape: { dim: [1, 'Dimension'] },
  Dimension: { dim_value: [1, 'int64'] },
};

/** Protocol-buffer wire types of scalar types; messages, strings and bytes are length-delimited. */
const WIRE_TYPES: Readonly<Record<string, number>> = { int32: 0, int64: 0, float: 5 };
const LENGTH_DELIMITED = 2;

function encode(schema: Schema, message: Message, writer = protobuf.Writer.create()): protobuf.Writer {
  for (const [field, content] of Object.entries(message)) {
    const [number, type] = schema[field]!;
    for (const item of Array.isArray(content) ? content : [content]) {
      writer.uint32((number << 3) | (WIRE_TYPES[type] ?? LENGTH_DELIMITED));
      const nested = SCHEMA[type];
      if (nested) encode(nested, item as Message, writer.fork()).ldelim();
      else writer[type as 'int64'](item as number);
    }
  }
  return writer;
}
