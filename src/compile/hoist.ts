import { type Node, producersOf, type Value } from './graph.js';
import { nodeWork } from './work.js';

/** Nodes with less work than this are cheaper to repeat than to hand from one model to another. */
const WORTH_KEEPING = 50e3;

/** Nodes that need to run only when variables change, and the rest. */
export interface Split {
  readonly hoisted: readonly Node[];
  readonly rest: readonly Node[];
  /** Values that pass from the first to the second. */
  readonly kept: readonly Value[];
}

/**
 * Takes out the expensive nodes that depend on nothing but `variables` (a time embedding, a split kernel), with what
 * they need: between changes of the variables their results can be kept.
 */
export function hoist(nodes: readonly Node[], variables: ReadonlySet<Value>, outputs: readonly Value[]): Split {
  if (variables.size === 0) return { hoisted: [], rest: nodes, kept: [] };
  const producers = producersOf(nodes);
  const fixed = new Set<Value>();
  const expensive: Node[] = [];
  for (const node of nodes) {
    if (!node.inputs.every((value) => value.constant || variables.has(value) || fixed.has(value))) continue;
    for (const value of node.outputs) fixed.add(value);
    if (nodeWork(node) >= WORTH_KEEPING) expensive.push(node);
  }
  const hoisted = new Set<Node>();
  const pending = [...expensive];
  for (let node = pending.pop(); node; node = pending.pop()) {
    if (hoisted.has(node)) continue;
    hoisted.add(node);
    for (const source of node.inputs.map((value) => producers.get(value))) if (source) pending.push(source);
  }
  const rest = nodes.filter((node) => !hoisted.has(node));
  const used = new Set([...rest.flatMap((node) => node.inputs), ...outputs]);
  const kept = [...hoisted].flatMap((node) => node.outputs).filter((value) => used.has(value));
  return { hoisted: nodes.filter((node) => hoisted.has(node)), rest, kept };
}
