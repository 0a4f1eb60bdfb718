import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { BitReader } from "./bit-reader.ts";
import { BitWriter } from "./bit-writer.ts";

const field = fc
  .integer({ min: 0, max: 32 })
  .chain((count) => fc.record({ count: fc.constant(count), value: fc.integer({ min: 0, max: 2 ** count - 1 }) }));
const fields = fc.array(field, { maxLength: 60, size: "max" });

test("what is packed unpacks, over whatever was in the buffer", () => {
  fc.assert(
    fc.property(fields, fc.nat(5), fc.nat(255), (list, start, dirt) => {
      const buffer = new Uint8Array(300).fill(dirt);
      const writer = new BitWriter(buffer, start);
      for (const { value, count } of list) writer.bits(value, count);
      const bits = list.reduce((sum, { count }) => sum + count, 0);
      assert.equal(writer.bitLength, bits);
      const end = writer.finish();
      assert.equal(end, start + Math.ceil(bits / 8));
      assert.equal(writer.failed, false);
      assert.ok(buffer.subarray(0, start).every((byte) => byte === dirt));
      assert.ok(buffer.subarray(end).every((byte) => byte === dirt));
      const reader = new BitReader(buffer, start, end);
      for (const { value, count } of list) assert.equal(reader.bits(count), value);
      assert.equal(reader.bitOffset, bits);
      assert.equal(reader.bits(reader.remainingBits), 0, "padding is zero");
      assert.equal(reader.finish(), end);
      assert.equal(reader.failed, false);
    }),
    { seed: 201, numRuns: 300 },
  );
});

test("only the low bits of a value are written", () => {
  const writer = new BitWriter(new Uint8Array(8));
  writer.bits(-1, 3);
  writer.bits(0xffff_fff0, 4);
  writer.bits(-2, 32);
  writer.finish();
  const reader = new BitReader(writer.buffer);
  assert.deepEqual([reader.bits(3), reader.bits(4), reader.bits(32)], [7, 0, 0xffff_fffe]);
});

test("what does not fit is left out, and rewind takes back", () => {
  fc.assert(
    fc.property(fields, field, fc.nat(6), (list, last, room) => {
      const buffer = new Uint8Array(room + 4).fill(0x33);
      const writer = new BitWriter(buffer, 2, 2 + room);
      for (const { value, count } of list) {
        const before = writer.bitLength;
        const fits = count <= writer.remainingBits;
        writer.failed = false;
        writer.bits(value, count);
        assert.equal(writer.failed, !fits);
        assert.equal(writer.bitLength, fits ? before + count : before);
      }
      assert.ok(buffer[0] === 0x33 && buffer[1] === 0x33);
      assert.ok(buffer[room + 2] === 0x33 && buffer[room + 3] === 0x33);
      writer.rewind(0);
      writer.bits(last.value, last.count);
      if (last.count <= room * 8) {
        writer.finish();
        assert.equal(new BitReader(buffer, 2, 2 + room).bits(last.count), last.value);
      }
    }),
    { seed: 202, numRuns: 300 },
  );
});

test("rewinding into the middle of a byte keeps what came before", () => {
  const writer = new BitWriter(new Uint8Array(4));
  writer.bits(5, 3);
  const mark = writer.bitLength;
  writer.bits(0xffff, 16);
  writer.rewind(mark);
  writer.bits(0, 2);
  assert.equal(writer.finish(), 1);
  assert.equal(writer.buffer[0], 5);
});

test("grouped integers come back, small ones cheap", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.integer({ min: 1, max: 32 }), (value, group) => {
      const writer = new BitWriter(new Uint8Array(16));
      writer.grouped(value, group);
      const bits = writer.bitLength;
      const digits = value === 0 ? 1 : Math.floor(Math.log2(value)) + 1;
      assert.equal(bits, Math.ceil(digits / group) * (group + 1));
      const reader = new BitReader(writer.buffer, 0, writer.finish());
      assert.equal(reader.grouped(group), value);
      assert.equal(reader.bitOffset, bits);
      assert.equal(reader.failed, false);
    }),
    { seed: 203, numRuns: 500 },
  );
});

test("any read of any bytes stays in the window, never throws, and failure sticks", () => {
  const read = fc.oneof(
    fc.integer({ min: 0, max: 32 }).map((count) => ({ kind: "bits" as const, count })),
    fc.integer({ min: 1, max: 32 }).map((count) => ({ kind: "grouped" as const, count })),
    fc.constant({ kind: "bool" as const, count: 1 }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.array(read, { maxLength: 60 }), (bytes, list) => {
      const reader = new BitReader(bytes);
      let failed = false;
      for (const { kind, count } of list) {
        const value = kind === "bool" ? Number(reader.bool()) : reader[kind](count);
        assert.ok(Number.isInteger(value) && value >= 0 && value < 2 ** 32);
        assert.ok(reader.bitOffset <= bytes.length * 8);
        assert.ok(reader.failed || !failed);
        failed = reader.failed;
      }
      assert.ok(reader.finish() <= bytes.length);
    }),
    { seed: 204, numRuns: 500 },
  );
});

test("a group that never ends fails", () => {
  const reader = new BitReader(new Uint8Array(20).fill(255));
  reader.grouped(4);
  assert.equal(reader.failed, true);
});

test("reset clears failure and position", () => {
  const reader = new BitReader(new Uint8Array(0));
  assert.equal(reader.bool(), false);
  assert.equal(reader.failed, true);
  reader.reset(Uint8Array.of(0, 0b101), 1);
  assert.deepEqual([reader.failed, reader.bits(3), reader.remainingBits], [false, 5, 5]);
  const writer = new BitWriter();
  writer.bool(true);
  assert.equal(writer.failed, true);
  const target = new Uint8Array(2);
  writer.reset(target, 1);
  writer.bool(true);
  writer.finish();
  assert.deepEqual([...target], [0, 1]);
});

test("groups that hold more than 32 bits fail", () => {
  const writer = new BitWriter(new Uint8Array(16));
  for (let i = 0; i < 3; i++) {
    writer.bits(i < 2 ? 1 : 0, 1);
    writer.bits(0xfff, 12);
  }
  writer.finish();
  const reader = new BitReader(writer.buffer);
  assert.equal(reader.grouped(12), 0);
  assert.equal(reader.failed, true);
  const fits = new BitWriter(new Uint8Array(16));
  fits.grouped(0xffff_ffff, 12);
  fits.finish();
  const back = new BitReader(fits.buffer);
  assert.equal(back.grouped(12), 0xffff_ffff);
  assert.equal(back.failed, false);
});
