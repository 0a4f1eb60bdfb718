/** The connections that have something to send, each once, first come first served. */
export class ReadyRing {
  readonly #ring: Int32Array;
  readonly #queued: Uint8Array;
  #head = 0;
  #count = 0;

  /** Ids run from 0 to `capacity - 1`. */
  constructor(capacity: number) {
    let size = 1;
    while (size < capacity) size *= 2;
    this.#ring = new Int32Array(size);
    this.#queued = new Uint8Array(capacity);
  }

  /** Queues an id at the end unless it is queued. */
  push(id: number): void {
    if (this.#queued[id] !== 0) return;
    this.#queued[id] = 1;
    const mask = this.#ring.length - 1;
    this.#ring[(this.#head + this.#count++) & mask] = id;
  }

  /** The id that waited longest, no longer queued, or -1. */
  shift(): number {
    if (this.#count === 0) return -1;
    const id = this.#ring[this.#head];
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    this.#count--;
    this.#queued[id] = 0;
    return id;
  }
}
