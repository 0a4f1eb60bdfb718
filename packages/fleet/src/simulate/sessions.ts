/**
 * Who plays where and until when: millions of parties in columns. Each is in the list of its node, so that a lost node's can
 * be found, and in the slot of a wheel for the tick at which it ends.
 */
export const MAX_PARTY = 4;

export class Sessions {
  /** By session. */
  node: Int32Array;
  seats: Uint8Array;
  place: Uint16Array;
  /** Players, `MAX_PARTY` for each session. */
  players: Uint32Array;
  endTick: Int32Array;
  #nextOnNode: Int32Array;
  #previousOnNode: Int32Array;
  #nextInSlot: Int32Array;
  readonly #firstOnNode: Int32Array;
  readonly #slots: Int32Array;
  #free = -1;
  #end = 0;

  /** No session is longer than `maxTicks`. */
  constructor(options: { readonly maxNodes: number; readonly maxTicks: number; readonly initial?: number }) {
    const { maxNodes, maxTicks, initial = 1 << 16 } = options;
    this.#firstOnNode = new Int32Array(maxNodes).fill(-1);
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(maxTicks + 2))).fill(-1);
    this.node = new Int32Array(initial);
    this.seats = new Uint8Array(initial);
    this.place = new Uint16Array(initial);
    this.players = new Uint32Array(initial * MAX_PARTY);
    this.endTick = new Int32Array(initial);
    this.#nextOnNode = new Int32Array(initial);
    this.#previousOnNode = new Int32Array(initial);
    this.#nextInSlot = new Int32Array(initial);
  }

  add(node: number, place: number, players: readonly number[], endTick: number): number {
    const session = this.#take();
    this.node[session] = node;
    this.seats[session] = players.length;
    this.place[session] = place;
    for (let i = 0; i < players.length; i++) this.players[session * MAX_PARTY + i] = players[i];
    this.endTick[session] = endTick;
    const next = this.#firstOnNode[node];
    this.#nextOnNode[session] = next;
    this.#previousOnNode[session] = -1;
    if (next >= 0) this.#previousOnNode[next] = session;
    this.#firstOnNode[node] = session;
    const slot = endTick & (this.#slots.length - 1);
    this.#nextInSlot[session] = this.#slots[slot];
    this.#slots[slot] = session;
    return session;
  }

  /** Calls for each session that ends at that tick, then forgets it. */
  expire(tick: number, ended: (session: number) => void): void {
    const slot = tick & (this.#slots.length - 1);
    let session = this.#slots[slot];
    this.#slots[slot] = -1;
    while (session >= 0) {
      const next = this.#nextInSlot[session];
      // Not when it was evicted.
      if (this.node[session] >= 0) {
        ended(session);
        this.#unlink(session);
      }
      this.#nextInSlot[session] = this.#free;
      this.#free = session;
      session = next;
    }
  }

  /** Calls for each session on the node, and takes it away. */
  evict(node: number, evicted: (session: number) => void): void {
    for (let session = this.#firstOnNode[node]; session >= 0; session = this.#firstOnNode[node]) {
      evicted(session);
      this.#unlink(session);
      // Its place is free for another when its slot comes.
      this.node[session] = -1;
    }
  }

  playersOf(session: number): number[] {
    const from = session * MAX_PARTY;
    const players: number[] = [];
    for (let i = 0; i < this.seats[session]; i++) players.push(this.players[from + i]);
    return players;
  }

  #unlink(session: number): void {
    const next = this.#nextOnNode[session];
    const previous = this.#previousOnNode[session];
    if (next >= 0) this.#previousOnNode[next] = previous;
    if (previous >= 0) this.#nextOnNode[previous] = next;
    else this.#firstOnNode[this.node[session]] = next;
  }

  #take(): number {
    const free = this.#free;
    if (free >= 0) {
      this.#free = this.#nextInSlot[free];
      return free;
    }
    if (this.#end === this.node.length) this.#grow();
    return this.#end++;
  }

  #grow(): void {
    this.node = larger(this.node);
    this.seats = larger(this.seats);
    this.place = larger(this.place);
    this.players = larger(this.players);
    this.endTick = larger(this.endTick);
    this.#nextOnNode = larger(this.#nextOnNode);
    this.#previousOnNode = larger(this.#previousOnNode);
    this.#nextInSlot = larger(this.#nextInSlot);
  }
}

function larger<T extends Int32Array | Uint8Array | Uint16Array | Uint32Array>(old: T): T {
  const array = new (old.constructor as new (length: number) => T)(2 * old.length);
  array.set(old);
  return array;
}
