import { fuseGelu } from './fuseGelu.js';
import { type Graph, liveNodes, type Node, type Value } from './graph.js';
import { ProductMerger } from './mergeProducts.js';
import { OPSET_VERSION } from './onnx.js';

/** The operator set that first has Gelu. */
const GELU_SINCE = 20;

/** The nodes that compute `outputs`, in running order: the dead ones dropped, larger operators used where they fit. */
export function optimise(graph: Graph, outputs: readonly Value[], opset = OPSET_VERSION): Node[] {
  const wanted = new Set(outputs);
  const live = liveNodes(graph.nodes, outputs);
  const merged = liveNodes(ProductMerger.merge(graph, live, wanted), outputs);
  return opset < GELU_SINCE ? merged : liveNodes(fuseGelu(merged, wanted), outputs);
}
