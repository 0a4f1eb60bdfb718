import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteReader, ByteWriter } from "@riposte/wire";
import * as fc from "fast-check";
import { AckFrame, MAX_ACK_RANGES } from "./ack-frame.ts";
import { AckRanges } from "./ack-ranges.ts";

function written(acks: AckRanges, room = 1200, now = 0): AckFrame | undefined {
  const writer = new ByteWriter(new Uint8Array(room));
  if (!acks.write(writer, now)) return undefined;
  assert.equal(writer.failed, false);
  const reader = new ByteReader(writer.buffer, 0, writer.offset);
  const type = reader.u8();
  const frame = new AckFrame();
  assert.equal(frame.read(reader, type === 3), true);
  assert.equal(reader.remaining, 0);
  return frame;
}

function numbersIn(frame: AckFrame): number[] {
  const numbers: number[] = [];
  for (let i = 0; i < frame.rangeCount; i++) {
    for (let number = frame.highest[i]; number >= frame.lowest[i]; number--) numbers.push(number);
  }
  return numbers;
}

test("what was received is what the ACK frame says", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(150), { minLength: 1, maxLength: 60 }), (numbers) => {
      const acks = new AckRanges();
      for (const number of numbers) {
        assert.equal(acks.isDuplicate(number), false);
        acks.insert(number, 0, 0);
        assert.equal(acks.isDuplicate(number), true);
      }
      const frame = written(acks);
      assert.ok(frame !== undefined);
      assert.deepEqual(
        numbersIn(frame),
        numbers.toSorted((a, b) => b - a),
      );
    }),
    { seed: 2, numRuns: 300 },
  );
});

test("64 ranges are kept; what lies below the forgotten counts as received", () => {
  const acks = new AckRanges();
  for (let number = 0; number < 200; number += 2) acks.insert(number, 0, 0);
  const frame = written(acks);
  assert.equal(frame?.rangeCount, MAX_ACK_RANGES);
  assert.equal(frame?.largest, 198);
  assert.equal(acks.isDuplicate(1), true);
  assert.equal(acks.isDuplicate(199), false);
  assert.equal(acks.isDuplicate(197), false);
});

test("an ACK frame takes as many ranges as fit", () => {
  const acks = new AckRanges();
  for (let number = 0; number < 100; number += 2) acks.insert(number, 0, 0);
  for (let room = 0; room < 160; room++) {
    const frame = written(acks, room);
    if (frame === undefined) assert.ok(room < 50);
    else assert.ok(frame.rangeCount >= 1 && frame.largest === 98);
  }
});

test("what the peer is known to have seen is not reported again, but stays a duplicate", () => {
  const acks = new AckRanges();
  for (const number of [1, 3, 5, 7, 8, 9]) acks.insert(number, 0, 0);
  acks.confirmReported(7);
  const frame = written(acks);
  assert.deepEqual(frame === undefined ? [] : numbersIn(frame), [9, 8]);
  assert.equal(acks.isDuplicate(3), true);
  assert.equal(acks.isDuplicate(4), false);
});

test("the delay is in units of 8 microseconds, and ECN counts are reported once there are any", () => {
  const acks = new AckRanges();
  acks.insert(5, 2, 100);
  acks.insert(6, 3, 110);
  const frame = written(acks, 1200, 114);
  assert.equal(frame?.delayMs, 4);
  assert.deepEqual([frame?.ect0, frame?.ect1, frame?.ce], [1, 0, 1]);
});

test("garbage, truncation and bit flips never make the ACK decoder throw or read a range that is not one", () => {
  const acks = new AckRanges();
  for (const number of [2, 3, 4, 9, 70, 71, 20_000, 20_001]) acks.insert(number, 1, 0);
  const writer = new ByteWriter(new Uint8Array(200));
  acks.write(writer, 10);
  const whole = writer.written().slice(1);
  const frame = new AckFrame();
  const check = (bytes: Uint8Array): void => {
    if (!frame.read(new ByteReader(bytes), true)) return;
    assert.ok(frame.rangeCount >= 1 && frame.rangeCount <= MAX_ACK_RANGES);
    for (let i = 0; i < frame.rangeCount; i++) {
      assert.ok(frame.lowest[i] >= 0 && frame.lowest[i] <= frame.highest[i]);
      if (i > 0) assert.ok(frame.highest[i] < frame.lowest[i - 1] - 1);
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), check), { seed: 3, numRuns: 3000 });
  for (let length = 0; length < whole.length; length++) {
    assert.equal(frame.read(new ByteReader(whole.slice(0, length)), true), false);
  }
  for (let bit = 0; bit < 8 * whole.length; bit++) {
    const flipped = whole.slice();
    flipped[bit >> 3] ^= 1 << (bit & 7);
    check(flipped);
  }
});
