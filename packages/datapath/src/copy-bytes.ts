/** Copies `source[from, from + length)` to `target[at, ...)` without allocating; the caller has checked both runs. */
export function copyBytes(source: Uint8Array, from: number, length: number, target: Uint8Array, at: number): void {
  // A short copy by hand is cheaper than a call; a longer one needs no view this way.
  if (length <= 32) for (let i = 0; i < length; i++) target[at + i] = source[from + i];
  else Buffer.prototype.copy.call(source, target, at, from, from + length);
}
