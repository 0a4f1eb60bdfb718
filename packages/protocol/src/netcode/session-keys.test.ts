import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { NO_KEY } from "../machine.ts";
import type { KeyOptions, KeyStore } from "../machine.ts";
import { PACKET_DISCONNECT, PACKET_NAMED_PAYLOAD_AES, PACKET_PAYLOAD, PACKET_PAYLOAD_AES } from "./constants.ts";
import { nobleCrypto } from "./noble-crypto.ts";
import { protocolAssociatedData } from "./packet-protection.ts";
import { aesKeyOf, SessionKeys } from "./session-keys.ts";

const crypto = nobleCrypto((length) => new Uint8Array(length));

/** Takes keys and gives handles, and remembers which it holds. */
class Keyring implements KeyStore {
  readonly prefersAes = true;
  readonly held: Map<number, string> = new Map();
  #next = 1;

  addKey(key: Uint8Array, _prefix: Uint8Array, options: KeyOptions = {}): number {
    this.held.set(this.#next, `${options.cipher ?? "chacha20-poly1305"} ${Buffer.from(key).toString("hex")}`);
    return this.#next++;
  }

  releaseKey(handle: number): void {
    assert.ok(this.held.delete(handle), "released once");
  }
}

function keysIn(store: KeyStore, aes: boolean): SessionKeys {
  return new SessionKeys({
    sendKey: new Uint8Array(32).fill(1),
    receiveKey: new Uint8Array(32).fill(2),
    associatedData: protocolAssociatedData(1n),
    store,
    crypto,
    aes,
  });
}

test("the key for AES is made as the page says", () => {
  const vectors = readFileSync(new URL("../../../../docs/protocol/vectors/aes-payload.txt", import.meta.url), "utf8");
  const [, key, made] = vectors.match(/^KEY (\S+) (\S+)$/m) ?? assert.fail("no KEY vector");
  assert.equal(Buffer.from(aesKeyOf(Buffer.from(key, "hex"), crypto)).toString("hex"), made);
});

test("payloads go under AES once the peer takes it; whatever else comes keeps netcode's keys", () => {
  const store = new Keyring();
  const keys = keysIn(store, true);
  assert.equal(store.held.size, 4);
  assert.deepEqual([keys.payload, keys.payloadType], [keys.send, PACKET_PAYLOAD]);
  keys.sendAes();
  assert.match(store.held.get(keys.payload) ?? "", /^aes-256-gcm/);
  assert.equal(keys.payloadType, PACKET_PAYLOAD_AES);
  assert.match(store.held.get(keys.receiveOf(PACKET_NAMED_PAYLOAD_AES)) ?? "", /^aes-256-gcm/);
  assert.match(store.held.get(keys.receiveOf(PACKET_DISCONNECT)) ?? "", /^chacha20.* 0202/);
  keys.releaseReceiving();
  assert.deepEqual([store.held.size, store.held.has(keys.payload)], [2, true]);
  keys.releaseSending();
  assert.equal(store.held.size, 0);
});

test("a side that does not take AES has no key for it, whatever the peer says", () => {
  const store = new Keyring();
  const keys = keysIn(store, false);
  keys.sendAes();
  assert.deepEqual([keys.payload, keys.payloadType], [keys.send, PACKET_PAYLOAD]);
  assert.equal(keys.receiveOf(PACKET_PAYLOAD_AES), NO_KEY);
  keys.releaseReceiving();
  keys.releaseSending();
  assert.equal(store.held.size, 0);
});
