/**
 * Client ids of the local token service. A player who comes back shows the identity it was given and
 * gets the same client id, and with it the same seat and entity. The identity carries the id and a
 * MAC under a key derived from the server's private key, so nobody can make up somebody else's.
 */

import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

const MAC_BYTES = 16;
const PATTERN = /^[0-9a-f]{16}\.[0-9a-f]{32}$/;

export class ClientIdentity {
  readonly #key: Buffer;

  constructor(privateKey: Uint8Array) {
    this.#key = createHmac("sha256", privateKey).update("riposte local token service: client identity").digest();
  }

  /** A client id nobody has: 63 random bits, never zero. */
  create(): bigint {
    const id = BigInt.asUintN(63, randomBytes(8).readBigUInt64LE());
    return id === 0n ? 1n : id;
  }

  /** The string with which this client id may be claimed again. */
  sign(clientId: bigint): string {
    const id = clientId.toString(16).padStart(16, "0");
    return `${id}.${this.#mac(id).toString("hex")}`;
  }

  /** The client id of an identity, undefined when it was not signed with this key. */
  verify(identity: string): bigint | undefined {
    if (!PATTERN.test(identity)) return undefined;
    const [id = "", mac = ""] = identity.split(".");
    if (!timingSafeEqual(Buffer.from(mac, "hex"), this.#mac(id))) return undefined;
    return BigInt(`0x${id}`);
  }

  #mac(id: string): Buffer {
    return createHmac("sha256", this.#key).update(id).digest().subarray(0, MAC_BYTES);
  }
}
