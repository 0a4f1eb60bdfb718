/** Replays receipts, wherever it runs: bundled for browsers, imported by Node. Bytes go in and out as base64. */
import { receiptsIn, replayReceipt } from "@riposte/simulation/rewind";
import { ByteWriter } from "@riposte/wire";
import { writeVerdict } from "../src/rewind/receipts/verdict-record.ts";

export interface Replays {
  /** The verdicts, each behind its length (u16). */
  readonly verdicts: string;
  /** How many are the recorded ones to the last bit. */
  readonly agreeing: number;
}

/** `file`: receipts, each behind its length, as `ReceiptFile` writes them. */
export function replayAll(file: string): Replays {
  const bytes = Uint8Array.from(atob(file), (letter) => letter.charCodeAt(0));
  const out = new ByteWriter(new Uint8Array(bytes.length));
  let agreeing = 0;
  for (const receipt of receiptsIn(bytes)) {
    const { replayed, agrees } = replayReceipt(receipt);
    if (agrees) agreeing++;
    const lengthAt = out.offset;
    out.u16(0);
    writeVerdict(replayed, ({ id }) => id, out);
    const end = out.offset;
    out.rewind(lengthAt);
    out.u16(end - lengthAt - 2);
    out.rewind(end);
  }
  return { verdicts: btoa(Array.from(out.written(), (byte) => String.fromCharCode(byte)).join("")), agreeing };
}
