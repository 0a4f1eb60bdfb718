/**
 * The message in which a client sends its inputs: the newest and some older ones again, so that a
 * lost packet costs nothing; what was on the screen at each; and which snapshots have arrived.
 *
 * After the kind byte, in bits: newest tick (32), count - 1 (5), newest snapshot received (a flag,
 * then newest tick minus it, zigzag in groups of 8, then 32 receipts). Then the inputs from the newest to the
 * oldest, each a view stamp (`ViewStampCodec`) and a record (`InputCodec`) against the one before it here, the
 * first against the neutral input. Without a snapshot received there are no stamps.
 */
import { BitReader, BitWriter } from "@riposte/wire";
import { unzigzag, zigzag } from "../../state/adaptive-code.ts";
import type { InputDefinition } from "../../state/index.ts";
import { MessageKind } from "../../game/message-kind.ts";
import { InputCodec } from "./input-codec.ts";
import { MAX_COPIES } from "./input-copies.ts";
import type { InputHistory } from "./input-history.ts";
import { createViewStamp } from "./player-input.ts";
import type { ViewStamp } from "./player-input.ts";
import { ViewStampCodec } from "./view-stamp-codec.ts";

/** Most inputs in one message. */
export const MAX_INPUTS: typeof MAX_COPIES = MAX_COPIES;

/**
 * What inputs took on the wire, for benches: how many took so many bits (the last place: that many or more). The first
 * of a message, which has no other to be told against, is not among them.
 */
export class InputSizes {
  readonly records: Uint32Array = new Uint32Array(MAX_COUNTED_BITS + 1);
  readonly stamps: Uint32Array = new Uint32Array(MAX_COUNTED_BITS + 1);
  messages = 0;
  messageBytes = 0;
}

/** Bits that `fraction` of the counts do not exceed. */
export function bitsAt(counts: Uint32Array, fraction: number): number {
  let total = 0;
  for (const count of counts) total += count;
  let rank = fraction * total;
  for (let bits = 0; bits < counts.length; bits++) {
    rank -= counts[bits];
    if (rank <= 0) return bits;
  }
  return 0;
}

/** Where the inputs of messages go: an `InputBuffer`, or what stands before it. */
export interface InputSink {
  /** Whether an input of this tick would change nothing: then it need not be read. */
  knows(tick: number): boolean;
  /** Takes the settled record at `words[offset...]`; words and stamp are borrowed. */
  put(tick: number, words: Int32Array, offset: number, stamp: Readonly<ViewStamp>): void;
}

/** Writes messages of one game's inputs. */
export class InputWriter {
  readonly sizes: InputSizes = new InputSizes();
  readonly #definition: InputDefinition;
  readonly #codec: InputCodec;
  readonly #stamps = new ViewStampCodec();
  readonly #writer = new BitWriter();

  constructor(definition: InputDefinition) {
    this.#definition = definition;
    this.#codec = new InputCodec(definition);
  }

  /**
   * Writes the inputs `newest`, `newest - 1`, ... (at most `count`, as far as they are kept without a gap and fit) and
   * returns the length; 0 when the buffer is too small for a single one. `snapshotTick`: newest snapshot received, -1:
   * none; bit i of `receiptMask`: that of `snapshotTick - 1 - i` had come before it.
   */
  write(
    history: InputHistory,
    newest: number,
    count: number,
    snapshotTick: number,
    receiptMask: number,
    buffer: Uint8Array,
  ): number {
    let kept = 1;
    while (kept < count && kept < MAX_INPUTS && history.has(newest - kept)) kept++;
    const writer = this.#writer;
    // Each attempt says how many inputs fit; the second one has just these.
    while (kept > 0) {
      writer.reset(buffer);
      const fitted = this.#write(history, newest, kept, snapshotTick, receiptMask);
      if (fitted === kept) {
        const length = writer.finish();
        this.sizes.messages++;
        this.sizes.messageBytes += length;
        return length;
      }
      kept = fitted;
    }
    return 0;
  }

