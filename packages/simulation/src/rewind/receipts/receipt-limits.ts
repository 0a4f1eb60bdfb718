/** What a receipt has room for; a shot that looks at more leaves none. */
export const MAX_TOUCHED = 128;
export const MAX_SHAPES = 128;
/** The states that are shot at and those that stop shots. */
export const MAX_SECTIONS = 16;
export const MAX_RECEIPT_BYTES = 65_536;
/** From the oldest tick that one looks at to the newest. */
export const MAX_SPAN_TICKS = 1024;
/** "RSR2", read as a little-endian number. */
export const MAGIC = 0x32525352;

/** Bytes that are no receipt of this version. */
export class ReceiptError extends Error {
  override readonly name = "ReceiptError";
}
