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
  /** Words written and words forgotten since the beginning, the second one at the length of the oldest tick. */
  #head = 0;
  #tail = 0;
  /** Where the tick being written begins. */
  #start = 0;

  constructor(options: PlayerRecordsOptions) {
    this.#options = options;
    this.#ring = new Int32Array(Math.floor(options.bytes / 4));
  }

  /** Bytes in use. */
  get bytes(): number {
    return (this.#head - this.#tail) * 4;
  }

  /** Begins a tick with its input, the words at `words[at...]`. False: the history is off, or too small for it. */
  begin(tick: number, origin: 0 | 1 | 2, view: Readonly<ViewStamp>, words: Int32Array, at: number): boolean {
    const { inputWordCount, ttlTicks } = this.#options;
    while (this.ticks > 0 && this.#at(this.#tail + 1) <= tick - ttlTicks) this.#forgetOldest();
    this.#start = this.#head;
    if (!this.#makeRoom(HEADER_WORDS + inputWordCount)) return false;
    this.ticks++;
    const views = view.viewTick < 0 ? -1 : view.viewTick * 256;
    this.#push(0);
    this.#push(tick);
    this.#push(origin);
    this.#push(Math.floor(views / 65_536));
    this.#push(views & 0xffff);
    this.#push(view.snapshotTick);
    this.#push(view.receiptMask);
    this.#push(INTERPOLATION_MODES.indexOf(view.mode));
    for (let i = 0; i < inputWordCount; i++) this.#push(words[at + i]);
    this.#close();
    return true;
  }

  /** Adds an entity of the player to the tick that was begun. */
  add(table: number, id: number, words: Int32Array, at: number, wordCount: number): void {
    if (this.#start === this.#head) return;
    if (!this.#makeRoom(3 + wordCount)) {
      this.truncated++;
      return;
    }
    this.#push(table);
    this.#push(id);
    this.#push(wordCount);
    for (let i = 0; i < wordCount; i++) this.#push(words[at + i]);
    this.#close();
  }

  /** The ticks from the oldest to the newest. */
  *read(): IterableIterator<RecordedTick> {
    const { inputWordCount } = this.#options;
    for (let at = this.#tail; at < this.#head; at += this.#at(at)) {
      const end = at + this.#at(at);
      const views = this.#at(at + 3) * 65_536 + this.#at(at + 4);
      const entities = [];
      for (let e = at + HEADER_WORDS + inputWordCount; e < end; e += 3 + this.#at(e + 2))
        entities.push({ table: this.#at(e), id: this.#at(e + 1), words: this.#copy(e + 3, this.#at(e + 2)) });
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
    this.#head = this.#tail = this.#start = 0;
    this.ticks = 0;
  }

  /** Forgets old ticks until so many words fit; false when they cannot. */
  #makeRoom(words: number): boolean {
    while (this.#head + words - this.#tail > this.#ring.length) {
      // The tick being written does not go.
      if (this.#tail === this.#start) return false;
      this.#forgetOldest();
      this.evicted++;
    }
    return true;
  }

  #forgetOldest(): void {
    this.#tail += this.#at(this.#tail);
    this.ticks--;
  }

  #push(word: number): void {
    this.#ring[this.#head++ % this.#ring.length] = word;
  }

  #at(position: number): number {
    return this.#ring[position % this.#ring.length];
  }

  /** Makes what was pushed part of the tick. */
  #close(): void {
    this.#ring[this.#start % this.#ring.length] = this.#head - this.#start;
  }

  #copy(from: number, count: number): Int32Array {
    return Int32Array.from({ length: count }, (_, i) => this.#at(from + i));
  }
}

const HEADER_WORDS = 8;
