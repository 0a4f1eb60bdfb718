/** Packet protection as QUIC version 1 uses it, by RFC 9001's own vectors. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { PacketBatch } from "../src/index.ts";
import type { CipherName, KeyOptions, PacketProtection } from "../src/index.ts";
import { forms } from "./forms.ts";

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ""), "hex"));

interface Vector {
  readonly name: string;
  readonly key: Uint8Array;
  readonly options: KeyOptions;
  readonly header: Uint8Array;
  readonly numberLength: number;
  readonly packetNumber: number;
  readonly payload: Uint8Array;
  /** The protected packet, or where it is long how it begins and ends: the tag at its end vouches for the rest. */
  readonly begins: Uint8Array;
  readonly ends: Uint8Array;
}

const CLIENT_HELLO = hex(`
  060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c00000413011302010000c0
  00000010000e00000b6578616d706c652e636f6dff01000100000a00080006001d0017001800100007000504616c706e0005000501
  00000000003300260024001d00209370b2c9caa47fbabaf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b0003020304
  000d0010000e0403050306030203080408050806002d00020101001c00024001003900320408ffffffffffffffff05048000ffff07
  048000ffff0801100104800075300901100f088394c8f03e51570806048000ffff`);
/** RFC 9001 section A.2: padded to 1,162 bytes of frames. */
const CLIENT_PAYLOAD = new Uint8Array(1162);
CLIENT_PAYLOAD.set(CLIENT_HELLO);

const VECTORS: readonly Vector[] = [
  {
    name: "A.2 client Initial",
    key: hex("1f369613dd76d5467730efcbe3b1a22d"),
    options: {
      cipher: "aes-128-gcm",
      iv: hex("fa044b2f42a3fd3b46fb255c"),
      headerProtectionKey: hex("9f50449e04a0e810283a1e9933adedd2"),
    },
    header: hex("c300000001088394c8f03e5157080000449e00000002"),
    numberLength: 4,
    packetNumber: 2,
    payload: CLIENT_PAYLOAD,
    begins: hex("c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11d242b123dc9b"),
    ends: hex("e221af44860018ab0856972e194cd934"),
  },
  {
    name: "A.3 server Initial",
    key: hex("cf3a5331653c364c88f0f379b6067e37"),
    options: {
      cipher: "aes-128-gcm",
      iv: hex("0ac1493ca1905853b0bba03e"),
      headerProtectionKey: hex("c206b8d9b9f0f37644430b490eeaa314"),
    },
    header: hex("c1000000010008f067a5502a4262b50040750001"),
    numberLength: 2,
    packetNumber: 1,
    payload: hex(`
      02000000000600405a020000560303eefce7f7b37ba1d1632e96677825ddf73988cfc79825df566dc5430b9a045a1200130100002e
      00330024001d00209d3c940d89690b84d08a60993c144eca684d1081287c834d5311bcf32bb9da1a002b00020304`),
    begins: hex(`
      cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a5816b6394100f37a1c69797554780bb38cc5a99f5e
      de4cf73c3ec2493a1839b3dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19fb84022f8ef4cdd93795d77d
      06edbb7aaf2f58891850abbdca3d20398c276456cbc42158407dd074ee`),
    ends: hex("2158407dd074ee"),
  },
  {
    name: "A.5 ChaCha20-Poly1305 short header",
    key: hex("c6d98ff3441c3fe1b2182094f69caa2ed4b716b65488960a7a984979fb23e1c8"),
    options: {
      cipher: "chacha20-poly1305",
      iv: hex("e0459b3474bdd0e44a41c144"),
      headerProtectionKey: hex("25a282b9e82f06f21f488917a4fc8f1b73573685608597d0efcb076b0ab7a7a4"),
    },
    header: hex("4200bff4"),
    numberLength: 3,
    packetNumber: 654_360_564,
    payload: hex("01"),
    begins: hex("4cfe4189655e5cd55c41f69080575d7999c25a5bfb"),
    ends: hex("5bfb"),
  },
];

function put(batch: PacketBatch, bytes: Uint8Array, key: number, packetNumber: number, headerLength: number): void {
  const slot = batch.count;
  assert.ok(batch.append(bytes, 0, bytes.length, 0));
  batch.key[slot] = key;
  batch.packetNumber[slot] = packetNumber;
  batch.headerLength[slot] = headerLength;
  batch.aadLength[slot] = headerLength;
}

function packetOf(batch: PacketBatch, slot: number): Uint8Array {
  return batch.buffer.slice(batch.offset[slot], batch.offset[slot] + batch.length[slot]);
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}

