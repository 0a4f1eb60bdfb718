/** Receipts one after the other, each behind its length (u32, little-endian): as a file of them is. */
import { ByteReader } from "@riposte/wire";
import { MAX_RECEIPT_BYTES, ReceiptError } from "./receipt-limits.ts";

/** The receipts in such bytes, as views of them. One that was cut off at the end is left out. Throws `ReceiptError` for other bytes. */
export function* receiptsIn(bytes: Uint8Array): IterableIterator<Uint8Array> {
  const from = new ByteReader(bytes);
  while (from.remaining >= 4) {
    const length = from.u32();
    if (length === 0 || length > MAX_RECEIPT_BYTES) throw new ReceiptError(`a receipt of ${length} bytes`);
    if (length > from.remaining) return;
    yield from.view(length);
  }
}
