/** "expand 32-byte k" */
const SIGMA: Int32Array = Int32Array.of(0x61707865, 0x3320646e, 0x79622d32, 0x6b206574);

/**
 * HChaCha20 (draft-irtf-cfrg-xchacha-03 section 2.2): derives the subkey of XChaCha20 from a key
 * and the first 16 bytes of its nonce. node:crypto has ChaCha20 but not this.
 */
export function hchacha20(key: Uint8Array, nonce: Uint8Array): Uint8Array {
  const state = new Int32Array(16);
  state.set(SIGMA);
  const keyView = new DataView(key.buffer, key.byteOffset, 32);
  const nonceView = new DataView(nonce.buffer, nonce.byteOffset, 16);
  for (let i = 0; i < 8; i += 1) state[4 + i] = keyView.getInt32(4 * i, true);
  for (let i = 0; i < 4; i += 1) state[12 + i] = nonceView.getInt32(4 * i, true);
  for (let round = 0; round < 10; round += 1) {
    quarterRound(state, 0, 4, 8, 12);
    quarterRound(state, 1, 5, 9, 13);
    quarterRound(state, 2, 6, 10, 14);
    quarterRound(state, 3, 7, 11, 15);
    quarterRound(state, 0, 5, 10, 15);
    quarterRound(state, 1, 6, 11, 12);
    quarterRound(state, 2, 7, 8, 13);
    quarterRound(state, 3, 4, 9, 14);
  }
  const subkey = new Uint8Array(32);
  const view = new DataView(subkey.buffer);
  for (let i = 0; i < 4; i += 1) {
    view.setInt32(4 * i, state[i], true);
    view.setInt32(16 + 4 * i, state[12 + i], true);
  }
  state.fill(0);
  return subkey;
}

/** RFC 8439 section 2.1. */
function quarterRound(state: Int32Array, a: number, b: number, c: number, d: number): void {
  state[a] += state[b];
  state[d] = rotate(state[d] ^ state[a], 16);
  state[c] += state[d];
  state[b] = rotate(state[b] ^ state[c], 12);
  state[a] += state[b];
  state[d] = rotate(state[d] ^ state[a], 8);
  state[c] += state[d];
  state[b] = rotate(state[b] ^ state[c], 7);
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
