/** Which stream bytes each packet under way carries: a ring of (stream, offset, length), addressed by a running index. */
export class SentChunks {
  /** Index the next chunk gets. */
  head: number;
  #tail: number;
  #stream: Uint8Array;
  #offset: Float64Array;
  #length: Int32Array;

  constructor() {
    this.head = 0;
    this.#tail = 0;
    this.#stream = new Uint8Array(64);
    this.#offset = new Float64Array(64);
    this.#length = new Int32Array(64);
  }

  get isFull(): boolean {
    return this.head - this.#tail === this.#length.length;
  }

  /** False once the chunks of a packet were given up, for packets long past. */
  holds(index: number): boolean {
    return index >= this.#tail;
  }

  /** Chunks below `index` are not asked for any more. */
  releaseBelow(index: number): void {
    this.#tail = index;
  }

  add(stream: number, offset: number, length: number): void {
    if (this.isFull) this.#grow();
    const slot = this.head & (this.#length.length - 1);
    this.#stream[slot] = stream;
    this.#offset[slot] = offset;
    this.#length[slot] = length;
    this.head++;
  }

  stream(index: number): number {
    return this.#stream[index & (this.#length.length - 1)];
  }

  offset(index: number): number {
    return this.#offset[index & (this.#length.length - 1)];
  }

  length(index: number): number {
    return this.#length[index & (this.#length.length - 1)];
  }

  #grow(): void {
    const capacity = this.#length.length * 2;
    const stream = new Uint8Array(capacity);
    const offset = new Float64Array(capacity);
    const length = new Int32Array(capacity);
    for (let index = this.#tail; index < this.head; index++) {
      const slot = index & (capacity - 1);
      stream[slot] = this.stream(index);
      offset[slot] = this.offset(index);
      length[slot] = this.length(index);
    }
    this.#stream = stream;
    this.#offset = offset;
    this.#length = length;
  }
}
