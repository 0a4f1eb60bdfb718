/**
 * The connect tokens a server has seen, by their tag: which address used each, and where the server's
 * sequence numbers under its key stand, so that no nonce repeats when the same token connects again.
 *
 * A ring: at the limit the oldest token is forgotten, and counted if it had not expired. Only tokens
 * that authenticated get here, so a stranger cannot fill it.
 */
export class TokenHistory {
  readonly #capacity: number;
  readonly #tags: Uint32Array;
  readonly #addresses: string[];
  readonly #expireAt: Float64Array;
  readonly #nextSequence: Float64Array;
  readonly #spent: Uint8Array;
  readonly #heads: Int32Array;
  readonly #next: Int32Array;
  readonly #serials: Float64Array;
  #added = 0;

  /** Unexpired tokens forgotten at the limit. */
  evicted = 0;

  constructor(capacity: number) {
    let buckets = 16;
    while (buckets < capacity) buckets *= 2;
    this.#capacity = capacity;
    this.#tags = new Uint32Array(capacity * 4);
    this.#addresses = Array.from({ length: capacity }, () => "");
    this.#expireAt = new Float64Array(capacity);
    this.#nextSequence = new Float64Array(capacity);
    this.#spent = new Uint8Array(capacity);
    this.#heads = new Int32Array(buckets).fill(-1);
    this.#next = new Int32Array(capacity).fill(-1);
    this.#serials = new Float64Array(capacity).fill(-1);
  }

  /** Tokens held now. */
  get size(): number {
    return Math.min(this.#added, this.#capacity);
  }

  /** The serial of the token with the 16-byte tag at `offset`, or -1. */
  find(buffer: Uint8Array, offset: number): number {
    const a = word(buffer, offset);
    const b = word(buffer, offset + 4);
    const c = word(buffer, offset + 8);
    const d = word(buffer, offset + 12);
    const tags = this.#tags;
    let entry = this.#heads[a & (this.#heads.length - 1)];
    while (entry >= 0) {
      const at = entry * 4;
      if (tags[at] === a && tags[at + 1] === b && tags[at + 2] === c && tags[at + 3] === d) return this.#serials[entry];
      entry = this.#next[entry];
    }
    return -1;
  }

  /** Adds a token that is not in it and returns its serial. */
  add(buffer: Uint8Array, offset: number, address: string, expireAt: number, unixNow: number): number {
    const serial = this.#added++;
    const entry = serial % this.#capacity;
    if (serial >= this.#capacity) {
      if (this.#expireAt[entry] > unixNow) this.evicted++;
      this.#unlink(entry);
    }
    for (let i = 0; i < 4; i++) this.#tags[entry * 4 + i] = word(buffer, offset + i * 4);
    this.#addresses[entry] = address;
    this.#expireAt[entry] = expireAt;
    this.#nextSequence[entry] = 0;
    this.#spent[entry] = 0;
    this.#serials[entry] = serial;
    const bucket = this.#tags[entry * 4] & (this.#heads.length - 1);
    this.#next[entry] = this.#heads[bucket];
    this.#heads[bucket] = entry;
    return serial;
  }

  /** True when this address may use the token. */
  admits(serial: number, address: string): boolean {
    const entry = this.#entry(serial);
    return entry >= 0 && this.#addresses[entry] === address && this.#spent[entry] === 0;
  }

  /** Never admits this token again. */
  spend(serial: number): void {
    const entry = this.#entry(serial);
    if (entry >= 0) this.#spent[entry] = 1;
  }

  nextSequence(serial: number): number {
    const entry = this.#entry(serial);
    return entry < 0 ? 0 : this.#nextSequence[entry];
  }

  setNextSequence(serial: number, sequence: number): void {
    const entry = this.#entry(serial);
    if (entry >= 0) this.#nextSequence[entry] = sequence;
  }

  #entry(serial: number): number {
    if (serial < 0) return -1;
    const entry = serial % this.#capacity;
    return this.#serials[entry] === serial ? entry : -1;
  }

  #unlink(entry: number): void {
    const bucket = this.#tags[entry * 4] & (this.#heads.length - 1);
    if (this.#heads[bucket] === entry) {
      this.#heads[bucket] = this.#next[entry];
      return;
    }
    let at = this.#heads[bucket];
    while (this.#next[at] !== entry) at = this.#next[at];
    this.#next[at] = this.#next[entry];
  }
}

function word(buffer: Uint8Array, at: number): number {
  return (buffer[at] | (buffer[at + 1] << 8) | (buffer[at + 2] << 16) | (buffer[at + 3] << 24)) >>> 0;
}
