/**
 * A directed graph in typed arrays: nodes and links are small integers, each node has a list of the links that leave it
 * and one of those that reach it. Knows nothing of ids, types or measurements; costs are positive integers
 * (so sums are exact and their order does not matter), `Infinity` while a link is being taken out.
 */
import { AdjacencyLists } from "./adjacency-lists.ts";

export class LinkGraph {
  /** Node indexes are below it; those of removed nodes are given out again. */
  nodeCapacity = 64;
  linkCount = 0;
  /** By node: the links that leave it, and those that reach it. */
  readonly out: AdjacencyLists = new AdjacencyLists();
  readonly into: AdjacencyLists = new AdjacencyLists();
  /** By link. */
  from: Int32Array = new Int32Array(256);
  to: Int32Array = new Int32Array(256);
  latencyMs: Float64Array = new Float64Array(256);
  load: Float64Array = new Float64Array(256);
  /** 1 where routes may pass through a node, 0 where they only begin or end. */
  transit: Uint8Array = new Uint8Array(64);
  #nodeHigh = 0;
  readonly #freeNodes: number[] = [];
  #linkHigh = 0;
  readonly #freeLinks: number[] = [];

  constructor() {
    for (const lists of [this.out, this.into]) {
      lists.growNodes(this.nodeCapacity);
      lists.growLinks(this.from.length);
    }
  }

  addNode(transit: boolean): number {
    const node = this.#freeNodes.pop() ?? this.#nodeHigh++;
    if (node >= this.nodeCapacity) this.#growNodes();
    this.transit[node] = transit ? 1 : 0;
    return node;
  }

  /** Its links must be gone. */
  removeNode(node: number): void {
    this.#freeNodes.push(node);
  }

  /** A link that costs `Infinity` still. */
  addLink(from: number, to: number): number {
    const link = this.#freeLinks.pop() ?? this.#linkHigh++;
    if (link >= this.from.length) this.#growLinks();
    this.from[link] = from;
    this.to[link] = to;
    this.out.add(from, to, link, Infinity);
    this.into.add(to, from, link, Infinity);
    this.linkCount++;
    return link;
  }

  removeLink(link: number): void {
    this.out.remove(this.from[link], link);
    this.into.remove(this.to[link], link);
    this.#freeLinks.push(link);
    this.linkCount--;
  }

  cost(link: number): number {
    return this.out.costOf(link);
  }

  setCost(link: number, cost: number): void {
    this.out.setCost(link, cost);
    this.into.setCost(link, cost);
  }

  /** The link between two nodes, or -1: walks the shorter of the two lists. */
  linkBetween(from: number, to: number): number {
    const isShort = this.out.length[from] <= this.into.length[to];
    return isShort ? this.out.find(from, to) : this.into.find(to, from);
  }

  /** Some link that touches `node`, or -1. */
  anyLinkOf(node: number): number {
    for (const { start, length, link } of [this.out, this.into]) if (length[node] > 0) return link[start[node]];
    return -1;
  }

  #growNodes(): void {
    this.nodeCapacity *= 2;
    this.out.growNodes(this.nodeCapacity);
    this.into.growNodes(this.nodeCapacity);
    const transit = new Uint8Array(this.nodeCapacity);
    transit.set(this.transit);
    this.transit = transit;
  }

  #growLinks(): void {
    const capacity = this.from.length * 2;
    this.from = largerInts(this.from, capacity);
    this.to = largerInts(this.to, capacity);
    this.latencyMs = largerFloats(this.latencyMs, capacity);
    this.load = largerFloats(this.load, capacity);
    this.out.growLinks(capacity);
    this.into.growLinks(capacity);
  }
}

function largerInts(array: Int32Array, capacity: number): Int32Array {
  const larger = new Int32Array(capacity);
  larger.set(array);
  return larger;
}

function largerFloats(array: Float64Array, capacity: number): Float64Array {
  const larger = new Float64Array(capacity);
  larger.set(array);
  return larger;
}
