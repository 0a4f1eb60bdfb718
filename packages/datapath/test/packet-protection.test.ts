import assert from "node:assert/strict";
import { createCipheriv } from "node:crypto";
import type { CipherGCMTypes } from "node:crypto";
import { test } from "node:test";
import * as fc from "fast-check";
import { NO_KEY, PacketBatch } from "../src/index.ts";
import type { CipherName, KeyOptions, PacketProtection } from "../src/index.ts";
import { forms } from "./forms.ts";

const key = Uint8Array.from({ length: 32 }, (_, i) => i);
const prefix = Uint8Array.from({ length: 21 }, (_, i) => 100 + i);

function put(batch: PacketBatch, bytes: Uint8Array, handle: number, packetNumber: number, header: number, aad: number) {
  const slot = batch.count;
  assert.ok(batch.append(bytes, 0, bytes.length, 7));
  batch.key[slot] = handle;
  batch.packetNumber[slot] = packetNumber;
  batch.headerLength[slot] = header;
  batch.aadLength[slot] = aad;
}

function datagram(batch: PacketBatch, slot: number): Uint8Array {
  return batch.buffer.slice(batch.offset[slot], batch.offset[slot] + batch.length[slot]);
}

const CIPHERS: readonly CipherName[] = ["aes-128-gcm", "aes-256-gcm", "chacha20-poly1305"];
const iv = Uint8Array.from({ length: 12 }, (_, i) => 50 + 3 * i);

function keyOf(cipher: CipherName): Uint8Array {
  return cipher === "aes-128-gcm" ? key.subarray(0, 16) : key;
}

/** What node:crypto makes of it by itself. */
function reference(cipher: CipherName, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const object = createCipheriv(cipher as CipherGCMTypes, keyOf(cipher), nonce, { authTagLength: 16 });
  object.setAAD(aad);
  const body = object.update(plaintext);
  object.final();
  return Uint8Array.of(...body, ...object.getAuthTag());
}

