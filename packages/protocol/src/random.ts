/**
 * Seeded pseudo-random numbers: xoshiro128** (Blackman and Vigna), seeded through splitmix32.
 *
 * The same seed gives the same sequence on every machine, so a simulated network or a failing
 * test replays from one number. Not for keys, tokens or anything a player must not guess.
 */
export class Random {
  #a = 0;
  #b = 0;
  #c = 0;
  #d = 0;

  /** Any number serves as seed; only its low 32 bits count. */
  constructor(seed: number) {
    this.seed(seed);
  }

  /** Starts the sequence of `seed` anew. */
  seed(seed: number): void {
    let state = seed >>> 0;
    const split = (): number => {
      state = (state + 0x9e3779b9) | 0;
      let z = state ^ (state >>> 16);
      z = Math.imul(z, 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      return z ^ (z >>> 15);
    };
    this.#a = split();
    this.#b = split();
    this.#c = split();
    this.#d = split();
    // The all-zero state would stay zero for ever.
    if ((this.#a | this.#b | this.#c | this.#d) === 0) this.#a = 1;
  }

  /** An integer in [0, 2^32). */
  uint32(): number {
    const b = this.#b;
    let result = Math.imul(b, 5);
    result = Math.imul((result << 7) | (result >>> 25), 9);
    this.#c ^= this.#a;
    this.#d ^= b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= b << 9;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result >>> 0;
  }

  /** A number in [0, 1), in steps of 2^-32. */
  next(): number {
    return this.uint32() / 0x1_0000_0000;
  }

  /** An integer in [0, limit); `limit` is at most 2^32. */
  int(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** True with probability `rate`; 0 is never, 1 is always. */
  chance(rate: number): boolean {
    return rate > 0 && this.next() < rate;
  }

  /** Fills `target`, or a new array of `length`, with pseudo-random bytes: entropy for tests only. */
  bytes(length: number, target: Uint8Array = new Uint8Array(length)): Uint8Array {
    for (let i = 0; i < length; i += 1) target[i] = this.uint32();
    return target;
  }
}