  /** Returns how many of `count` inputs fitted. */
  #write(history: InputHistory, newest: number, count: number, snapshotTick: number, receiptMask: number): number {
    const writer = this.#writer;
    const { words } = history;
    const { records, stamps } = this.sizes;
    writer.bits(MessageKind.inputs, 8);
    writer.bits(newest, 32);
    writer.bits(count - 1, 5);
    writer.bool(snapshotTick >= 0);
    if (snapshotTick >= 0) {
      writer.grouped(zigzag(newest - snapshotTick), 8);
      writer.bits(receiptMask, 32);
      this.#stamps.begin(snapshotTick, receiptMask);
      this.#stamps.writeNewest(history, newest, writer);
    }
    this.#codec.write(words, history.offsetOf(newest), this.#definition.initialWords, 0, writer);
    if (writer.failed) return 0;
    for (let i = 1; i < count; i++) {
      const tick = newest - i;
      const before = writer.bitLength;
      if (snapshotTick >= 0) this.#stamps.writeOlder(history, tick, writer);
      const between = writer.bitLength;
      this.#codec.write(words, history.offsetOf(tick), words, history.offsetOf(tick + 1), writer);
      if (writer.failed) return i;
      stamps[Math.min(between - before, MAX_COUNTED_BITS)]++;
      records[Math.min(writer.bitLength - between, MAX_COUNTED_BITS)]++;
    }
    return count;
  }
}

/** Reads messages of one game's inputs into the buffers of its clients. */
export class InputReader {
  /** Of the message that was read last: newest input; newest snapshot that the client has, -1: none; those before it. */
  newestTick = -1;
  snapshotTick = -1;
  receiptMask = 0;
  /** Inputs of it that had to be decoded: those that were no repetition, and what stood before them. */
  decoded = 0;
  readonly #definition: InputDefinition;
  readonly #codec: InputCodec;
  readonly #stampCodec = new ViewStampCodec();
  readonly #records: Int32Array;
  readonly #stamps: readonly ViewStamp[] = Array.from({ length: MAX_INPUTS }, createViewStamp);
  readonly #reader = new BitReader();

  constructor(definition: InputDefinition) {
    this.#definition = definition;
    this.#codec = new InputCodec(definition);
    this.#records = new Int32Array(definition.wordCount * MAX_INPUTS);
  }

  /**
   * Reads one message (kind byte included) as far as it is news; false, with nothing stored, when it is malformed.
   * At most 32 inputs are decoded, and none when even the newest is no news.
   */
  read(buffer: Uint8Array, offset: number, length: number, target: InputSink): boolean {
    const reader = this.#reader.reset(buffer, offset + 1, offset + length);
    const stamps = this.#stampCodec;
    const words = this.#definition.wordCount;
    this.decoded = 0;
    const newest = reader.bits(32);
    const rest = reader.bits(6);
    const count = (rest & 31) + 1;
    if (reader.failed || newest > MAX_TICK || newest - count < -1) return false;
    const hasSnapshot = rest > 31;
    const snapshot = hasSnapshot ? newest - unzigzag(reader.grouped(8)) : -1;
    const receipts = hasSnapshot ? reader.bits(32) | 0 : 0;
    if (reader.failed || (hasSnapshot && (snapshot < 0 || snapshot > MAX_TICK))) return false;
    stamps.begin(snapshot, receipts);
    // Most of a message is repetition: behind the oldest input that is news, nothing is read.
    let news = count;
    while (news > 0 && target.knows(newest - news + 1)) news--;
    for (let i = 0; i < news; i++) {
      const stamp = this.#stamps[i];
      if (!hasSnapshot) noStamp(stamp);
      else if (!(i === 0 ? stamps.readNewest(stamp, reader) : stamps.readOlder(stamp, reader))) return false;
      const base = i === 0 ? this.#definition.initialWords : this.#records;
      const baseAt = i === 0 ? 0 : (i - 1) * words;
      this.decoded++;
      if (!this.#codec.read(this.#records, i * words, base, baseAt, reader)) return false;
    }
    // Oldest first: of two views of "newest", the buffer then has the right one last.
    for (let i = news - 1; i >= 0; i--) target.put(newest - i, this.#records, i * words, this.#stamps[i]);
    this.newestTick = newest;
    this.snapshotTick = snapshot;
    this.receiptMask = receipts;
    return true;
  }
}

function noStamp(stamp: ViewStamp): void {
  stamp.viewTick = -1;
  stamp.snapshotTick = -1;
  stamp.receiptMask = 0;
  stamp.mode = "linear";
}

const MAX_TICK = 0x7fffffff;
const MAX_COUNTED_BITS = 127;
