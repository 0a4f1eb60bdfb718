/** Makes a client's program lie: its messages of inputs are read, changed and written anew on their way out. */
import { MessageKind } from "@riposte/simulation";
import type { AnyGame } from "@riposte/simulation";
import { InputHistory, InputReader, InputWriter } from "@riposte/simulation/prediction";
import type { ViewStamp } from "@riposte/simulation/prediction";
import type { Player } from "./link.ts";

export interface Lies {
  /** Changes what an input says was drawn. */
  stamp?(view: ViewStamp): void;
  /** The newest snapshot that is said to have come, and those before it, when `newest` and `mask` are the truth. */
  receipts?(newest: number, mask: number): { readonly newest: number; readonly mask: number };
}

/** A view tick as the wire has it. */
export function wireTick(tick: number): number {
  return Math.max(0, Math.round(tick * 256) / 256);
}

export function doctor<G extends AnyGame>(player: Player<G>, lies: Lies): void {
  const { input } = player.client.game;
  const history = new InputHistory(input.wordCount, 1024);
  const reader = new InputReader(input);
  const writer = new InputWriter(input);
  const buffer = new Uint8Array(1200);
  player.tamper = (bytes) => {
    if (bytes[0] !== MessageKind.inputs) return bytes;
    const read: { tick: number; words: Int32Array; view: ViewStamp }[] = [];
    reader.read(bytes, 0, bytes.length, {
      knows: () => false,
      put(tick, records, offset, stamp) {
        read.push({ tick, words: records.slice(offset, offset + input.wordCount), view: { ...stamp } });
      },
    });
    const { newestTick, snapshotTick, receiptMask } = reader;
    const claim = lies.receipts?.(snapshotTick, receiptMask) ?? { newest: snapshotTick, mask: receiptMask };
    for (const { tick, words, view } of read) {
      if (history.has(tick)) continue;
      lies.stamp?.(view);
      view.snapshotTick = Math.min(view.snapshotTick, claim.newest);
      history.words.set(words, history.add(tick, view));
    }
    const length = writer.write(history, newestTick, read.length, claim.newest, claim.mask, buffer);
    return buffer.slice(0, length);
  };
}
