/** The two halves of a reliable stream against each other, and the receiver against a hostile peer. */

import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { Random } from "../random.ts";
import { CHUNK_ACCEPTED, CHUNK_REFUSED, ReliableReceiver } from "./reliable-receive.ts";
import type { MessageTarget } from "./reliable-receive.ts";
import { ReliableSender } from "./reliable-send.ts";

class Collector implements MessageTarget {
  closed = false;
  readonly messages: Uint8Array[] = [];

  deliver(_channel: string, buffer: Uint8Array, offset: number, length: number): void {
    this.messages.push(buffer.slice(offset, offset + length));
  }
}

test("messages arrive once and in order when chunks are lost, repeated and reordered", () => {
  const sizes = fc.array(fc.oneof(fc.nat(70), fc.nat(20_000)), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(sizes, fc.nat(), (lengths, seed) => {
      const random = new Random(seed);
      const sender = new ReliableSender(1024 * 1024);
      const receiver = new ReliableReceiver(1024 * 1024, 1024 * 1024);
      const target = new Collector();
      const messages = lengths.map((length, id) => new Uint8Array(length).fill(id + 1));
      for (const message of messages) assert.equal(sender.write(message, 0, message.length), true);
      const underWay: { offset: number; bytes: Uint8Array }[] = [];
      for (let round = 0; sender.queuedBytes > 0; round++) {
        assert.ok(round < 20_000, "ends");
        while (underWay.length < 8 && sender.takeChunk(1 + random.int(1400))) {
          const bytes = new Uint8Array(sender.chunkLength);
          sender.readChunk(bytes, 0);
          underWay.push({ offset: sender.chunkOffset, bytes });
        }
        const [chunk] = underWay.splice(random.int(underWay.length), 1);
        const { offset, bytes } = chunk;
        if (random.next() < 0.3) {
          sender.onChunkLost(offset, bytes.length);
          continue;
        }
        assert.equal(receiver.receive(offset, bytes, 0, bytes.length, target), CHUNK_ACCEPTED);
        // The acknowledgement may be lost, come late, or come behind a repetition.
        if (random.next() < 0.2) sender.onChunkLost(offset, bytes.length);
        else sender.onChunkAcked(offset, bytes.length);
        if (receiver.shouldUpdateMaxData) {
          receiver.maxData = receiver.wantedMaxData;
          sender.maxData = receiver.maxData;
        }
      }
      assert.deepEqual(target.messages, messages);
    }),
    { seed: 9, numRuns: 60 },
  );
});

test("a chunk beyond the window, or a message beyond the limit, closes", () => {
  const receiver = new ReliableReceiver(1024 * 1024, 1000);
  const target = new Collector();
  const chunk = new Uint8Array(100);
  assert.equal(receiver.receive(64 * 1024 - 100, chunk, 0, 100, target), CHUNK_ACCEPTED);
  assert.equal(receiver.receive(64 * 1024 - 99, chunk, 0, 100, target), 3);
  assert.equal(receiver.receive(2 ** 52, chunk, 0, 100, target), 3);
  assert.equal(receiver.receive(0, Uint8Array.of(0x43, 0xe8), 0, 2, target), CHUNK_ACCEPTED);
  const other = new ReliableReceiver(1024 * 1024, 1000);
  assert.equal(other.receive(0, Uint8Array.of(0x43, 0xe9), 0, 2, target), 0x0a);
  const third = new ReliableReceiver(1024 * 1024, 1000);
  assert.equal(third.receive(0, new Uint8Array(8).fill(0xff), 0, 8, target), 0x0a);
});

test("more gaps than are remembered: the chunk is refused, nothing is lost", () => {
  const receiver = new ReliableReceiver(1024 * 1024, 1000);
  const target = new Collector();
  let refused = 0;
  for (let at = 1; at < 2000; at += 2) {
    if (receiver.receive(at, Uint8Array.of(0), 0, 1, target) === CHUNK_REFUSED) refused++;
  }
  assert.equal(refused, 1000 - 512);
  for (let at = 0; at < 2000; at++) {
    assert.equal(receiver.receive(at, Uint8Array.of(0), 0, 1, target), CHUNK_ACCEPTED);
  }
  assert.equal(target.messages.length, 2000, "empty messages, one per byte");
});

test("the window opens with what has been received", () => {
  const receiver = new ReliableReceiver(1024 * 1024, 1024 * 1024);
  const target = new Collector();
  assert.equal(receiver.wantedMaxData, 64 * 1024);
  const chunk = new Uint8Array(1000); // a thousand empty messages
  let at = 0;
  for (; at < 300_000; at += 1000) {
    assert.equal(receiver.receive(at, chunk, 0, 1000, target), CHUNK_ACCEPTED);
    if (receiver.shouldUpdateMaxData) receiver.maxData = receiver.wantedMaxData;
  }
  assert.equal(receiver.wantedMaxData, 600_000);
});
