import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { FrameReader } from "./frame-reader.ts";
import { UnreliableQueue } from "./unreliable-queue.ts";

function first(queue: UnreliableQueue): Uint8Array {
  const bytes = new Uint8Array(queue.firstLength);
  queue.readFirst(0, bytes.length, bytes, 0);
  return bytes;
}

test("a queue gives back what went in, in order, dropping the oldest at its limit", () => {
  const step = fc.record({ push: fc.boolean(), length: fc.nat(900) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const limit = 3000;
      const queue = new UnreliableQueue(false, limit);
      const model: Uint8Array[] = [];
      let id = 0;
      for (const { push, length } of steps) {
        if (push) {
          const bytes = new Uint8Array(length).fill(id++);
          let expected = 0;
          while (model.reduce((sum, entry) => sum + frameBytes(entry.length), frameBytes(length)) > limit) {
            model.shift();
            expected++;
          }
          model.push(bytes);
          assert.equal(queue.push(bytes, 0, length, 100), expected);
        } else if (model.length > 0) {
          queue.pop();
          model.shift();
        }
        assert.equal(queue.count, model.length);
        if (model.length === 0) continue;
        assert.deepEqual(first(queue), model[0]);
      }
    }),
    { seed: 8, numRuns: 100 },
  );
});

test("thousands of small messages are kept, up to 4096", () => {
  const queue = new UnreliableQueue(false, 512 * 1024);
  let dropped = 0;
  for (let i = 0; i < 5000; i++) dropped += queue.push(Uint8Array.of(i & 255, i >> 8), 0, 2, 100);
  assert.deepEqual([queue.count, dropped], [4096, 904]);
  for (let i = 904; i < 5000; i++) {
    assert.deepEqual(first(queue), Uint8Array.of(i & 255, i >> 8));
    queue.pop();
  }
});

test("a run of frames is taken at once: as many as fit, as many as allowed", () => {
  const queue = new UnreliableQueue(true, 100_000);
  const target = new Uint8Array(1000);
  const reader = new FrameReader();
  let next = 0;
  const take = (most: number): number => {
    const bytes = queue.takeFrames(most, 1000, target, 0, 0);
    assert.ok(bytes <= 1000);
    reader.reset(target, 0, bytes);
    const before = next;
    while (reader.next()) {
      assert.equal(reader.sequence, next);
      assert.deepEqual(
        target.subarray(reader.dataOffset, reader.dataOffset + reader.dataLength),
        new Uint8Array(100).fill(next),
      );
      next++;
    }
    assert.equal(reader.error, 0);
    return next - before;
  };
  for (let i = 0; i < 300; i++) {
    queue.push(new Uint8Array(100).fill(i), 0, 100, 100);
    if (queue.count < 20) continue;
    assert.equal(take(1), 1);
    assert.equal(take(Infinity), 9);
  }
  assert.equal(queue.takeFrames(Infinity, 5, target, 0, 0), 0);
});

test("age counts from the first moment the queue is told, and a message begun is finished", () => {
  const queue = new UnreliableQueue(false, 10_000);
  const message = new Uint8Array(10);
  queue.push(message, 0, 10, 50);
  assert.equal(queue.dropExpired(Infinity), 0, "not stamped yet");
  queue.stamp(100);
  queue.push(message, 0, 10, 50);
  queue.stamp(200);
  assert.equal(queue.dropExpired(150), 0);
  assert.equal(queue.dropExpired(151), 1);
  queue.sentFragments = 1;
  assert.equal(queue.dropExpired(1000), 0);
});

test("each message has a deadline of its own", () => {
  const queue = new UnreliableQueue(false, 10_000);
  const message = new Uint8Array(10);
  queue.push(message, 0, 10, 20);
  queue.push(message, 0, 10, Infinity);
  queue.push(message, 0, 10, 20);
  queue.stamp(0);
  assert.equal(queue.dropExpired(21), 1);
  queue.pop();
  assert.equal(queue.dropExpired(21), 1, "found too old when its turn comes");
  assert.equal(queue.count, 0);
});

function frameBytes(bytes: number): number {
  return 1 + (bytes < 64 ? 1 : 2) + bytes;
}
