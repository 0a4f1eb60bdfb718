/**
 * What the peers send each other. A message to the server is 64 bytes: slot and generation of `EchoWindow` (32 bits
 * each, little-endian), what is wished for, zeros. The answer begins with the same slot and generation.
 */

export const MESSAGE_BYTES = 64;
export const BULK_BYTES = 64 * 1024;
/** Messages under way in a bulk transfer, at most: 2 MiB. */
export const BULK_WINDOW = 32;

export const WISH_ECHO = 0;
/** Echo in a packet of its own. */
export const WISH_LONE_ECHO = 1;
/** `BULK_BYTES`. */
export const WISH_BULK = 2;
export const WISH_NOTHING = 3;

const SLOT_AT = 0;
const GENERATION_AT = 4;
const WISH_AT = 8;

/** Reads 32 bits in whatever kind of array a peer hands over. */
function read(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}

function write(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

export function slotOf(bytes: Uint8Array, offset: number): number {
  return read(bytes, offset + SLOT_AT);
}

export function generationOf(bytes: Uint8Array, offset: number): number {
  return read(bytes, offset + GENERATION_AT);
}

export function wishOf(bytes: Uint8Array, offset: number): number {
  return bytes[offset + WISH_AT];
}

export function writeMessage(bytes: Uint8Array, slot: number, generation: number, wish: number): void {
  write(bytes, SLOT_AT, slot);
  write(bytes, GENERATION_AT, generation);
  bytes[WISH_AT] = wish;
}

/** Answers to `WISH_BULK`: a buffer for each slot, since `ws` keeps what it is given until the kernel takes it. */
export class BulkAnswers {
  readonly #answers: readonly Uint8Array[] = Array.from({ length: BULK_WINDOW }, (_, slot) =>
    new Uint8Array(BULK_BYTES).fill(slot),
  );

  /** The answer to the message at `offset`. */
  to(bytes: Uint8Array, offset: number): Uint8Array {
    const slot = slotOf(bytes, offset);
    const answer = this.#answers[slot];
    write(answer, SLOT_AT, slot);
    write(answer, GENERATION_AT, generationOf(bytes, offset));
    return answer;
  }
}
