import { dropRepeats } from './dropRepeats.js';
import { fuseBias } from './fuseBias.js';
import { fuseGelu } from './fuseGelu.js';
import { type Graph, liveNodes, type Node, type Value } from './graph.js';
import { ProductMerger } from './mergeProducts.js';
import { mergeSlices } from './mergeSlices.js';
import { OPSET_VERSION } from './onnx.js';
import { LaneStacker } from './stackLanes.js';
import { sumLanes } from './sumLanes.js';

/** The operator set that first has Gelu. */
const GELU_SINCE = 20;

/** The nodes that compute `outputs`, in running order: the dead ones dropped, larger operators used where they fit. */
export function optimise(graph: Graph, outputs: readonly Value[], opset = OPSET_VERSION): Node[] {
  const wanted = new Set(outputs);
  const live = liveNodes(graph.nodes, outputs);
  const stacked = liveNodes(LaneStacker.stack(graph, live, wanted), outputs);
  const merged = liveNodes(ProductMerger.merge(graph, stacked, wanted), outputs);
  const summed = liveNodes(sumLanes(graph, dropRepeats(merged, wanted), wanted), outputs);
  const fused = opset < GELU_SINCE ? summed : liveNodes(fuseGelu(summed, wanted), outputs);
  return mergeSlices(graph, liveNodes(fuseBias(fused, wanted), outputs));
}
