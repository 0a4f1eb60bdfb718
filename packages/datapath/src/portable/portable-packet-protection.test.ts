import assert from "node:assert/strict";
import { createCipheriv } from "node:crypto";
import { test } from "node:test";
import * as fc from "fast-check";
import { NO_KEY, PacketBatch } from "../packet-batch.ts";
import { PortablePacketProtection } from "./portable-packet-protection.ts";

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

test("a sealed packet is RFC 8439 under netcode's nonce and associated data", () => {
  const protection = new PortablePacketProtection();
  const handle = protection.addKey(key, prefix);
  const batch = new PacketBatch(2);
  const packetNumber = 0x12_3456_789a_bc;
  const bytes = Uint8Array.from({ length: 50 }, (_, i) => 200 - i);
  put(batch, bytes, handle, packetNumber, 9, 1);
  put(batch, bytes, NO_KEY, 0, 0, 0);
  protection.seal(batch);

  const nonce = Uint8Array.of(0, 0, 0, 0, 0xbc, 0x9a, 0x78, 0x56, 0x34, 0x12, 0, 0);
  const cipher = createCipheriv("chacha20-poly1305", key, nonce, { authTagLength: 16 });
  cipher.setAAD(Uint8Array.of(...prefix, bytes[0]));
  const body = cipher.update(bytes.subarray(9));
  cipher.final();
  assert.deepEqual(datagram(batch, 0), Uint8Array.of(...bytes.subarray(0, 9), ...body, ...cipher.getAuthTag()));
  assert.deepEqual(datagram(batch, 1), bytes);
  assert.equal(batch.key[0], NO_KEY);
});

test("what was sealed opens; with any byte, number or key changed it stays shut and unchanged", () => {
  const protection = new PortablePacketProtection();
  const handles = [protection.addKey(key, prefix), protection.addKey(key.toReversed(), prefix)];
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 10, maxLength: 1200 }),
      fc.nat(9),
      fc.nat(9),
      fc.nat(Number.MAX_SAFE_INTEGER),
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
    { seed: 11, numRuns: 100 },
  );
});

test("handles are given out again after release, and a released key neither seals nor opens", () => {
  const protection = new PortablePacketProtection();
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
  assert.throws(() => protection.addKey(key.subarray(1), prefix), /32 bytes/);
});