for (const form of forms) {
  const { name } = form;

  test(`${name}: RFC 9001 appendix A, sealed and opened in one batch`, () => {
    const protection = form.createPacketProtection();
    const batch = new PacketBatch(4);
    const keys = VECTORS.map(({ key, options }) => protection.addKey(key, new Uint8Array(), options));
    VECTORS.forEach(({ header, payload, packetNumber }, i) => {
      put(batch, join(header, payload), keys[i], packetNumber, header.length);
    });
    protection.seal(batch);
    VECTORS.forEach(({ name: vector, begins, ends, header, payload }, i) => {
      const sealed = packetOf(batch, i);
      assert.equal(sealed.length, header.length + payload.length + 16, vector);
      assert.deepEqual(sealed.subarray(0, begins.length), begins, vector);
      assert.deepEqual(sealed.subarray(-ends.length), ends, vector);
    });

    VECTORS.forEach(({ header, numberLength }, i) => {
      batch.key[i] = keys[i];
      batch.headerLength[i] = header.length - numberLength;
    });
    protection.unprotect(batch);
    VECTORS.forEach(({ name: vector, header, numberLength, packetNumber }, i) => {
      assert.deepEqual(packetOf(batch, i).subarray(0, header.length), header, vector);
      assert.equal(batch.packetNumber[i], packetNumber % 2 ** (8 * numberLength), vector);
      assert.equal(batch.headerLength[i], header.length, vector);
      assert.equal(batch.aadLength[i], header.length, vector);
      // Completed by the caller, who knows what it expects.
      batch.packetNumber[i] = packetNumber;
    });
    protection.open(batch);
    VECTORS.forEach(({ name: vector, header, payload }, i) => {
      assert.equal(batch.opened[i], 1, vector);
      assert.deepEqual(packetOf(batch, i), join(header, payload), vector);
    });
  });

  test(`${name}: a packet too short for a sample is refused to seal and marked on the way in`, () => {
    const protection = form.createPacketProtection();
    const { key, options } = VECTORS[2];
    const handle = protection.addKey(key, new Uint8Array(), options);
    const plain = protection.addKey(key, new Uint8Array(), { iv: new Uint8Array(12) });
    const batch = new PacketBatch(8);
    // One byte of packet number and two of payload: one too few.
    put(batch, Uint8Array.of(0x40, 1, 2, 3), handle, 1, 2);
    assert.throws(() => protection.seal(batch), /packet 0 is too short for header protection/);
    batch.count = 0;
    put(batch, Uint8Array.of(0x40, 1, 2, 3, 4), handle, 1, 2);
    protection.seal(batch);
    assert.equal(batch.length[0], 21);

    batch.count = 0;
    const sealed = new Uint8Array(20);
    put(batch, sealed, handle, 0, 1);
    put(batch, new Uint8Array(30), plain, 0, 1);
    put(batch, new Uint8Array(30), 99, 0, 1);
    put(batch, new Uint8Array(30), handle, 0, 0);
    put(batch, new Uint8Array(30), -1, 5, 1);
    protection.unprotect(batch);
    assert.deepEqual([...batch.packetNumber.subarray(0, 5)], [-1, -1, -1, -1, 5]);
    assert.deepEqual(packetOf(batch, 0), sealed);
    // Never a packet number: it stays shut.
    protection.open(batch);
    assert.deepEqual([...batch.opened], [0, 0, 0, 0, 0, 0, 0, 0]);
  });

  test(`${name}: any packet comes back, under another key phase of one header key`, () => {
    const cipher = fc.constantFrom<CipherName>("aes-128-gcm", "aes-256-gcm", "chacha20-poly1305");
    fc.assert(
      fc.property(
        cipher,
        fc.boolean(),
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 1, max: 4 }),
        fc.nat(Number.MAX_SAFE_INTEGER),
        fc.uint8Array({ minLength: 3, maxLength: 1300 }),
        (name_, long, idLength, numberLength, packetNumber, payload) => {
          const protection = form.createPacketProtection();
          const [first, second, header] = keyPair(protection, name_);
          const start = (long ? 0xc0 : 0x40) | (numberLength - 1);
          const number = new Uint8Array(numberLength);
          for (let i = 0; i < numberLength; i += 1) {
            number[numberLength - 1 - i] = Math.floor(packetNumber / 256 ** i) % 256;
          }
          const head = join(Uint8Array.of(start), new Uint8Array(idLength).fill(9), number);
          const batch = new PacketBatch(1);
          put(batch, join(head, payload), second, packetNumber, head.length);
          protection.seal(batch);
          assert.notDeepEqual(packetOf(batch, 0).subarray(head.length, -16), payload);
          batch.key[0] = first;
          batch.headerLength[0] = head.length - numberLength;
          protection.unprotect(batch);
          assert.equal(batch.packetNumber[0], packetNumber % 256 ** numberLength);
          batch.key[0] = second;
          batch.packetNumber[0] = packetNumber;
          protection.open(batch);
          assert.equal(batch.opened[0], 1);
          assert.deepEqual(packetOf(batch, 0), join(head, payload));
          for (const handle of [first, second, header]) protection.releaseKey(handle);
        },
      ),
      { seed: 9, numRuns: 150 },
    );
  });
}

/** Two keys with one header protection key, and one more. */
function keyPair(protection: PacketProtection, cipher: CipherName): [number, number, number] {
  const length = cipher === "aes-128-gcm" ? 16 : 32;
  const add = (fill: number): number =>
    protection.addKey(new Uint8Array(length).fill(fill), new Uint8Array(), {
      cipher,
      iv: new Uint8Array(12).fill(fill),
      headerProtectionKey: new Uint8Array(length).fill(77),
    });
  return [add(1), add(2), add(3)];
}
