/**
 * What one player did and what came of it, for the last seconds: the input of every tick and the player's own entities after
 * it. A ring of words that grows as far as it may: when it is full, or a tick is too old, the oldest ticks go. For validation
 * and debugging; reading it allocates.
 *
 *     tick:   length in words, tick, origin, view tick * 256 in two words, snapshot, receipts, mode, the input's words,
 *             then every entity: table, id, its record
 */
import { exponentOf, powerOfTwo } from "../../math/power-of-two.ts";
import { INTERPOLATION_MODES, modeNumber } from "../interpolation/interpolation-mode.ts";
import type { ViewStamp } from "./player-input.ts";

export interface PlayerRecordsOptions {
  /** Most memory it takes; rounded down to a power of two. */
  readonly bytes: number;
  /** Ticks after which a tick is forgotten. */
  readonly ttlTicks: number;
  readonly inputWordCount: number;
}

/** One tick of a `PlayerRecords`. */
export interface RecordedTick {
  readonly tick: number;
  /** 0: the input was received, 1: repeated, 2: neutral. */
  readonly origin: 0 | 1 | 2;
  readonly view: ViewStamp;
  readonly input: Int32Array;
  readonly entities: readonly { readonly table: number; readonly id: number; readonly words: Int32Array }[];
}

export class PlayerRecords {
  /** Ticks kept. */
  ticks = 0;
  /** Ticks that went because there was no room, before their time. */
  evicted = 0;
  /** Ticks of which the ring is too small for all entities: those are not in it. */
  truncated = 0;
  readonly #options: PlayerRecordsOptions;
  /** A power of two of words, or none. */
  #ring: Int32Array;
  readonly #maxWords: number;
  /** Where the oldest tick begins, where the next word goes, and the words between the two. */
  #tail = 0;
  #head = 0;
  #used = 0;
  /** Of the tick being written: where it begins, and its words; 0 when it has found no room. */
  #start = 0;
  #length = 0;

  constructor(options: PlayerRecordsOptions) {
    this.#options = options;
    this.#maxWords = options.bytes < 4 ? 0 : powerOfTwo(exponentOf(options.bytes / 4));
    this.#ring = new Int32Array(Math.min(this.#maxWords, FIRST_WORDS));
  }

  /** Bytes in use. */
  get bytes(): number {
    return this.#used * 4;
  }

  /** Begins a tick with its input, the words at `words[at...]`. False: the history is off, or too small for it. */
  begin(tick: number, origin: 0 | 1 | 2, view: Readonly<ViewStamp>, words: Int32Array, at: number): boolean {
    const { inputWordCount, ttlTicks } = this.#options;
    while (this.ticks > 0 && this.#at(1) <= tick - ttlTicks) this.#forgetOldest();
    this.#start = this.#head;
    this.#length = 0;
    if (!this.#makeRoom(HEADER_WORDS + inputWordCount)) return false;
    this.ticks++;
    const views = view.viewTick < 0 ? -1 : view.viewTick * 256;
    const ring = this.#ring;
    const mask = ring.length - 1;
    const to = this.#head;
    ring[(to + 1) & mask] = tick;
    ring[(to + 2) & mask] = origin;
    ring[(to + 3) & mask] = Math.floor(views / 65_536);
    ring[(to + 4) & mask] = views & 0xffff;
    ring[(to + 5) & mask] = view.snapshotTick;
    ring[(to + 6) & mask] = view.receiptMask;
    ring[(to + 7) & mask] = modeNumber(view.mode);
    this.#advance(HEADER_WORDS);
    this.#append(words, at, inputWordCount);
    this.#ring[this.#start] = this.#length;
    return true;
  }

  /** Adds an entity of the player to the tick that was begun. */
  add(table: number, id: number, words: Int32Array, at: number, wordCount: number): void {
    if (this.#length === 0) return;
    if (!this.#makeRoom(ENTITY_WORDS + wordCount)) {
      this.truncated++;
      return;
    }
    const ring = this.#ring;
    const mask = ring.length - 1;
    const to = this.#head;
    ring[to] = table;
    ring[(to + 1) & mask] = id;
    ring[(to + 2) & mask] = wordCount;
    this.#advance(ENTITY_WORDS);
    this.#append(words, at, wordCount);
    this.#ring[this.#start] = this.#length;
  }

  /** The ticks from the oldest to the newest. */
  *read(): IterableIterator<RecordedTick> {
    const { inputWordCount } = this.#options;
    for (let at = 0; at < this.#used; at += this.#at(at)) {
      const end = at + this.#at(at);
      const views = this.#at(at + 3) * 65_536 + this.#at(at + 4);
      const entities = [];
      for (let e = at + HEADER_WORDS + inputWordCount; e < end; e += ENTITY_WORDS + this.#at(e + 2))
        entities.push({
          table: this.#at(e),
          id: this.#at(e + 1),
          words: this.#copy(e + ENTITY_WORDS, this.#at(e + 2)),
        });
      const origin = this.#at(at + 2);
      yield {
        tick: this.#at(at + 1),
        origin: origin === 0 ? 0 : origin === 1 ? 1 : 2,
        view: {
          viewTick: this.#at(at + 3) < 0 ? -1 : views / 256,
          snapshotTick: this.#at(at + 5),
          receiptMask: this.#at(at + 6),
          mode: INTERPOLATION_MODES[this.#at(at + 7)],
        },
        input: this.#copy(at + HEADER_WORDS, inputWordCount),
        entities,
      };
    }
  }

  clear(): void {
    this.#head = this.#tail = this.#used = this.#length = 0;
    this.ticks = 0;
  }

  /** Grows, or forgets old ticks, until so many words fit; false when they cannot. */
  #makeRoom(words: number): boolean {
    while (this.#used + words > this.#ring.length) {
      if (this.#ring.length < this.#maxWords) {
        this.#grow();
        continue;
      }
      // The tick being written does not go.
      if (this.#used === this.#length) return false;
      this.#forgetOldest();
      this.evicted++;
    }
    return true;
  }

  #grow(): void {
    const old = this.#ring;
    this.#ring = new Int32Array(Math.min(old.length * 2, this.#maxWords));
    this.#ring.set(old.subarray(this.#tail));
    this.#ring.set(old.subarray(0, this.#tail), old.length - this.#tail);
    this.#start = this.#used - this.#length;
    this.#tail = 0;
    this.#head = this.#used;
  }

  #forgetOldest(): void {
    const length = this.#at(0);
    this.#tail = (this.#tail + length) & (this.#ring.length - 1);
    this.#used -= length;
    this.ticks--;
  }

  #append(words: Int32Array, at: number, count: number): void {
    const ring = this.#ring;
    const mask = ring.length - 1;
    const to = this.#head;
    for (let i = 0; i < count; i++) ring[(to + i) & mask] = words[at + i];
    this.#advance(count);
  }

  /** So many words have been written. */
  #advance(count: number): void {
    this.#head = (this.#head + count) & (this.#ring.length - 1);
    this.#used += count;
    this.#length += count;
  }

  /** The word so many after the first one of the oldest tick. */
  #at(offset: number): number {
    return this.#ring[(this.#tail + offset) & (this.#ring.length - 1)];
  }

  #copy(from: number, count: number): Int32Array {
    return Int32Array.from({ length: count }, (_, i) => this.#at(from + i));
  }
}

/** What the ring begins with. */
const FIRST_WORDS = 1024;
const HEADER_WORDS = 8;
const ENTITY_WORDS = 3;
