/**
 * What one player did and what came of it, for the last seconds: the input of every tick and the player's own entities after
 * it. A ring of words: when it is full, or a tick is too old, the oldest ticks go. For validation and debugging;
 * reading it allocates.
 *
 *     tick:   length in words, tick, origin, view tick * 256 in two words, snapshot, receipts, mode, the input's words,
 *             then every entity: table, id, its record
 */
import { INTERPOLATION_MODES } from "../interpolation/interpolation-mode.ts";
import type { ViewStamp } from "./player-input.ts";

export interface PlayerRecordsOptions {
  /** Most memory it takes. */
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
  readonly #ring: Int32Array;
  /** Where the oldest tick begins, where the next word goes, and the words between the two. */
  #tail = 0;
  #head = 0;
  #used = 0;
  /** Of the tick being written: where it begins, and its words; 0 when it has found no room. */
  #start = 0;
  #length = 0;
  readonly #header = new Int32Array(HEADER_WORDS);

  constructor(options: PlayerRecordsOptions) {
    this.#options = options;
    this.#ring = new Int32Array(Math.floor(options.bytes / 4));
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
    const header = this.#header;
    header[1] = tick;
    header[2] = origin;
    header[3] = Math.floor(views / 65_536);
    header[4] = views & 0xffff;
    header[5] = view.snapshotTick;
    header[6] = view.receiptMask;
    header[7] = INTERPOLATION_MODES.indexOf(view.mode);
    this.#append(header, 0, HEADER_WORDS);
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
    const header = this.#header;
    header[0] = table;
    header[1] = id;
    header[2] = wordCount;
    this.#append(header, 0, ENTITY_WORDS);
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

  /** Forgets old ticks until so many words fit; false when they cannot. */
  #makeRoom(words: number): boolean {
    while (this.#used + words > this.#ring.length) {
      // The tick being written does not go.
      if (this.#used === this.#length) return false;
      this.#forgetOldest();
      this.evicted++;
    }
    return true;
  }

  #forgetOldest(): void {
    const length = this.#at(0);
    this.#tail = this.#wrap(this.#tail + length);
    this.#used -= length;
    this.ticks--;
  }

  #append(words: Int32Array, at: number, count: number): void {
    const ring = this.#ring;
    let to = this.#head;
    for (let i = 0; i < count; i++) {
      ring[to++] = words[at + i];
      if (to === ring.length) to = 0;
    }
    this.#head = to;
    this.#used += count;
    this.#length += count;
  }

  /** The word so many after the first one of the oldest tick. */
  #at(offset: number): number {
    return this.#ring[this.#wrap(this.#tail + offset)];
  }

  #wrap(position: number): number {
    return position < this.#ring.length ? position : position - this.#ring.length;
  }

  #copy(from: number, count: number): Int32Array {
    return Int32Array.from({ length: count }, (_, i) => this.#at(from + i));
  }
}

const HEADER_WORDS = 8;
const ENTITY_WORDS = 3;
