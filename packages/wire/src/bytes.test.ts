import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter, varintLength } from "./byte-writer.ts";

const safe = fc.oneof(
  fc.maxSafeNat(),
  fc.integer({ min: 0, max: 300 }),
  fc.constantFrom(0, 63, 64, 127, 128, 16_383, 16_384, 2 ** 30 - 1, 2 ** 30, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1),
);
const int32 = fc.integer();
const text = fc.string({ unit: "grapheme", maxLength: 40 });

/** One value of the format: how it is written, how it is read, what comes back. */
type Item =
  | { readonly kind: "u8" | "u16" | "u32" | "u64" | "varint" | "leb128" | "u16be" | "u32be"; readonly value: number }
  | { readonly kind: "i8" | "i16" | "i32" | "f32" | "f64"; readonly value: number }
  | { readonly kind: "string"; readonly value: string };

function ranged(kind: Exclude<Item["kind"], "string">, min: number, max: number): fc.Arbitrary<Item> {
  return fc.integer({ min, max }).map((value) => ({ kind, value }));
}

const item: fc.Arbitrary<Item> = fc.oneof(
  ranged("u8", 0, 255),
  ranged("u16", 0, 65_535),
  ranged("u32", 0, 2 ** 32 - 1),
  ranged("u16be", 0, 65_535),
  ranged("u32be", 0, 2 ** 32 - 1),
  ranged("i8", -128, 127),
  ranged("i16", -32_768, 32_767),
  int32.map((value): Item => ({ kind: "i32", value })),
  safe.map((value): Item => ({ kind: "u64", value })),
  safe.map((value): Item => ({ kind: "varint", value })),
  safe.map((value): Item => ({ kind: "leb128", value })),
  fc.float().map((value): Item => ({ kind: "f32", value })),
  fc.double().map((value): Item => ({ kind: "f64", value })),
  text.map((value): Item => ({ kind: "string", value })),
);

function write(writer: ByteWriter, { kind, value }: Item): void {
  if (kind === "string") writer.string(value);
  else writer[kind](value);
}

test("what is written reads back, at any offset", () => {
  fc.assert(
    fc.property(fc.array(item, { maxLength: 30 }), fc.integer({ min: 0, max: 9 }), (items, offset) => {
      const buffer = new Uint8Array(8192).fill(0xaa);
      const writer = new ByteWriter(buffer, offset);
      for (const one of items) write(writer, one);
      assert.equal(writer.failed, false);
      const reader = new ByteReader(buffer, offset, writer.offset);
      for (const { kind, value } of items) assert.deepEqual(reader[kind](), value, kind);
      assert.equal(reader.remaining, 0);
      assert.equal(reader.failed, false);
      assert.ok(buffer.subarray(0, offset).every((byte) => byte === 0xaa));
      assert.ok(buffer.subarray(writer.offset).every((byte) => byte === 0xaa));
    }),
    { seed: 101, numRuns: 300 },
  );
});

test("a write that does not fit is left out whole and marks the writer", () => {
  fc.assert(
    fc.property(item, fc.integer({ min: 0, max: 12 }), (one, room) => {
      const whole = new ByteWriter(new Uint8Array(256));
      write(whole, one);
      const buffer = new Uint8Array(64).fill(0x55);
      const writer = new ByteWriter(buffer, 3, 3 + room);
      write(writer, one);
      const fits = whole.length <= room;
      assert.equal(writer.failed, !fits);
      assert.equal(writer.length, fits ? whole.length : 0);
      assert.ok(
        buffer.subarray(3 + room).every((byte) => byte === 0x55),
        "nothing behind the window",
      );
      if (fits) assert.deepEqual(writer.written(), whole.written());
      writer.rewind(3);
      assert.deepEqual([writer.failed, writer.length, writer.remaining], [false, 0, room]);
    }),
    { seed: 102, numRuns: 500 },
  );
});

test("numbers are little-endian; varints are RFC 9000's", () => {
  const writer = new ByteWriter(new Uint8Array(64));
  writer.u16(0x0102);
  writer.u32(0x01020304);
  writer.u64(0x1_0000_0002);
  writer.u16be(0x0102);
  assert.equal(Buffer.from(writer.written()).toString("hex"), "02010403020102000000010000000102");
  // RFC 9000 appendix A.1
  const examples: [string, number][] = [
    ["c2197c5eff14e88c", Number(151_288_809_941_952_652n)],
    ["9d7f3e7d", 494_878_333],
    ["7bbd", 15_293],
    ["25", 37],
    ["4025", 37],
  ];
  for (const [hex, value] of examples) {
    const reader = new ByteReader(Uint8Array.from(Buffer.from(hex, "hex")));
    const read = reader.varint();
    assert.equal(reader.failed, value > Number.MAX_SAFE_INTEGER, hex);
    if (!reader.failed) assert.equal(read, value);
  }
  const expected: [number, number][] = [
    [0, 1],
    [63, 1],
    [64, 2],
    [16_383, 2],
    [16_384, 4],
    [2 ** 30 - 1, 4],
    [2 ** 30, 8],
    [Number.MAX_SAFE_INTEGER, 8],
  ];
  for (const [value, length] of expected) assert.equal(varintLength(value), length);
});

