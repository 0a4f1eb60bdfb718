/**
 * The random numbers of a game step: xoshiro128**, reseeded at every tick, so that server,
 * prediction and replay draw the same numbers. Seeded from a number that all clients know, or from a key that only
 * the server and the owner of an entity have.
 *
 * Source: Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2018.
 */
import { chacha20Block } from "./chacha20-block.ts";

export class TickRandom {
  #a = 1;
  #b = 2;
  #c = 3;
  #d = 4;
  /** What the next number must be seeded with first: most ticks draw none. */
  #seed = 0;
  #tick = 0;
  #isStale = false;

  /** Starts the sequence that belongs to these numbers. */
  reseed(seed: number, tick: number): void {
    this.#seed = seed;
    this.#tick = tick;
    this.#isStale = true;
  }

  /**
   * Starts the sequence of an entity in a tick. Without the key (8 words) nobody can tell it, not from any number of
   * other sequences either.
   */
  reseedSecretly(key: Uint32Array, tick: number, entityId: number): void {
    chacha20Block(key, tick, entityId, 0, 0, block);
    this.#isStale = false;
    this.#a = block[0];
    this.#b = block[1];
    this.#c = block[2];
    this.#d = block[3] | 1;
  }

  /** Whether a number was drawn since it was seeded. */
  get isDrawn(): boolean {
    return !this.#isStale;
  }

  /** 32 random bits as an unsigned integer. */
  bits(): number {
    if (this.#isStale) this.#seedNow();
    const scrambled = Math.imul(this.#b, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0;
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result;
  }

  /** From 0 up to but not including 1. */
  next(): number {
    return this.bits() / 0x1_0000_0000;
  }

  /** From `min` up to but not including `max`. */
  between(min: number, max: number): number {
    return min + this.next() * (max - min);
  }

  /** An integer from 0 up to but not including `bound`. */
  integer(bound: number): number {
    return Math.floor(this.next() * bound);
  }

  #seedNow(): void {
    this.#isStale = false;
    const seed = this.#seed;
    const tick = this.#tick;
    let state = (seed ^ Math.imul(tick + 1, 0x9e3779b1) ^ 0x85ebca77) | 0;
    state = (state + 0x9e3779b9) | 0;
    this.#a = mix(state);
    state = (state + 0x9e3779b9) | 0;
    this.#b = mix(state);
    state = (state + 0x9e3779b9) | 0;
    this.#c = mix(state);
    state = (state + 0x9e3779b9) | 0;
    this.#d = mix(state) | 1;
  }
}

/** Bytes that follow from a seed: for tests, where nothing has to be secret. */
export function bytesFromSeed(seed: number): (length: number) => Uint8Array {
  const random = new TickRandom();
  random.reseed(seed, -1);
  return (length) => Uint8Array.from({ length }, () => random.integer(256));
}

/** The finaliser of MurmurHash3. */
function mix(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

const block = new Uint32Array(16);
