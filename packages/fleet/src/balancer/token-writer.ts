/**
 * Connect tokens for players who got a seat. A token is made anew from the same few facts whenever it is asked for again, at
 * any balancer, to the last byte: its keys and its nonce come from a MAC over everything that is in it. So no two different
 * tokens share a nonce, and balancers copy the facts to each other, not 2,048 bytes.
 */
import { createHmac } from "node:crypto";
import type { Crypto } from "@riposte/protocol";
import { generateConnectToken, nobleCrypto, writeUserData } from "@riposte/protocol/netcode";
import { deriveKey } from "../peers/peer-mac.ts";

/** What a token says, and what it is made from. */
export interface TokenFacts {
  readonly nodeId: string;
  /** Of the node, as it registered them. */
  readonly addresses: readonly string[];
  /** Idempotency key of the allocation. */
  readonly key: string;
  /** Decimal. */
  readonly clientId: string;
  readonly room: string;
  /** Of the game, base64. */
  readonly userData: string;
  /** Unix ms. */
  readonly issuedAt: number;
  readonly expireSeconds: number;
  readonly timeoutSeconds: number;
  /** The seat, and the epoch of the node that numbered it. */
  readonly seat: number;
  readonly epoch: number;
}

export interface TokenWriterOptions {
  readonly fleetSecret: Uint8Array;
  readonly protocolId: bigint;
}

export class TokenWriter {
  readonly #options: TokenWriterOptions;
  readonly #seedKey: Buffer;
  /** By node. */
  readonly #nodeKeys: Map<string, Buffer> = new Map();

  constructor(options: TokenWriterOptions) {
    this.#options = options;
    this.#seedKey = deriveKey(options.fleetSecret, "riposte token seeds");
  }

  /** The key by which one node, and no other, opens its tokens. */
  keyOf(nodeId: string): Buffer {
    let key = this.#nodeKeys.get(nodeId);
    if (key === undefined) {
      if (this.#nodeKeys.size >= MAX_NODE_KEYS) this.#nodeKeys.clear();
      this.#nodeKeys.set(nodeId, (key = deriveKey(this.#options.fleetSecret, `riposte node ${nodeId}`)));
    }
    return key;
  }

  /** 2,048 bytes. Throws `RangeError` for facts that do not fit into a token. */
  write(facts: TokenFacts): Uint8Array {
    const { protocolId } = this.#options;
    const {
      nodeId,
      addresses,
      clientId,
      room,
      userData,
      issuedAt,
      expireSeconds,
      timeoutSeconds,
      seat: number,
      epoch,
    } = facts;
    return generateConnectToken({
      protocolId,
      privateKey: this.keyOf(nodeId),
      clientId: BigInt(clientId),
      serverAddresses: addresses,
      userData: writeUserData({ room, gameData: Buffer.from(userData, "base64"), issuedAt, seat: { number, epoch } }),
      expireSeconds,
      timeoutSeconds,
      nowSeconds: issuedAt / 1000,
      crypto: { ...CRYPTO, randomBytes: this.#entropy(JSON.stringify([String(protocolId), facts])) },
    });
  }

  #entropy(text: string): Crypto["randomBytes"] {
    const seed = createHmac("sha256", this.#seedKey).update(text).digest();
    let part = 0;
    return (length) => {
      const bytes = createHmac("sha256", seed).update(`${part++}`).digest();
      if (length > bytes.length) throw new RangeError(`${length} bytes of a token's seed are too many`);
      return new Uint8Array(bytes.subarray(0, length));
    };
  }
}

const MAX_NODE_KEYS = 65_536;
const CRYPTO: Crypto = nobleCrypto(() => {
  throw new TypeError("tokens take their entropy from their facts");
});