test("values the format cannot hold are the caller's mistake", () => {
  const writer = new ByteWriter(new Uint8Array(64));
  for (const value of [-1, 1.5, 2 ** 53, Number.NaN, Infinity]) {
    assert.throws(() => writer.u64(value), RangeError);
    assert.throws(() => writer.varint(value), RangeError);
    assert.throws(() => writer.leb128(value), RangeError);
    assert.throws(() => varintLength(value), RangeError);
  }
  assert.equal(writer.length, 0);
});

test("NaN is the same bytes however an engine came to it", () => {
  const infinities = [Infinity, -Infinity];
  for (const nan of [NaN, infinities[0] + infinities[1], infinities[0] * (infinities.length - 2)]) {
    const writer = new ByteWriter(new Uint8Array(12));
    writer.f32(nan);
    writer.f64(nan);
    assert.deepEqual([...writer.written()], [0, 0, 0xc0, 0x7f, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f]);
  }
});

const reads = [
  "u8",
  "u16",
  "u32",
  "u64",
  "u16be",
  "u32be",
  "i8",
  "i16",
  "i32",
  "f32",
  "f64",
  "varint",
  "leb128",
  "string",
] as const;

test("any read of any bytes stays in the window, never throws, and failure sticks", () => {
  const wireBytes = fc.uint8Array({ maxLength: 60 });
  fc.assert(
    fc.property(
      wireBytes,
      fc.array(fc.constantFrom(...reads), { maxLength: 30 }),
      fc.nat(5),
      (bytes, kinds, offset) => {
        const buffer = new Uint8Array(bytes.length + 20).fill(0x41);
        buffer.set(bytes, offset);
        const reader = new ByteReader(buffer, offset, offset + bytes.length);
        let failed = false;
        for (const kind of kinds) {
          const before = reader.offset;
          const value = reader[kind]();
          assert.ok(reader.offset >= before && reader.offset <= reader.end);
          assert.ok(reader.failed || !failed, "failed stays set");
          if (reader.failed && !failed) assert.ok(value === 0 || value === "", `${kind} gave ${value}`);
          failed = reader.failed;
        }
      },
    ),
    { seed: 103, numRuns: 500 },
  );
});

test("truncated input fails", () => {
  fc.assert(
    fc.property(item, (one) => {
      const writer = new ByteWriter(new Uint8Array(256));
      write(writer, one);
      for (let end = 0; end < writer.length; end++) {
        const reader = new ByteReader(writer.buffer, 0, end);
        reader[one.kind]();
        assert.equal(reader.failed, true, `${one.kind} in ${end} of ${writer.length} bytes`);
      }
    }),
    { seed: 104, numRuns: 200 },
  );
});

test("runs of bytes: copies, views, skips", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), (bytes, from) => {
      const start = Math.min(from, bytes.length);
      const writer = new ByteWriter(new Uint8Array(512));
      writer.bytes(bytes, start);
      writer.zeros(3);
      writer.bytes(bytes);
      const reader = new ByteReader(writer.buffer, 0, writer.offset);
      const copy = new Uint8Array(bytes.length - start + 2);
      reader.bytes(copy, 2, bytes.length - start);
      assert.deepEqual(copy.subarray(2), bytes.slice(start));
      reader.skip(3);
      assert.deepEqual(reader.view(bytes.length), bytes);
      assert.equal(reader.remaining, 0);
      assert.deepEqual(reader.view(1), new Uint8Array(0));
      assert.equal(reader.failed, true);
    }),
    { seed: 105, numRuns: 200 },
  );
  const reader = new ByteReader(new Uint8Array(8));
  reader.bytes(new Uint8Array(2), 0, 3);
  assert.equal(reader.failed, true, "a target too small");
  reader.reset(new Uint8Array(8));
  reader.skip(-1);
  assert.deepEqual([reader.failed, reader.offset], [true, 0]);
  reader.reset(new Uint8Array(8));
  reader.view(Number.NaN);
  assert.equal(reader.failed, true);
});

test("string limits and malformed text fail", () => {
  const writer = new ByteWriter(new Uint8Array(64));
  writer.string("twelve bytes");
  const reader = new ByteReader(writer.buffer, 0, writer.offset);
  assert.equal(reader.string(11), "");
  assert.equal(reader.failed, true);
  assert.equal(reader.reset(writer.buffer, 0, writer.offset).string(12), "twelve bytes");
  assert.equal(new ByteReader(Uint8Array.of(2, 0xc3, 0x28)).string(), "");
});

test("leb128 above 2^53 - 1, or endless, fails", () => {
  for (const bytes of [new Uint8Array(12).fill(0xff), Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 0x7f)]) {
    const reader = new ByteReader(bytes);
    assert.equal(reader.leb128(), 0);
    assert.equal(reader.failed, true);
  }
});

test("reset points at another window and clears failure", () => {
  const reader = new ByteReader(new Uint8Array(0));
  reader.u8();
  assert.equal(reader.failed, true);
  reader.reset(Uint8Array.of(1, 2, 3), 1);
  assert.deepEqual([reader.failed, reader.u16()], [false, 0x0302]);
  const writer = new ByteWriter();
  writer.u8(1);
  assert.equal(writer.failed, true);
  const target = new Uint8Array(4);
  writer.reset(target, 2);
  writer.u16(0x0201);
  assert.deepEqual([...target], [0, 0, 1, 2]);
});
