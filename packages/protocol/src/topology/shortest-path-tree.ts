/**
 * The distances from one node to all others (or from all others to it), kept right while single links change.
 *
 * A link is *tight* when it explains the distance at its far end exactly; a route is read by walking tight links back to
 * the root. Distances are the whole truth; which tight link to follow is found when first asked for and remembered. A
 * link that gets worse matters only if it was tight, and then only to the nodes that no other tight link supports; one
 * that gets better matters only if it undercuts. Those nodes alone are computed again (G. Ramalingam and T. Reps, "An
 * incremental algorithm for a generalization of the shortest-path problem", 1996, for positive costs). Costs being
 * integers, "exactly" is exact.
 */
import type { IndexHeap } from "./index-heap.ts";
import type { LinkDirection, LinkGraph } from "./link-graph.ts";

/** Shared by all trees of one topology; `work` counts links looked at and ends a repair when it reaches `limit`. */
export interface TreeScratch {
  readonly heap: IndexHeap;
  readonly affected: Uint8Array;
  readonly list: Int32Array;
  work: number;
  limit: number;
}

/** What an answer keeps of the tree it was read from, so that it does not keep the tree. */
export interface TreeStamp {
  /** Changes whenever a route read from the tree may have changed; -1 once the tree is gone. */
  version: number;
  usedAt: number;
}

export class ShortestPathTree {
  readonly root: number;
  /** True: distances from the root, along the links. False: distances to the root, against them. */
  readonly forward: boolean;
  readonly distance: Float64Array;
  readonly stamp: TreeStamp = { version: 0, usedAt: 0 };
  /**
   * By node: the tight link to follow towards the root, or -1 where it is not known. Forgotten when the node's distance
   * or one that a link offers it has changed: whoever changes a distance looks at all links that lead on from there.
   */
  readonly #via: Int32Array;

  constructor(root: number, forward: boolean, nodeCapacity: number) {
    this.root = root;
    this.forward = forward;
    this.distance = new Float64Array(nodeCapacity).fill(Infinity);
    this.#via = new Int32Array(nodeCapacity).fill(-1);
  }

  /** Computes everything: Dijkstra's algorithm. */
  build(graph: LinkGraph, scratch: TreeScratch): void {
    this.distance[this.root] = 0;
    scratch.heap.push(this.root, 0);
    scratch.limit = Infinity;
    this.#spread(graph, this.#direction(graph), scratch);
  }

  /**
   * To be called after the cost of a link has gone from `oldCost` to its present one (`Infinity` is "no link").
   * False when the work would exceed the limit: the tree is then of no more use.
   */
  repair(graph: LinkGraph, link: number, oldCost: number, scratch: TreeScratch): boolean {
    const lists = this.#direction(graph);
    const near = lists.pred[link];
    const far = lists.succ[link];
    if (near !== this.root && graph.transit[near] === 0) return true;
    const distance = this.distance;
    const start = distance[near];
    if (start === Infinity) return true;
    const cost = graph.cost[link];
    const wasTight = start + oldCost === distance[far];
    if (!wasTight && start + cost > distance[far]) return true;
    this.stamp.version++;
    this.#via[far] = -1;
    if (cost < oldCost) {
      if (start + cost >= distance[far]) return true;
      distance[far] = start + cost;
      scratch.heap.push(far, distance[far]);
      return this.#spread(graph, lists, scratch);
    }
    if (!wasTight || cost === oldCost || distance[far] === Infinity) return true;
    return this.#lose(graph, lists, far, scratch);
  }

  /** Of the tight links that reach `node`, the one from the node with the lowest index; -1 at the root. */
  tightLink(graph: LinkGraph, node: number): number {
    const known = this.#via[node];
    return known !== -1 || node === this.root ? known : this.#findTightLink(graph, node);
  }

  #findTightLink(graph: LinkGraph, node: number): number {
    const { firstPred, nextPred, pred } = this.#direction(graph);
    const { cost, transit } = graph;
    const { distance, root } = this;
    const here = distance[node];
    let best = -1;
    let bestFrom = Infinity;
    for (let link = firstPred[node]; link !== -1; link = nextPred[link]) {
      const from = pred[link];
      if (distance[from] + cost[link] !== here || from >= bestFrom) continue;
      if (transit[from] === 0 && from !== root) continue;
      best = link;
      bestFrom = from;
    }
    this.#via[node] = best;
    return best;
  }

  /** `far` has lost a tight link: finds the nodes left without support, nearest first, and computes those again. */
  #lose(graph: LinkGraph, lists: LinkDirection, far: number, scratch: TreeScratch): boolean {
    const { heap, affected, list } = scratch;
    const { firstSucc, nextSucc, succ } = lists;
    const { cost, transit } = graph;
    const distance = this.distance;
    let count = 0;
    heap.push(far, distance[far]);
    while (heap.size > 0) {
      const node = heap.pop();
      if (this.#bestOffer(graph, lists, node, scratch) === distance[node]) continue;
      affected[node] = 1;
      list[count++] = node;
      if (transit[node] === 0) continue;
      const start = distance[node];
      for (let link = firstSucc[node]; link !== -1; link = nextSucc[link]) {
        scratch.work++;
        const end = succ[link];
        this.#via[end] = -1;
        if (start + cost[link] === distance[end]) heap.push(end, distance[end]);
      }
      if (scratch.work > scratch.limit) break;
    }
    const complete = heap.size === 0;
    if (complete) {
      for (let i = 0; i < count; i++) {
        const node = list[i];
        distance[node] = this.#bestOffer(graph, lists, node, scratch);
        if (distance[node] !== Infinity) heap.push(node, distance[node]);
      }
    } else heap.clear();
    for (let i = 0; i < count; i++) affected[list[i]] = 0;
    return complete && this.#spread(graph, lists, scratch);
  }

  /** The best distance that unaffected neighbours offer. */
  #bestOffer(graph: LinkGraph, lists: LinkDirection, node: number, scratch: TreeScratch): number {
    const { firstPred, nextPred, pred } = lists;
    const { cost, transit } = graph;
    const { distance, root } = this;
    const { affected } = scratch;
    let best = Infinity;
    for (let link = firstPred[node]; link !== -1; link = nextPred[link]) {
      scratch.work++;
      const from = pred[link];
      const offer = distance[from] + cost[link];
      if (offer >= best || affected[from] === 1 || (transit[from] === 0 && from !== root)) continue;
      best = offer;
    }
    return best;
  }

  /** Dijkstra's algorithm from what is in the heap. */
  #spread(graph: LinkGraph, lists: LinkDirection, scratch: TreeScratch): boolean {
    const { firstSucc, nextSucc, succ } = lists;
    const { cost, transit } = graph;
    const { distance, root } = this;
    const { heap } = scratch;
    const via = this.#via;
    while (heap.size > 0) {
      const node = heap.pop();
      if (transit[node] === 0 && node !== root) continue;
      const start = distance[node];
      for (let link = firstSucc[node]; link !== -1; link = nextSucc[link]) {
        scratch.work++;
        const end = succ[link];
        via[end] = -1;
        const offer = start + cost[link];
        if (offer >= distance[end]) continue;
        distance[end] = offer;
        heap.push(end, offer);
      }
      if (scratch.work > scratch.limit) {
        heap.clear();
        return false;
      }
    }
    return true;
  }

  #direction(graph: LinkGraph): LinkDirection {
    return this.forward ? graph.forward : graph.reverse;
  }
}
