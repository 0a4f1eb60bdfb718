/**
 * A directed graph in typed arrays: nodes and links are small integers, each node has a linked list of the links that
 * leave it and one of those that reach it. Knows nothing of ids, types or measurements; costs are positive integers
 * (so sums are exact and their order does not matter), `Infinity` while a link is being taken out.
 */

/** The lists of one direction: `succ` leads away from the root of a tree, `pred` back to it. */
export interface LinkDirection {
  readonly firstSucc: Int32Array;
  readonly nextSucc: Int32Array;
  readonly succ: Int32Array;
  readonly firstPred: Int32Array;
  readonly nextPred: Int32Array;
  readonly pred: Int32Array;
}

const NONE = -1;

function grown(array: Int32Array, capacity: number): Int32Array {
  const larger = new Int32Array(capacity).fill(NONE);
  larger.set(array);
  return larger;
}

export class LinkGraph {
  /** Node indexes are below it; those of removed nodes are given out again. */
  nodeCapacity = 64;
  linkCount = 0;
  cost: Float64Array = new Float64Array(256);
  latencyMs: Float64Array = new Float64Array(256);
  load: Float64Array = new Float64Array(256);
  /** 1 where routes may pass through a node, 0 where they only begin or end. */
  transit: Uint8Array = new Uint8Array(64);
  forward: LinkDirection;
  reverse: LinkDirection;
  #nodeHigh = 0;
  readonly #freeNodes: number[] = [];
  #linkHigh = 0;
  readonly #freeLinks: number[] = [];
  #from: Int32Array = new Int32Array(256);
  #to: Int32Array = new Int32Array(256);
  #nextOut: Int32Array = new Int32Array(256);
  #nextIn: Int32Array = new Int32Array(256);
  #firstOut: Int32Array = new Int32Array(64).fill(NONE);
  #firstIn: Int32Array = new Int32Array(64).fill(NONE);
  #outDegree: Int32Array = new Int32Array(64);
  #inDegree: Int32Array = new Int32Array(64);

  constructor() {
    [this.forward, this.reverse] = this.#directions();
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

  addLink(from: number, to: number): number {
    const link = this.#freeLinks.pop() ?? this.#linkHigh++;
    if (link >= this.cost.length) this.#growLinks();
    this.#from[link] = from;
    this.#to[link] = to;
    this.#nextOut[link] = this.#firstOut[from];
    this.#firstOut[from] = link;
    this.#nextIn[link] = this.#firstIn[to];
    this.#firstIn[to] = link;
    this.cost[link] = Infinity;
    this.#outDegree[from]++;
    this.#inDegree[to]++;
    this.linkCount++;
    return link;
  }

  removeLink(link: number): void {
    const from = this.#from[link];
    const to = this.#to[link];
    unlink(this.#firstOut, this.#nextOut, from, link);
    unlink(this.#firstIn, this.#nextIn, to, link);
    this.#outDegree[from]--;
    this.#inDegree[to]--;
    this.#freeLinks.push(link);
    this.linkCount--;
  }

  /** The link between two nodes, or -1: walks the shorter of the two lists. */
  linkBetween(from: number, to: number): number {
    if (this.#outDegree[from] <= this.#inDegree[to]) {
      for (let link = this.#firstOut[from]; link !== NONE; link = this.#nextOut[link])
        if (this.#to[link] === to) return link;
    } else {
      for (let link = this.#firstIn[to]; link !== NONE; link = this.#nextIn[link])
        if (this.#from[link] === from) return link;
    }
    return NONE;
  }

  /** Some link that touches `node`, or -1. */
  anyLinkOf(node: number): number {
    return this.#firstOut[node] === NONE ? this.#firstIn[node] : this.#firstOut[node];
  }

  #growNodes(): void {
    this.nodeCapacity *= 2;
    this.#firstOut = grown(this.#firstOut, this.nodeCapacity);
    this.#firstIn = grown(this.#firstIn, this.nodeCapacity);
    this.#outDegree = largerInts(this.#outDegree, this.nodeCapacity);
    this.#inDegree = largerInts(this.#inDegree, this.nodeCapacity);
    const transit = new Uint8Array(this.nodeCapacity);
    transit.set(this.transit);
    this.transit = transit;
    [this.forward, this.reverse] = this.#directions();
  }

  #growLinks(): void {
    const capacity = this.cost.length * 2;
    this.cost = largerFloats(this.cost, capacity);
    this.latencyMs = largerFloats(this.latencyMs, capacity);
    this.load = largerFloats(this.load, capacity);
    this.#from = largerInts(this.#from, capacity);
    this.#to = largerInts(this.#to, capacity);
    this.#nextOut = largerInts(this.#nextOut, capacity);
    this.#nextIn = largerInts(this.#nextIn, capacity);
    [this.forward, this.reverse] = this.#directions();
  }

  #directions(): [LinkDirection, LinkDirection] {
    const outgoing = { first: this.#firstOut, next: this.#nextOut, node: this.#to };
    const incoming = { first: this.#firstIn, next: this.#nextIn, node: this.#from };
    return [direction(outgoing, incoming), direction(incoming, outgoing)];
  }
}

interface Lists {
  readonly first: Int32Array;
  readonly next: Int32Array;
  readonly node: Int32Array;
}

function direction(away: Lists, back: Lists): LinkDirection {
  return {
    firstSucc: away.first,
    nextSucc: away.next,
    succ: away.node,
    firstPred: back.first,
    nextPred: back.next,
    pred: back.node,
  };
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

function unlink(first: Int32Array, next: Int32Array, node: number, link: number): void {
  if (first[node] === link) {
    first[node] = next[link];
    return;
  }
  let before = first[node];
  while (next[before] !== link) before = next[before];
  next[before] = next[link];
}
