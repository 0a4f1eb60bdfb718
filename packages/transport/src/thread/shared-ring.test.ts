import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { RingReader, RingWriter, emptyRecord, ringMemory } from "./shared-ring.ts";

const NONE = 0x7fff_ffff;

function bytesOf(seed: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (seed * 31 + i) & 255);
}

test("whatever is written and read in turn, a ring that refuses loses nothing and one that drops keeps the newest", () => {
  const step = fc.record({ write: fc.nat(5), length: fc.nat(200), read: fc.nat(5), publish: fc.boolean() });
  fc.assert(
    fc.property(fc.boolean(), fc.array(step, { maxLength: 60 }), (drops, steps) => {
      const memory = ringMemory(1024);
      const dropped: number[] = [];
      const writer = new RingWriter(memory, { drops, onDropped: (_kind, generation) => dropped.push(-generation) });
      const reader = new RingReader(memory);
      const record = emptyRecord();
      const expected: { number: number; bytes: Uint8Array }[] = [];
      let next = 1;
      const read = (): boolean => {
        const sequence = reader.peek(NONE);
        if (sequence === NONE) return false;
        assert.ok(reader.take(record), "nobody drops meanwhile");
        for (const gone of dropped.splice(0)) assert.equal(expected.shift()?.number, gone, "the oldest goes first");
        const { number, bytes } = expected.shift() ?? assert.fail("more than was written");
        assert.deepEqual(
          [sequence, record.slot, record.generation, record.argument, record.kind],
          [number, number, -number, 7, 3],
        );
        assert.equal(record.deadlineMs, number / 2);
        assert.deepEqual(record.buffer.slice(record.offset, record.offset + record.length), bytes);
        return true;
      };
      for (const { write, length, read: reads, publish } of steps) {
        for (let i = 0; i < write; i++) {
          const bytes = bytesOf(next, length);
          const done = writer.write(next, 3, next, -next, 7, next / 2, bytes, 0, length);
          if (drops) assert.ok(done);
          if (done) expected.push({ number: next++, bytes });
        }
        if (publish) writer.publish();
        for (let i = 0; i < reads && read(); i++);
      }
      writer.publish();
      while (read());
      assert.equal(expected.length - dropped.length, 0, "all of it was read or dropped");
      if (!drops) assert.equal(writer.dropped, 0);
      assert.equal(reader.usedBytes, 0);
    }),
    { seed: 3, numRuns: 400 },
  );
});

test("positions wrap without harm", () => {
  const memory = ringMemory(1024);
  // As after 32 GiB less a little.
  const control = new Int32Array(memory, 0, 64);
  control[0] = control[16] = -40;
  const writer = new RingWriter(memory, { drops: false });
  const reader = new RingReader(memory);
  const record = emptyRecord();
  for (let i = 1; i <= 50; i++) {
    assert.ok(writer.write(i, 1, i, 0, 0, 0, bytesOf(i, 90), 0, 90));
    writer.publish();
    assert.equal(reader.peek(NONE), i);
    assert.ok(reader.take(record));
    assert.deepEqual(record.buffer.slice(0, 90), bytesOf(i, 90));
  }
});

test("a record that was dropped between looking and taking is not taken", () => {
  const memory = ringMemory(1024);
  const writer = new RingWriter(memory, { drops: true });
  const reader = new RingReader(memory);
  const record = emptyRecord();
  const write = (number: number): boolean => writer.write(number, 1, number, 0, 0, 0, bytesOf(number, 200), 0, 200);
  write(1);
  writer.publish();
  assert.equal(reader.peek(NONE), 1);
  for (let number = 2; number < 8; number++) write(number);
  writer.publish();
  assert.ok(!reader.take(record));
  assert.equal(reader.peek(NONE), 1 + writer.dropped);
  assert.ok(reader.take(record));
  assert.deepEqual(record.buffer.slice(0, 200), bytesOf(1 + writer.dropped, 200));
});

test("what a ring cannot be, and what it cannot hold", () => {
  assert.throws(() => ringMemory(1000), RangeError);
  assert.throws(() => ringMemory(512), RangeError);
  const writer = new RingWriter(ringMemory(1024), { drops: true });
  assert.throws(() => writer.write(1, 1, 0, 0, 0, 0, new Uint8Array(300), 0, 300), RangeError);
});
