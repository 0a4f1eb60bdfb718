import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { FRAGMENT_BYTES } from "./frames.ts";
import { PacketFragmenter } from "./packet-fragmenter.ts";

function bytesOf(seed: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (seed * 17 + i * 3 + (i >> 8)) & 0xff);
}

function give(fragmenter: PacketFragmenter, sequence: number, message: Uint8Array, fragment: number, now = 0): boolean {
  const last = Math.ceil(message.length / FRAGMENT_BYTES) - 1;
  const from = fragment * FRAGMENT_BYTES;
  const length = Math.min(FRAGMENT_BYTES, message.length - from);
  return fragmenter.receive(false, sequence, fragment, last, message, from, length, now);
}

test("messages come together from fragments in any order, with duplicates, interleaved", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: FRAGMENT_BYTES + 1, max: 9 * FRAGMENT_BYTES }), { minLength: 1, maxLength: 4 }),
      fc.array(fc.nat(1_000_000), { minLength: 80, maxLength: 80 }),
      (lengths, order) => {
        const fragmenter = new PacketFragmenter(512 * 1024, 10_000);
        const messages = lengths.map((length, id) => bytesOf(id, length));
        const pieces = messages.flatMap((message, id) =>
          Array.from({ length: Math.ceil(message.length / FRAGMENT_BYTES) }, (_, fragment) => ({ id, fragment })),
        );
        const shuffled = pieces
          .map((piece, i) => ({ piece, key: order[i % order.length] }))
          .toSorted((a, b) => a.key - b.key);
        const done: number[] = [];
        for (const { piece } of shuffled) {
          if (done.includes(piece.id)) assert.fail("more fragments than the message has");
          const complete = give(fragmenter, piece.id, messages[piece.id], piece.fragment);
          if (!complete) {
            assert.equal(give(fragmenter, piece.id, messages[piece.id], piece.fragment), false, "a duplicate");
            continue;
          }
          done.push(piece.id);
          assert.deepEqual(fragmenter.message.subarray(0, fragmenter.messageLength), messages[piece.id]);
        }
        assert.equal(done.length, messages.length);
        assert.deepEqual([fragmenter.usedBytes, fragmenter.pendingCount, fragmenter.dropped], [0, 0, 0]);
      },
    ),
    { seed: 6, numRuns: 150 },
  );
});

test("memory stays within the limit and within what was received, whatever fragments claim", () => {
  const claim = fc.record({
    ordered: fc.boolean(),
    sequence: fc.nat(200),
    last: fc.integer({ min: 1, max: 255 }),
    fragment: fc.nat(255),
    length: fc.integer({ min: 1, max: FRAGMENT_BYTES }),
  });
  const buffer = new Uint8Array(FRAGMENT_BYTES);
  fc.assert(
    fc.property(fc.array(claim, { maxLength: 300 }), (claims) => {
      const limit = 40_000;
      const fragmenter = new PacketFragmenter(limit, 10_000);
      let received = 0;
      for (const { ordered, sequence, last, fragment, length } of claims) {
        if (fragment > last) continue;
        const size = fragment === last ? length : FRAGMENT_BYTES; // what the frame reader lets pass
        received += size;
        fragmenter.receive(ordered, sequence, fragment, last, buffer, 0, size, 0);
        assert.ok(fragmenter.usedBytes <= limit);
        assert.ok(fragmenter.usedBytes <= 2 * received + 256 * fragmenter.pendingCount);
        assert.ok(fragmenter.pendingCount <= 64);
      }
      fragmenter.clear();
      assert.equal(fragmenter.usedBytes, 0);
    }),
    { seed: 7, numRuns: 100 },
  );
});

test("a fragment with another idea of the message's length is not taken", () => {
  const fragmenter = new PacketFragmenter(512 * 1024, 10_000);
  const message = bytesOf(1, 2 * FRAGMENT_BYTES);
  assert.equal(give(fragmenter, 1, message, 0), false);
  assert.equal(fragmenter.receive(false, 1, 1, 7, message, 0, FRAGMENT_BYTES, 0), false);
  assert.equal(give(fragmenter, 1, message, 1), true);
});

test("the oldest goes at the limit and at the timeout", () => {
  const fragmenter = new PacketFragmenter(512 * 1024, 10_000);
  const message = bytesOf(1, 2 * FRAGMENT_BYTES);
  for (let sequence = 0; sequence < 65; sequence++) give(fragmenter, sequence, message, 0, sequence);
  assert.deepEqual([fragmenter.pendingCount, fragmenter.dropped], [64, 1]);
  assert.equal(fragmenter.nextTimeout(), 10_001);
  fragmenter.handleTimeout(10_030);
  assert.deepEqual([fragmenter.pendingCount, fragmenter.dropped], [34, 31]);
  assert.equal(give(fragmenter, 64, message, 1, 10_031), true);
});
