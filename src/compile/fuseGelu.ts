import { fillOf, type Node, usesOf, type Value } from './graph.js';
import { sameShape } from './shapes.js';

/** Coefficients of x and x^3 in the logistic form of GELU, x sigmoid(a x + b x^3). */
const LINEAR = 2 * Math.sqrt(2 / Math.PI);
const CUBIC = 0.044715 * LINEAR;

/** Coefficients of 1, x, x^2, x^3. */
type Cubic = readonly [number, number, number, number];

/**
 * Replaces x sigmoid(a x + b x^3) by one Gelu operator where nothing else, such as a gradient, needs its parts.
 * Products, sums and powers are recognised in any order.
 */
export function fuseGelu(nodes: readonly Node[], outputs: ReadonlySet<Value>): Node[] {
  const uses = countUses(nodes);
  return nodes.map((node) => {
    const x = geluArgument(node, (gate) => uses.get(gate) === 1 && !outputs.has(gate));
    return x ? { operator: 'Gelu', inputs: [x], outputs: node.outputs, attributes: { approximate: 'tanh' } } : node;
  });
}

function countUses(nodes: readonly Node[]): Map<Value, number> {
  const uses = usesOf(nodes);
  return uses;
}

function geluArgument(
  { operator, inputs, outputs: [result] }: Node,
  isFree: (gate: Value) => boolean,
): Value | undefined {
  if (operator !== 'Mul') return undefined;
  for (const [x, gate] of [inputs, [inputs[1], inputs[0]]] as [Value, Value][]) {
    if (gate.node?.operator !== 'Sigmoid' || !isFree(gate) || !sameShape(x.shape, result!.shape)) continue;
    const cubic = cubicIn(x, gate.node.inputs[0]!);
    if (cubic && isGelu(cubic)) return x;
  }
  return undefined;
}

function isGelu([constant, linear, square, cube]: Cubic): boolean {
  const near = (a: number, b: number) => Math.abs(a - b) < 1e-6;
  return constant === 0 && square === 0 && near(linear, LINEAR) && near(cube, CUBIC);
}

/** `value` as a polynomial of `x`, if it is one of degree 3 at most, written with at most `depth` nested operators. */
function cubicIn(x: Value, value: Value, depth = 6): Cubic | undefined {
  if (value === x) return [0, 1, 0, 0];
  const fill = fillOf(value);
  if (fill !== undefined) return [fill, 0, 0, 0];
  const { operator, inputs } = value.node ?? {};
  if ((operator !== 'Mul' && operator !== 'Add') || depth === 0) return undefined;
  const [a, b] = inputs!.map((input) => cubicIn(x, input, depth - 1));
  if (!a || !b) return undefined;
  return operator === 'Mul' ? product(a, b) : (a.map((entry, i) => entry + b[i]!) as unknown as Cubic);
}

function product(a: Cubic, b: Cubic): Cubic | undefined {
  const result = [0, 0, 0, 0, 0, 0, 0];
  a.forEach((entry, i) => {
    b.forEach((other, j) => {
      result[i + j]! += entry * other;
    });
  });
  return result.slice(4).every((entry) => entry === 0) ? (result.slice(0, 4) as unknown as Cubic) : undefined;
}
