/** Numbers from 0 to 1 that are the same every time. */
export function numbers(): () => number {
  let state = 12_345;
  return () => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) / 2 ** 32;
}
