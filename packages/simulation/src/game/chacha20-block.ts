/**
 * One block of ChaCha20 (RFC 8439 section 2.3) as 16 words: what comes out tells nobody the key, nor other blocks.
 *
 * `key` has 8 words, each read little-endian from 4 of the 32 bytes.
 */
export function chacha20Block(
  key: Uint32Array,
  counter: number,
  nonce0: number,
  nonce1: number,
  nonce2: number,
  out: Uint32Array,
): void {
  start.set(CONSTANTS);
  start.set(key, 4);
  start[12] = counter;
  start[13] = nonce0;
  start[14] = nonce1;
  start[15] = nonce2;
  out.set(start);
  for (let round = 0; round < 20; round += 2) {
    quarterRound(out, 0, 4, 8, 12);
    quarterRound(out, 1, 5, 9, 13);
    quarterRound(out, 2, 6, 10, 14);
    quarterRound(out, 3, 7, 11, 15);
    quarterRound(out, 0, 5, 10, 15);
    quarterRound(out, 1, 6, 11, 12);
    quarterRound(out, 2, 7, 8, 13);
    quarterRound(out, 3, 4, 9, 14);
  }
  for (let i = 0; i < 16; i++) out[i] += start[i];
}

function quarterRound(state: Uint32Array, a: number, b: number, c: number, d: number): void {
  state[a] += state[b];
  state[d] = rotate(state[d] ^ state[a], 16);
  state[c] += state[d];
  state[b] = rotate(state[b] ^ state[c], 12);
  state[a] += state[b];
  state[d] = rotate(state[d] ^ state[a], 8);
  state[c] += state[d];
  state[b] = rotate(state[b] ^ state[c], 7);
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

/** "expand 32-byte k" */
const CONSTANTS = Uint32Array.of(0x61707865, 0x3320646e, 0x79622d32, 0x6b206574);
const start = new Uint32Array(16);
