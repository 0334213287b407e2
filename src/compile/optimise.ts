import { fuseGelu } from './fuseGelu.js';
import { type Graph, liveNodes, type Node, type Value } from './graph.js';

/** The nodes that compute `outputs`, in running order: the dead ones dropped, larger operators used where they fit. */
export function optimise(graph: Graph, outputs: readonly Value[]): Node[] {
  const live = liveNodes(graph.nodes, outputs);
  return liveNodes(fuseGelu(live, new Set(outputs)), outputs);
}
