/** Which stream bytes each packet under way carries: a ring of (offset, length), addressed by a running index. */
export class SentChunks {
  /** Index the next chunk gets. */
  head: number;
  #tail: number;
  #offset: Float64Array;
  #length: Int32Array;

  constructor() {
    this.head = 0;
    this.#tail = 0;
    this.#offset = new Float64Array(64);
    this.#length = new Int32Array(64);
  }

  get isFull(): boolean {
    return this.head - this.#tail === this.#length.length;
  }

  /** Chunks below `index` are not asked for any more. */
  releaseBelow(index: number): void {
    this.#tail = index;
  }

  add(offset: number, length: number): void {
    if (this.isFull) this.#grow();
    const slot = this.head & (this.#length.length - 1);
    this.#offset[slot] = offset;
    this.#length[slot] = length;
    this.head++;
  }

  offset(index: number): number {
    return this.#offset[index & (this.#length.length - 1)];
  }

  length(index: number): number {
    return this.#length[index & (this.#length.length - 1)];
  }

  #grow(): void {
    const capacity = this.#length.length * 2;
    const offset = new Float64Array(capacity);
    const length = new Int32Array(capacity);
    for (let index = this.#tail; index < this.head; index++) {
      offset[index & (capacity - 1)] = this.offset(index);
      length[index & (capacity - 1)] = this.length(index);
    }
    this.#offset = offset;
    this.#length = length;
  }
}
