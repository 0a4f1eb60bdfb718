/**
 * Balancers know each other by a secret that they share: every message between them carries a MAC under a key derived from
 * it, over the path and the whole body, which says who sends it, but not to whom. No clock is in it, so that clocks may be
 * wrong; gossip is numbered and claims are idempotent, so that what is delivered twice changes nothing. It hides nothing, and
 * who can record messages may send them again long after: use TLS where others listen.
 */
import { createHmac, timingSafeEqual } from "node:crypto";

export const PEER_MAC_HEADER = "x-riposte-mac";

export class PeerMac {
  readonly #key: Buffer;

  /** `fleetSecret`: 32 bytes or more, the same for all balancers. */
  constructor(fleetSecret: Uint8Array) {
    if (fleetSecret.length < 32)
      throw new RangeError(`the fleet's secret has ${fleetSecret.length} bytes, 32 are the least`);
    this.#key = deriveKey(fleetSecret, "riposte peers");
  }

  sign(path: string, body: string): string {
    return createHmac("sha256", this.#key).update(`${path}\n`).update(body).digest("base64url");
  }

  verify(path: string, body: string, mac: unknown): boolean {
    if (typeof mac !== "string") return false;
    const given = Buffer.from(mac, "base64url");
    const wanted = Buffer.from(this.sign(path, body), "base64url");
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  }
}

/** A key of 32 bytes for one purpose. */
export function deriveKey(secret: Uint8Array, purpose: string): Buffer {
  return createHmac("sha256", secret).update(purpose).digest();
}
