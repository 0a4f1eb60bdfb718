/** Solves what a balancer under attack asks for (`POST /v1/challenge` in docs/api.md): some work, without holding up frames. */
import { sha256 } from "@noble/hashes/sha2.js";

export interface Challenge {
  readonly challenge: string;
  /** Leading zero bits of the hash. */
  readonly bits: number;
}

/** Computed at a stretch. */
const SLICE_MS = 8;
const BETWEEN_CLOCKS = 64;

/** Resolves with `solution`. Rejects with the signal's reason. */
export async function solveChallenge({ challenge, bits }: Challenge, signal?: AbortSignal): Promise<string> {
  const encoder = new TextEncoder();
  for (let n = 0; ;) {
    signal?.throwIfAborted();
    for (const endAt = performance.now() + SLICE_MS; performance.now() < endAt;)
      for (const last = n + BETWEEN_CLOCKS; n < last; n++) {
        const solution = n.toString(36);
        if (leadingZeroBits(sha256(encoder.encode(`${challenge}.${solution}`))) >= bits) return solution;
      }
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

function leadingZeroBits(hash: Uint8Array): number {
  const first = hash.findIndex((byte) => byte !== 0);
  return first < 0 ? hash.length * 8 : first * 8 + Math.clz32(hash[first]) - 24;
}
