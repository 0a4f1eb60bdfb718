/**
 * For each node the links at one of its sides, as one run of slots: neighbours, costs and links lie side by side, so that
 * looking at all of a node's links reads memory from front to back. A run that is full moves behind the others, with twice
 * the room.
 */
const SMALLEST_RUN = 4;

export class AdjacencyLists {
  /** By node: its links are in the slots from `start[node]` to before `start[node] + length[node]`, in no order. */
  start: Int32Array = new Int32Array(0);
  length: Int32Array = new Int32Array(0);
  /** By slot: the node at the other end, the cost of the link (`Infinity`: being taken out), and the link. */
  neighbour: Int32Array = new Int32Array(0);
  cost: Float64Array = new Float64Array(0);
  link: Int32Array = new Int32Array(0);
  /** By node: how many slots its run has. */
  #room: Int32Array = new Int32Array(0);
  /** By link: its slot. */
  #slot: Int32Array = new Int32Array(0);
  /** Slots given to runs, those that runs have left included. */
  #used = 0;

  growNodes(capacity: number): void {
    this.start = larger(this.start, capacity);
    this.length = larger(this.length, capacity);
    this.#room = larger(this.#room, capacity);
  }

  growLinks(capacity: number): void {
    this.#slot = larger(this.#slot, capacity);
  }

  add(node: number, neighbour: number, link: number, cost: number): void {
    if (this.length[node] === this.#room[node]) this.#moveRun(node);
    this.#put(this.start[node] + this.length[node]++, neighbour, link, cost);
  }

  remove(node: number, link: number): void {
    const slot = this.#slot[link];
    const last = this.start[node] + --this.length[node];
    if (slot !== last) this.#put(slot, this.neighbour[last], this.link[last], this.cost[last]);
  }

  costOf(link: number): number {
    return this.cost[this.#slot[link]];
  }

  setCost(link: number, cost: number): void {
    this.cost[this.#slot[link]] = cost;
  }

  /** The link from `node` to `neighbour`, or -1. */
  find(node: number, neighbour: number): number {
    const end = this.start[node] + this.length[node];
    for (let slot = this.start[node]; slot < end; slot++)
      if (this.neighbour[slot] === neighbour) return this.link[slot];
    return -1;
  }

  #put(slot: number, neighbour: number, link: number, cost: number): void {
    this.neighbour[slot] = neighbour;
    this.link[slot] = link;
    this.cost[slot] = cost;
    this.#slot[link] = slot;
  }

  #moveRun(node: number): void {
    const room = Math.max(SMALLEST_RUN, 2 * this.#room[node]);
    if (this.#used + room > this.link.length) this.#repack(room);
    this.#copyRun(node, this.neighbour, this.link, this.cost, this.#used);
    this.#room[node] = room;
    this.#used += room;
  }

  /** New storage, without the slots that runs have left, and with room for as many again. */
  #repack(more: number): void {
    const { neighbour, link, cost } = this;
    const needed = this.#room.reduce((sum, room) => sum + room, more);
    this.neighbour = new Int32Array(2 * needed);
    this.link = new Int32Array(2 * needed);
    this.cost = new Float64Array(2 * needed);
    this.#used = 0;
    for (let node = 0; node < this.#room.length; node++) {
      this.#copyRun(node, neighbour, link, cost, this.#used);
      this.#used += this.#room[node];
    }
  }

  #copyRun(node: number, neighbour: Int32Array, link: Int32Array, cost: Float64Array, to: number): void {
    const from = this.start[node];
    for (let i = 0; i < this.length[node]; i++) this.#put(to + i, neighbour[from + i], link[from + i], cost[from + i]);
    this.start[node] = to;
  }
}

function larger(array: Int32Array, capacity: number): Int32Array {
  const grown = new Int32Array(capacity);
  grown.set(array);
  return grown;
}
