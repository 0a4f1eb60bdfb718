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
import type { AdjacencyLists } from "./adjacency-lists.ts";
import type { IndexHeap } from "./index-heap.ts";
import type { LinkGraph } from "./link-graph.ts";

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

/** What a tree fills, a number for each node; of a tree that is gone it serves another one. */
export interface TreeStorage {
  readonly distance: Float64Array;
  /**
   * The tight link to follow towards the root, or -1 where it is not known. Forgotten when the node's distance
   * or one that a link offers it has changed: whoever changes a distance looks at all links that lead on from there.
   */
  readonly via: Int32Array;
}

export class ShortestPathTree {
  readonly root: number;
  /** True: distances from the root, along the links. False: distances to the root, against them. */
  readonly forward: boolean;
  readonly storage: TreeStorage;
  readonly stamp: TreeStamp = { version: 0, usedAt: 0 };
  readonly #graph: LinkGraph;
  /** Lead away from the root, and back to it. */
  readonly #away: AdjacencyLists;
  readonly #back: AdjacencyLists;

  /** Computes everything. */
  constructor(root: number, forward: boolean, graph: LinkGraph, scratch: TreeScratch, storage: TreeStorage) {
    this.root = root;
    this.forward = forward;
    this.storage = storage;
    this.#graph = graph;
    this.#away = forward ? graph.out : graph.into;
    this.#back = forward ? graph.into : graph.out;
    storage.distance.fill(Infinity);
    storage.via.fill(-1);
    storage.distance[root] = 0;
    scratch.heap.push(root, 0);
    scratch.limit = Infinity;
    this.#spread(scratch);
  }

  /** `Infinity`: it is not reached. */
  distance(node: number): number {
    return this.storage.distance[node];
  }

  /**
   * To be called after the cost of a link has gone from `oldCost` to its present one (`Infinity` is "no link").
   * False when the work would exceed the limit: the tree is then of no more use.
   */
  repair(link: number, oldCost: number, scratch: TreeScratch): boolean {
    const { transit, from, to } = this.#graph;
    const near = this.forward ? from[link] : to[link];
    const far = this.forward ? to[link] : from[link];
    if (near !== this.root && transit[near] === 0) return true;
    const { distance, via } = this.storage;
    const start = distance[near];
    if (start === Infinity) return true;
    const cost = this.#graph.cost(link);
    const wasTight = start + oldCost === distance[far];
    if (!wasTight && start + cost > distance[far]) return true;
    this.stamp.version++;
    via[far] = -1;
    if (cost < oldCost) {
      if (start + cost >= distance[far]) return true;
      distance[far] = start + cost;
      if (transit[far] === 1) scratch.heap.push(far, distance[far]);
      return this.#spread(scratch);
    }
    if (!wasTight || cost === oldCost || distance[far] === Infinity) return true;
    return this.#lose(far, scratch);
  }

  /** Of the tight links that reach `node`, the one from the node with the lowest index; -1 at the root. */
  tightLink(node: number): number {
    const known = this.storage.via[node];
    return known !== -1 || node === this.root ? known : this.#findTightLink(node);
  }

  /** The node before a link, on the way to the root. */
  nodeBefore(link: number): number {
    return this.forward ? this.#graph.from[link] : this.#graph.to[link];
  }

  #findTightLink(node: number): number {
    const { neighbour, cost, start, length, link } = this.#back;
    const { transit } = this.#graph;
    const { distance, via } = this.storage;
    const here = distance[node];
    let best = -1;
    let bestFrom = Infinity;
    const end = start[node] + length[node];
    for (let slot = start[node]; slot < end; slot++) {
      const from = neighbour[slot];
      if (distance[from] + cost[slot] !== here || from >= bestFrom) continue;
      if (transit[from] === 0 && from !== this.root) continue;
      best = link[slot];
      bestFrom = from;
    }
    via[node] = best;
    return best;
  }

  /** `far` has lost a tight link: finds the nodes left without support, nearest first, and computes those again. */
  #lose(far: number, scratch: TreeScratch): boolean {
    const { heap, affected, list } = scratch;
    const { transit } = this.#graph;
    const { distance } = this.storage;
    let count = 0;
    if (transit[far] === 1) heap.push(far, distance[far]);
    else list[count++] = far;
    while (heap.size > 0 && scratch.work <= scratch.limit) {
      const node = heap.pop();
      if (this.#bestOffer(node, scratch) === distance[node]) continue;
      affected[node] = 1;
      list[count++] = node;
      count = this.#doubt(node, count, scratch);
    }
    for (let i = 0; i < count && scratch.work <= scratch.limit; i++) {
      const node = list[i];
      distance[node] = this.#bestOffer(node, scratch);
      if (distance[node] !== Infinity && transit[node] === 1) heap.push(node, distance[node]);
    }
    for (let i = 0; i < count; i++) affected[list[i]] = 0;
    return this.#spread(scratch);
  }

  /**
   * Nodes that may have had their support from `from` alone. Those that forward nothing support nobody, so they are not looked
   * at one by one: they join the list of nodes to be computed again, which is returned as its new length.
   */
  #doubt(from: number, listed: number, scratch: TreeScratch): number {
    const { heap, affected, list } = scratch;
    const { neighbour, cost, start, length } = this.#away;
    const { transit } = this.#graph;
    const { distance, via } = this.storage;
    const here = distance[from];
    let count = listed;
    const end = start[from] + length[from];
    scratch.work += length[from];
    for (let slot = start[from]; slot < end; slot++) {
      const node = neighbour[slot];
      via[node] = -1;
      if (here + cost[slot] !== distance[node]) continue;
      if (transit[node] === 1) heap.push(node, distance[node]);
      else if (affected[node] === 0) {
        affected[node] = 1;
        list[count++] = node;
      }
    }
    return count;
  }

  /** The best distance that unaffected neighbours offer. */
  #bestOffer(node: number, scratch: TreeScratch): number {
    const { neighbour, cost, start, length } = this.#back;
    const { transit } = this.#graph;
    const { root } = this;
    const { distance } = this.storage;
    const { affected } = scratch;
    let best = Infinity;
    const end = start[node] + length[node];
    scratch.work += length[node];
    for (let slot = start[node]; slot < end; slot++) {
      const from = neighbour[slot];
      const offer = distance[from] + cost[slot];
      if (offer >= best || affected[from] === 1 || (transit[from] === 0 && from !== root)) continue;
      best = offer;
    }
    return best;
  }

  /** Dijkstra's algorithm from what is in the heap. False, and the heap empty, when that is too much work. */
  #spread(scratch: TreeScratch): boolean {
    const { neighbour, cost, start, length } = this.#away;
    const { transit } = this.#graph;
    const { distance, via } = this.storage;
    const { heap } = scratch;
    while (heap.size > 0 && scratch.work <= scratch.limit) {
      const node = heap.pop();
      const here = distance[node];
      const end = start[node] + length[node];
      scratch.work += length[node];
      for (let slot = start[node]; slot < end; slot++) {
        const next = neighbour[slot];
        via[next] = -1;
        const offer = here + cost[slot];
        if (offer >= distance[next]) continue;
        distance[next] = offer;
        // Who forwards nothing leads nowhere.
        if (transit[next] === 1) heap.push(next, offer);
      }
    }
    heap.clear();
    return scratch.work <= scratch.limit;
  }
}
