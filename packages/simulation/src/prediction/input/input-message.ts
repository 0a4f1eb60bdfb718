/**
 * The message in which a client sends its inputs: the newest and some older ones again, so that a
 * lost packet costs nothing; what was on the screen at each; and which snapshots have arrived.
 *
 * After the kind byte, in bits: newest tick (32), count - 1 (5), newest snapshot received (a flag,
 * then newest tick minus it, zigzag in groups of 8, then 32 receipts), view tick (a flag, then its
 * distance to that snapshot in 1/256 tick, zigzag in groups of 12). Then the records from the
 * newest to the oldest, each against the one before it here, the first against the neutral input;
 * older ones are preceded by a bit "the view moved by one tick", or 0 and the difference.
 */
import { BitReader, BitWriter } from "@riposte/wire";
import { decodeRecord, encodeRecord } from "../../state/index.ts";
import type { InputDefinition } from "../../state/index.ts";
import { MessageKind } from "../../game/message-kind.ts";
import type { InputBuffer, ViewStamp } from "./input-buffer.ts";
import type { InputHistory } from "./input-history.ts";

/** Most inputs in one message. */
export const MAX_INPUTS = 32;

/** Writes messages of one game's inputs. */
export class InputWriter {
  readonly #definition: InputDefinition;
  readonly #writer = new BitWriter();

  constructor(definition: InputDefinition) {
    this.#definition = definition;
  }

  /**
   * Writes the inputs `newest`, `newest - 1`, ... (at most `count`, as far as they are kept without a gap and
   * fit) and returns the length; 0 when the buffer is too small for a single one.
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
      if (fitted === kept) return writer.finish();
      kept = fitted;
    }
    return 0;
  }

  /** Returns how many of `count` inputs fitted. */
  #write(history: InputHistory, newest: number, count: number, snapshotTick: number, receiptMask: number): number {
    const writer = this.#writer;
    const definition = this.#definition;
    const { words } = history;
    writer.bits(MessageKind.inputs, 8);
    writer.bits(newest, 32);
    writer.bits(count - 1, 5);
    const view = history.viewTickOf(newest);
    const hasView = snapshotTick >= 0 && view >= 0;
    writer.bool(snapshotTick >= 0);
    if (snapshotTick >= 0) {
      writer.grouped(zigzag(newest - snapshotTick), 8);
      writer.bits(receiptMask, 32);
      writer.bool(hasView);
      if (hasView) writer.grouped(zigzag(Math.round((snapshotTick - view) * 256)), 12);
    }
    encodeRecord(definition, words, history.offsetOf(newest), definition.initialWords, 0, writer);
    for (let i = 1; i < count && !writer.failed; i++) {
      const tick = newest - i;
      if (hasView) {
        const moved = Math.round((history.viewTickOf(tick + 1) - history.viewTickOf(tick)) * 256) - 256;
        writer.bool(moved === 0);
        if (moved !== 0) writer.grouped(zigzag(moved), 6);
      }
      encodeRecord(definition, words, history.offsetOf(tick), words, history.offsetOf(tick + 1), writer);
      if (writer.failed) return i;
    }
    return writer.failed ? 0 : count;
  }
}

/** Reads messages of one game's inputs into the buffers of its clients. */
export class InputReader {
  /** Of the message that was read last: newest snapshot that the client has, -1 for none. */
  snapshotTick = -1;
  readonly #definition: InputDefinition;
  readonly #records: Int32Array;
  readonly #views: Float64Array = new Float64Array(MAX_INPUTS);
  readonly #reader = new BitReader();
  readonly #stamp: ViewStamp = { viewTick: -1, snapshotTick: -1, receiptMask: 0 };

  constructor(definition: InputDefinition) {
    this.#definition = definition;
    this.#records = new Int32Array(definition.wordCount * MAX_INPUTS);
  }

  /** Reads one message (kind byte included) as far as it is news; false, with nothing stored, when it is malformed. */
  read(buffer: Uint8Array, offset: number, length: number, target: InputBuffer): boolean {
    const reader = this.#reader.reset(buffer, offset, offset + length);
    const stamp = this.#stamp;
    const words = this.#definition.wordCount;
    reader.bits(8);
    const newest = reader.bits(32);
    const count = reader.bits(5) + 1;
    if (newest > MAX_TICK || newest - count < -1) return false;
    stamp.snapshotTick = -1;
    stamp.receiptMask = 0;
    let view = -1;
    if (reader.bool()) {
      stamp.snapshotTick = newest - unzigzag(reader.grouped(8));
      stamp.receiptMask = reader.bits(32) | 0;
      if (reader.bool()) view = stamp.snapshotTick - unzigzag(reader.grouped(12)) / 256;
      if (stamp.snapshotTick < 0 || stamp.snapshotTick > MAX_TICK) return false;
    }
    const hasView = view >= 0;
    // Most of a message is repetition: behind the oldest input that is news, nothing is read.
    let news = count;
    while (news > 0 && target.knows(newest - news + 1)) news--;
    for (let i = 0; i < news; i++) {
      if (i > 0 && hasView && !reader.bool()) view -= unzigzag(reader.grouped(6)) / 256;
      if (i > 0) view -= 1;
      this.#views[i] = hasView ? Math.max(view, 0) : -1;
      const base = i === 0 ? this.#definition.initialWords : this.#records;
      const baseAt = i === 0 ? 0 : (i - 1) * words;
      decodeRecord(this.#definition, this.#records, i * words, base, baseAt, reader);
      if (reader.failed) return false;
    }
    if (reader.failed) return false;
    // Oldest first: of two views of "newest", the buffer then has the right one last.
    for (let i = news - 1; i >= 0; i--) {
      stamp.viewTick = this.#views[i];
      target.put(newest - i, this.#records, i * words, stamp);
    }
    this.snapshotTick = stamp.snapshotTick;
    return true;
  }
}

function zigzag(value: number): number {
  return ((value << 1) ^ (value >> 31)) >>> 0;
}

function unzigzag(value: number): number {
  return (value >>> 1) ^ -(value & 1);
}

const MAX_TICK = 0x7fffffff;
