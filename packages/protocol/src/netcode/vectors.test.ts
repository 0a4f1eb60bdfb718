import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { NO_KEY } from "../machine.ts";
import type { ReceivedPacket, TransmitSlot } from "../machine.ts";
import { formatAddress } from "./address.ts";
import { challengeTokenClientId, challengeTokenUserData, writeChallengeToken } from "./challenge-token.ts";
import { readConnectToken, tokenAssociatedData, writeConnectToken } from "./connect-token.ts";
import { PACKET_KEEP_ALIVE } from "./constants.ts";
import { nobleCrypto } from "./noble-crypto.ts";
import { PacketHeader, writePacketHeader, writePacketHeader64 } from "./packet-header.ts";
import { PacketProtection, protocolAssociatedData } from "./packet-protection.ts";
import { openPrivateToken, readPrivateToken, sealPrivateToken, writePrivateToken } from "./private-token.ts";
import { SoftwareKeys } from "./software-keys.ts";

const lines = readFileSync(new URL("../../test/vectors/netcode-1.02.txt", import.meta.url), "utf8")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"))
  .map((line) => line.trim().split(/\s+/));

const crypto = nobleCrypto((length) => new Uint8Array(length));
const key = Uint8Array.from({ length: 32 }, (_, i) => i);
const protocolId = 0x1234567890abcdefn;

function vectors(kind: string): string[][] {
  const found = lines.filter((line) => line[0] === kind);
  assert.ok(found.length > 0, `no ${kind} vector`);
  return found;
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, "hex"));
}

test("TOKEN: every field, and the same bytes again", () => {
  for (const [, length, hex] of vectors("TOKEN")) {
    const bytes = bytesOf(hex);
    assert.equal(bytes.length, Number(length));
    const token = readConnectToken(bytes);
    assert.ok(token);
    assert.equal(token.protocolId, protocolId);
    assert.equal(token.expireTimestamp - token.createTimestamp, 45n);
    assert.equal(token.timeoutSeconds, 17);
    assert.deepEqual(token.serverAddresses.map(formatAddress), ["127.0.0.1:40000", "[::1]:40001"]);

    const sealed = token.privateData.slice();
    const associatedData = tokenAssociatedData(token.protocolId, token.expireTimestamp);
    assert.ok(openPrivateToken(crypto, key, token.nonce, associatedData, sealed, 0));
    const inner = readPrivateToken(sealed, 0);
    assert.ok(inner);
    assert.equal(inner.clientId, 0x1122334455667788n);
    assert.equal(inner.timeoutSeconds, 17);
    assert.deepEqual(inner.serverAddresses, token.serverAddresses);
    assert.deepEqual(inner.clientToServerKey, token.clientToServerKey);
    assert.deepEqual(inner.serverToClientKey, token.serverToClientKey);
    assert.deepEqual(
      inner.userData,
      Uint8Array.from({ length: 256 }, (_, i) => 255 - i),
    );

    const again = new Uint8Array(1024);
    writePrivateToken(inner, again, 0);
    sealPrivateToken(crypto, key, token.nonce, associatedData, again, 0);
    assert.deepEqual(again, token.privateData);
    assert.deepEqual(writeConnectToken({ ...token, privateData: again }), bytes);
  }
});

test("PKT: header and sealing, both ways, over the whole sequence space", () => {
  const protection = new PacketProtection(crypto, protocolAssociatedData(protocolId));
  const plain = Uint8Array.of(3, 0, 0, 0, 32, 0, 0, 0);
  for (const [, sequenceText, length, hex] of vectors("PKT")) {
    const bytes = bytesOf(hex);
    assert.equal(bytes.length, Number(length));
    const sequence = BigInt(sequenceText);
    const high = Number(sequence >> 32n);
    const low = Number(sequence & 0xffffffffn);

    const header = new PacketHeader();
    assert.ok(header.read(bytes, 0, bytes.length));
    assert.equal(header.type, PACKET_KEEP_ALIVE);
    assert.deepEqual([header.sequenceHigh, header.sequenceLow], [high, low]);
    assert.equal(header.sequence, sequence < 1n << 53n ? Number(sequence) : -1);

    const written = new Uint8Array(64);
    const headerLength = writePacketHeader64(written, 0, PACKET_KEEP_ALIVE, high, low);
    assert.equal(headerLength, header.length);
    written.set(plain, headerLength);
    protection.seal(key, high, low, written, 0, headerLength, plain.length);
    assert.deepEqual(written.subarray(0, bytes.length), bytes);

    const opened = bytes.slice();
    assert.ok(protection.open(key, high, low, opened, 0, header.length, opened.length - header.length));
    assert.deepEqual(opened.subarray(header.length, header.length + 8), plain);
  }
});

test("PKT: a key store seals and opens the same bytes", () => {
  const keys = new SoftwareKeys(crypto);
  const handle = keys.addKey(key, protocolAssociatedData(protocolId));
  for (const [, sequenceText, , hex] of vectors("PKT")) {
    const bytes = bytesOf(hex);
    const packetNumber = Number(sequenceText);
    if (!Number.isSafeInteger(packetNumber)) continue;
    const buffer = new Uint8Array(64);
    const headerLength = writePacketHeader(buffer, 5, PACKET_KEEP_ALIVE, packetNumber);
    buffer.set([3, 0, 0, 0, 32, 0, 0, 0], 5 + headerLength);
    const slot: TransmitSlot = {
      buffer,
      offset: 5,
      capacity: 59,
      length: headerLength + 8,
      path: 0,
      ecn: 0,
      key: handle,
      packetNumber,
      headerLength,
      aadLength: 1,
    };
    keys.seal(slot);
    assert.deepEqual(buffer.subarray(5, 5 + slot.length), bytes);
    const { offset, length, path, ecn } = slot;
    const packet: ReceivedPacket = {
      buffer,
      offset,
      length,
      path,
      ecn,
      key: handle,
      packetNumber,
      headerLength,
      aadLength: 1,
      opened: false,
    };
    keys.open(packet);
    assert.ok(packet.opened);
    assert.equal(packet.length, headerLength + 8);
    buffer[5 + headerLength] ^= 1;
    packet.length = length;
    keys.open(packet);
    assert.ok(!packet.opened);
  }
  keys.releaseKey(handle);
  assert.equal(keys.size, 0);
  assert.equal(handle === NO_KEY, false);
});

test("CHALLENGE: the plaintext", () => {
  for (const [, length, hex] of vectors("CHALLENGE")) {
    const bytes = bytesOf(hex);
    assert.equal(bytes.length, Number(length));
    const userData = Uint8Array.from({ length: 256 }, (_, i) => i ^ 0x5a);
    assert.equal(challengeTokenClientId(bytes, 0), 0x0102030405060708n);
    assert.deepEqual(challengeTokenUserData(bytes, 0), userData);
    const written = new Uint8Array(300).fill(255);
    writeChallengeToken(written, 0, 0x0102030405060708n, userData);
    assert.deepEqual(written, bytes);
  }
});
