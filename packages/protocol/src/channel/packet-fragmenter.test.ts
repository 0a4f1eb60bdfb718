import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { PacketFragmenter } from "./packet-fragmenter.ts";
import { ReassemblyPool } from "./reassembly-pool.ts";

/** Of most messages here; any size will do. */
const FRAGMENT_BYTES = 1024;

function bytesOf(seed: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (seed * 17 + i * 3 + (i >> 8)) & 0xff);
}

function give(
  fragmenter: PacketFragmenter,
  sequence: number,
  message: Uint8Array,
  fragment: number,
  now = 0,
  size = FRAGMENT_BYTES,
): boolean {
  const last = Math.ceil(message.length / size) - 1;
  const from = fragment * size;
  const length = Math.min(size, message.length - from);
  return fragmenter.receive(false, sequence, fragment, last, message, from, length, now);
}

test("messages come together from fragments in any order, with duplicates, interleaved", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1401, max: 9000 }), { minLength: 1, maxLength: 4 }),
      fc.array(fc.nat(1_000_000), { minLength: 80, maxLength: 80 }),
      fc.integer({ min: 500, max: 1400 }),
      (lengths, order, size) => {
        const fragmenter = new PacketFragmenter(512 * 1024, 10_000);
        const messages = lengths.map((length, id) => bytesOf(id, length));
        const pieces = messages.flatMap((message, id) =>
          Array.from({ length: Math.ceil(message.length / size) }, (_, fragment) => ({ id, fragment })),
        );
        const shuffled = pieces
          .map((piece, i) => ({ piece, key: order[i % order.length] }))
          .toSorted((a, b) => a.key - b.key);
        const done: number[] = [];
        for (const { piece } of shuffled) {
          if (done.includes(piece.id)) assert.fail("more fragments than the message has");
          const complete = give(fragmenter, piece.id, messages[piece.id], piece.fragment, 0, size);
          if (!complete) {
            assert.equal(give(fragmenter, piece.id, messages[piece.id], piece.fragment, 0, size), false, "a duplicate");
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
        received += length;
        fragmenter.receive(ordered, sequence, fragment, last, buffer, 0, length, 0);
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

test("fragments that disagree about their size are not taken, and no message grows past 256 KiB", () => {
  const fragmenter = new PacketFragmenter(512 * 1024, 10_000);
  const bytes = new Uint8Array(2000).fill(7);
  assert.equal(fragmenter.receive(false, 1, 0, 2, bytes, 0, 600, 0), false);
  assert.equal(fragmenter.receive(false, 1, 1, 2, bytes, 0, 601, 0), false, "another size");
  assert.equal(fragmenter.receive(false, 1, 2, 2, bytes, 0, 601, 0), false, "a last one above the others");
  assert.equal(fragmenter.receive(false, 1, 2, 2, bytes, 0, 5, 0), false);
  assert.equal(fragmenter.receive(false, 1, 1, 2, bytes, 0, 600, 0), true);
  assert.equal(fragmenter.messageLength, 1205);
  assert.equal(fragmenter.receive(false, 2, 1, 1, bytes, 0, 900, 0), false);
  assert.equal(fragmenter.receive(false, 2, 0, 1, bytes, 0, 899, 0), false, "smaller than the last one");
  assert.equal(fragmenter.receive(false, 2, 0, 1, bytes, 0, 900, 0), true);
  assert.equal(fragmenter.receive(false, 3, 0, 255, bytes, 0, 1029, 0), false, "255 of 1,029 are past 256 KiB");
  assert.equal(fragmenter.pendingCount, 0);
  assert.equal(fragmenter.receive(false, 3, 0, 255, bytes, 0, 1028, 0), false);
  assert.equal(fragmenter.inspect()[0].bytes, 1028);
});

test("connections share a pool: at its limit the oldest of all goes, whosever it is", () => {
  const pool = new ReassemblyPool(20_000);
  const fragmenters = [0, 1, 2].map(() => new PacketFragmenter(512 * 1024, 10_000, pool));
  const message = bytesOf(1, 2 * FRAGMENT_BYTES);
  for (let sequence = 0; sequence < 60; sequence++) {
    give(fragmenters[sequence % 3], sequence, message, 0, sequence);
    assert.ok(pool.usedBytes <= 20_000);
  }
  const kept = fragmenters.flatMap((fragmenter) => fragmenter.inspect().map((entry) => entry.sequence));
  assert.deepEqual(
    kept.toSorted((a, b) => a - b),
    Array.from({ length: kept.length }, (_, i) => 60 - kept.length + i),
    "the newest are there",
  );
  assert.equal(pool.evicted, 60 - kept.length);
  assert.equal(
    pool.usedBytes,
    fragmenters.reduce((sum, { usedBytes }) => sum + usedBytes, 0),
  );
  assert.equal(fragmenters[0].clear() > 0, true);
  for (const fragmenter of fragmenters) fragmenter.clear();
  assert.equal(pool.usedBytes, 0);
});

test("what is unfinished can be looked at", () => {
  const fragmenter = new PacketFragmenter(512 * 1024, 10_000);
  give(fragmenter, 4, bytesOf(1, 3 * FRAGMENT_BYTES), 1, 70);
  const [entry, ...more] = fragmenter.inspect();
  assert.equal(more.length, 0);
  const { heldBytes, ...rest } = entry;
  assert.deepEqual(rest, {
    ordered: false,
    sequence: 4,
    fragments: 1,
    totalFragments: 3,
    bytes: FRAGMENT_BYTES,
    startedAt: 70,
  });
  assert.ok(heldBytes >= FRAGMENT_BYTES && heldBytes < FRAGMENT_BYTES + 256);
});

test("a fragment that cannot be right costs nothing and pushes nobody out", () => {
  const pool = new ReassemblyPool(100);
  const fragmenter = new PacketFragmenter(512 * 1024, 10_000, pool);
  const bytes = new Uint8Array(2000);
  // 256 of this size are more than any message has.
  for (let sequence = 0; sequence < 100; sequence++) fragmenter.receive(false, sequence, 0, 255, bytes, 0, 1_100, 0);
  assert.deepEqual([fragmenter.pendingCount, fragmenter.usedBytes, pool.usedBytes, fragmenter.dropped], [0, 0, 0, 0]);
});
