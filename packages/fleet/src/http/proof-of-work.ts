/**
 * Under attack each allocation costs its client some work. A challenge is signed and not stored: asking for one costs this
 * balancer nothing. Its solution is a string for which SHA-256 of `challenge + "." + solution` begins with so many zero bits.
 * It counts once, for one idempotency key, at the balancer that gave it. Reads no clock.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { prefixOf } from "./prefix-limits.ts";

export interface Challenge {
  readonly challenge: string;
  /** Leading zero bits. */
  readonly bits: number;
  readonly expiresInMs: number;
}

export interface Proof {
  readonly challenge: string;
  readonly solution: string;
}

export interface ProofOfWorkOptions {
  /** Of this balancer only. Default: random, 32 bytes. */
  readonly secret?: Uint8Array;
  /** Default 60000 ms. */
  readonly lifetimeMs?: number;
  /** Solutions remembered, so that none counts twice. Default 65536; beyond, no more are taken until the oldest expire. */
  readonly maxUsed?: number;
}

interface Used {
  readonly key: string;
  readonly expiresAt: number;
}

export class ProofOfWork {
  readonly #secret: Uint8Array;
  readonly #lifetimeMs: number;
  readonly #maxUsed: number;
  readonly #used: Map<string, Used> = new Map();
  #count = 0;
  #window = -1;
  #inWindow = 0;
  #before = 0;

  constructor({ secret = randomBytes(32), lifetimeMs = 60_000, maxUsed = 65_536 }: ProofOfWorkOptions = {}) {
    this.#secret = secret;
    this.#lifetimeMs = lifetimeMs;
    this.#maxUsed = maxUsed;
  }

  /** Counts an allocation that is asked for; the rate of them over the last second. */
  countAllocation(now: number): number {
    const window = Math.floor(now / 1000);
    if (window !== this.#window) {
      this.#before = window === this.#window + 1 ? this.#inWindow : 0;
      [this.#window, this.#inWindow] = [window, 0];
    }
    this.#inWindow++;
    return this.#inWindow + this.#before * (1 - (now / 1000 - window));
  }

  /** For who asks from `address`; it is worth nothing to other networks. */
  challenge(address: string, bits: number, now: number): Challenge {
    const expiresAt = Math.ceil(now + this.#lifetimeMs);
    const body = `${expiresAt}-${bits}-${++this.#count}`;
    return { challenge: `${body}-${this.#sign(body, address)}`, bits, expiresInMs: this.#lifetimeMs };
  }

  /** Whether `proof` pays for an allocation with this idempotency key. The same request, sent again, pays nothing more. */
  accept({ challenge, solution }: Proof, address: string, key: string, now: number): boolean {
    const bodyEnd = challenge.lastIndexOf("-");
    const body = challenge.slice(0, bodyEnd);
    const [expiresAt, bits, count] = body.split("-").map(Number);
    if (!(now < expiresAt) || !isSame(challenge.slice(bodyEnd + 1), this.#sign(body, address))) return false;
    const id = String(count);
    const used = this.#used.get(id);
    if (used !== undefined) return used.key === key;
    if (leadingZeroBits(createHash("sha256").update(`${challenge}.${solution}`).digest()) < bits) return false;
    for (const [oldest, { expiresAt: end }] of this.#used) {
      if (now < end) break;
      this.#used.delete(oldest);
    }
    if (this.#used.size >= this.#maxUsed) return false;
    this.#used.set(id, { key, expiresAt });
    return true;
  }

  #sign(body: string, address: string): string {
    // A hex digest has no "-".
    return createHmac("sha256", this.#secret)
      .update(`${body} ${prefixOf(address)}`)
      .digest("hex")
      .slice(0, 32);
  }
}

/** What a client does. */
export function solveChallenge({ challenge, bits }: Pick<Challenge, "challenge" | "bits">): Proof {
  for (let i = 0; ; i++) {
    const solution = i.toString(36);
    if (leadingZeroBits(createHash("sha256").update(`${challenge}.${solution}`).digest()) >= bits)
      return { challenge, solution };
  }
}

function leadingZeroBits(hash: Uint8Array): number {
  const first = hash.findIndex((byte) => byte !== 0);
  return first < 0 ? hash.length * 8 : first * 8 + Math.clz32(hash[first]) - 24;
}

function isSame(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}
