/** What both processes of the batching benchmark know. */

export const CLIENTS = 32;
export const PROTOCOL_ID = 77n;
export const PRIVATE_KEY: Uint8Array = new Uint8Array(32).fill(9);
export const SCHEMA: Uint8Array = new Uint8Array(8).fill(1);

/** Milliseconds on a clock that both processes share. */
export function clock(): number {
  return performance.timeOrigin + performance.now();
}