for (const form of forms) {
  const { name } = form;
  const createProtection = (): PacketProtection => form.createPacketProtection();

  test(`${name}: a sealed packet is RFC 8439 under netcode's nonce and associated data`, () => {
    const protection = createProtection();
    const handle = protection.addKey(key, prefix);
    const batch = new PacketBatch(2);
    const packetNumber = 0x12_3456_789a_bc;
    const bytes = Uint8Array.from({ length: 50 }, (_, i) => 200 - i);
    put(batch, bytes, handle, packetNumber, 9, 1);
    put(batch, bytes, NO_KEY, 0, 0, 0);
    protection.seal(batch);

    const nonce = Uint8Array.of(0, 0, 0, 0, 0xbc, 0x9a, 0x78, 0x56, 0x34, 0x12, 0, 0);
    const sealed = reference("chacha20-poly1305", nonce, Uint8Array.of(...prefix, bytes[0]), bytes.subarray(9));
    assert.deepEqual(datagram(batch, 0), Uint8Array.of(...bytes.subarray(0, 9), ...sealed));
    assert.deepEqual(datagram(batch, 1), bytes);
    assert.equal(batch.key[0], NO_KEY);
  });

  for (const cipher of CIPHERS) {
    test(`${name}: ${cipher} under an IV has QUIC's nonce`, () => {
      const protection = createProtection();
      const handle = protection.addKey(keyOf(cipher), new Uint8Array(), { cipher, iv });
      const batch = new PacketBatch(1);
      const bytes = Uint8Array.from({ length: 200 }, (_, i) => i);
      put(batch, bytes, handle, 0x12_3456_789a_bcde, 130, 130);
      protection.seal(batch);
      const nonce = iv.slice();
      [0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde].forEach((byte, i) => (nonce[5 + i] ^= byte));
      const sealed = reference(cipher, nonce, bytes.subarray(0, 130), bytes.subarray(130));
      assert.deepEqual(datagram(batch, 0), Uint8Array.of(...bytes.subarray(0, 130), ...sealed));
    });

    test(`${name}: ${cipher}: what was sealed opens; with any byte, number or key changed it stays shut and unchanged`, () => {
      const protection = createProtection();
      const options: KeyOptions = { cipher };
      const handles = [
        protection.addKey(keyOf(cipher), prefix, options),
        protection.addKey(keyOf(cipher).toReversed(), prefix, options),
      ];
      fc.assert(
        fc.property(
          fc.uint8Array({ minLength: 10, maxLength: 1200 }),
          fc.nat(9),
          fc.nat(9),
          fc.nat(Number.MAX_SAFE_INTEGER - 1),
          fc.nat(),
          fc.integer({ min: 1, max: 255 }),
          (bytes, header, aad, packetNumber, at, flip) => {
            const batch = new PacketBatch(8);
            const authenticated = Math.min(header, aad);
            put(batch, bytes, handles[0], packetNumber, header, authenticated);
            protection.seal(batch);
            const sealed = datagram(batch, 0);
            const forged = sealed.slice();
            // Header bytes that are no associated data are not authenticated here.
            const spot = (at % (sealed.length - header)) + header;
            forged[spot] ^= flip;
            batch.count = 0;
            put(batch, sealed, handles[0], packetNumber, header, authenticated);
            put(batch, forged, handles[0], packetNumber, header, authenticated);
            put(batch, sealed, handles[0], packetNumber + 1, header, authenticated);
            put(batch, sealed, handles[1], packetNumber, header, authenticated);
            put(batch, sealed.subarray(0, at % sealed.length), handles[0], packetNumber, header, authenticated);
            put(batch, sealed, NO_KEY, packetNumber, header, authenticated);
            put(batch, sealed, 55, packetNumber, header, authenticated);
            protection.open(batch);
            assert.deepEqual([...batch.opened], [1, 0, 0, 0, 0, 0, 0, 0]);
            assert.deepEqual(datagram(batch, 0), bytes);
            assert.deepEqual(datagram(batch, 1), forged);
            assert.deepEqual(datagram(batch, 2), sealed);
          },
        ),
        { seed: 11, numRuns: 60 },
      );
    });
  }

  test(`${name}: handles are given out again after release, and a released key neither seals nor opens`, () => {
    const protection = createProtection();
    const first = protection.addKey(key, prefix);
    assert.equal(protection.keyCount, 1);
    protection.releaseKey(first);
    assert.equal(protection.keyCount, 0);
    assert.throws(() => protection.releaseKey(first), /unknown key/);
    const batch = new PacketBatch(2);
    put(batch, new Uint8Array(40), first, 1, 9, 1);
    protection.open(batch);
    assert.equal(batch.opened[0], 0);
    assert.throws(() => protection.seal(batch), /unknown key/);
    assert.equal(protection.addKey(key, prefix), first);
  });

  test(`${name}: hundreds of keys, released and added in any order`, () => {
    const protection = createProtection();
    const handles = Array.from({ length: 300 }, () => protection.addKey(key, prefix));
    assert.equal(new Set(handles).size, 300);
    for (const handle of handles.filter((_, i) => i % 2 === 0)) protection.releaseKey(handle);
    assert.equal(protection.keyCount, 150);
    for (let i = 0; i < 150; i += 1) protection.addKey(key, prefix);
    assert.equal(protection.keyCount, 300);
    assert.deepEqual(opens(protection, handles[0]), [1]);
  });

  test(`${name}: what a caller gets wrong is named`, () => {
    const protection = createProtection();
    assert.throws(() => protection.addKey(key.subarray(1), prefix), /32 bytes, not 31/);
    assert.throws(() => protection.addKey(key, prefix, { cipher: "aes-128-gcm" }), /16 bytes, not 32/);
    assert.throws(() => protection.addKey(key, new Uint8Array(65)), /at most 64 bytes, not 65/);
    assert.throws(() => protection.addKey(key, prefix, { iv: new Uint8Array(11) }), /iv has 12 bytes, not 11/);
    assert.throws(
      () => protection.addKey(key, prefix, { headerProtectionKey: new Uint8Array(16) }),
      /headerProtectionKey has 32 bytes, not 16/,
    );
    assert.throws(() => protection.addKey(key, prefix, { cipher: "rot13" as CipherName }), /unknown cipher rot13/);
    assert.equal(protection.keyCount, 0);

    const handle = protection.addKey(key, prefix);
    const misuses: [RegExp, (batch: PacketBatch) => void][] = [
      [/packet 0 does not fit/, (batch) => (batch.length[0] = 2040)],
      [/packet 0 does not fit/, (batch) => (batch.offset[0] = -1)],
      [/packet 0 does not fit/, (batch) => (batch.offset[0] = 2000)],
      [/packet 0 does not fit/, (batch) => (batch.headerLength[0] = 41)],
      [/packet 0 does not fit/, (batch) => (batch.aadLength[0] = 10)],
      [/packet 0 has the number nan/i, (batch) => (batch.packetNumber[0] = Number.NaN)],
      [/packet 0 has the number -1/, (batch) => (batch.packetNumber[0] = -1)],
      [/packet 0 has the number 0.5/, (batch) => (batch.packetNumber[0] = 0.5)],
    ];
    for (const [message, spoil] of misuses) {
      const batch = new PacketBatch(1);
      put(batch, new Uint8Array(40), handle, 7, 9, 1);
      spoil(batch);
      assert.throws(() => protection.seal(batch), message);
    }
  });
}

test("what one form seals, the other opens", () => {
  for (const cipher of CIPHERS) {
    const batch = new PacketBatch(64);
    const [from, to] = [forms[0], forms[forms.length - 1]].map((form) => {
      const protection = form.createPacketProtection();
      return { protection, handle: protection.addKey(keyOf(cipher), prefix, { cipher }) };
    });
    for (let i = 0; i < 64; i += 1) put(batch, new Uint8Array(20 + i * 19).fill(i), from.handle, i, 9, 1);
    from.protection.seal(batch);
    batch.key.fill(to.handle);
    to.protection.open(batch);
    for (let i = 0; i < 64; i += 1) assert.deepEqual(datagram(batch, i), new Uint8Array(20 + i * 19).fill(i));
    assert.ok(batch.opened.every((opened) => opened === 1));
  }
});

function opens(protection: PacketProtection, handle: number): number[] {
  const batch = new PacketBatch(1);
  put(batch, new Uint8Array(40), handle, 3, 9, 1);
  protection.seal(batch);
  batch.key[0] = handle;
  protection.open(batch);
  return [...batch.opened];
}
