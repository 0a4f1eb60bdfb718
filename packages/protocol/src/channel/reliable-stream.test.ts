/** The two halves of the reliable channel against each other, and the receiver against a hostile peer. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteWriter } from "@riposte/wire";
import * as fc from "fast-check";
import { Random } from "../random.ts";
import { CHUNK_ACCEPTED, CHUNK_REFUSED, ReliableReceiver } from "./reliable-receive.ts";
import type { MessageTarget, ReliableReceiverOptions } from "./reliable-receive.ts";
import { ReliableStreams } from "./reliable-streams.ts";

const MIB = 1024 * 1024;

class Collector implements MessageTarget {
  closed = false;
  readonly messages: { stream: number; bytes: Uint8Array }[] = [];

  deliver(_channel: string, buffer: Uint8Array, offset: number, length: number, stream: number): void {
    this.messages.push({ stream, bytes: buffer.slice(offset, offset + length) });
  }

  of(stream: number): Uint8Array[] {
    return this.messages.filter((message) => message.stream === stream).map(({ bytes }) => bytes);
  }
}

function receiverWith(options: Partial<ReliableReceiverOptions> = {}): ReliableReceiver {
  return new ReliableReceiver({ windowBytes: MIB, messageBytes: MIB, unfinishedBytes: 2 * MIB, ...options });
}

interface Chunk {
  readonly stream: number;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

function take(sender: ReliableStreams, room: number): Chunk | undefined {
  if (!sender.choose() || !sender.takeChunk(room)) return undefined;
  const { current } = sender;
  const bytes = new Uint8Array(current.chunkLength);
  current.readChunk(bytes, 0);
  return { stream: current.id, offset: current.chunkOffset, bytes };
}

test("messages arrive once and in the order of their stream when chunks are lost, repeated and reordered", () => {
  const message = fc.record({ stream: fc.constantFrom(0, 1, 2, 7, 255), length: fc.oneof(fc.nat(70), fc.nat(90_000)) });
  fc.assert(
    fc.property(fc.array(message, { minLength: 1, maxLength: 20 }), fc.nat(), (messages, seed) => {
      const random = new Random(seed);
      const sender = new ReliableStreams(4 * MIB);
      const receiver = receiverWith();
      const target = new Collector();
      const sent = messages.map(({ stream, length }, id) => ({ stream, bytes: new Uint8Array(length).fill(id + 1) }));
      for (const { stream, bytes } of sent) assert.equal(sender.write(stream, bytes, 0, bytes.length), true);
      const underWay: Chunk[] = [];
      for (let round = 0; sender.queuedBytes > 0; round++) {
        assert.ok(round < 50_000, "ends");
        while (underWay.length < 8) {
          const chunk = take(sender, 1 + random.int(1400));
          if (chunk === undefined) break;
          underWay.push(chunk);
        }
        const [{ stream, offset, bytes }] = underWay.splice(random.int(underWay.length), 1);
        if (random.next() < 0.3) {
          sender.onChunkLost(stream, offset, bytes.length);
          continue;
        }
        assert.equal(receiver.receive(stream, offset, bytes, 0, bytes.length, target), CHUNK_ACCEPTED);
        // The acknowledgement may be lost, come late, or come behind a repetition.
        if (random.next() < 0.2) sender.onChunkLost(stream, offset, bytes.length);
        else sender.onChunkAcked(stream, offset, bytes.length);
        if (receiver.shouldUpdateMaxData) {
          receiver.maxData = receiver.wantedMaxData;
          sender.maxData = receiver.maxData;
        }
      }
      for (const stream of [0, 1, 2, 7, 255]) {
        assert.deepEqual(
          target.of(stream),
          sent.filter((entry) => entry.stream === stream).map(({ bytes }) => bytes),
        );
      }
      assert.deepEqual([sender.unsentBytes, sender.hasLost, sender.hasData], [0, false, false]);
      assert.equal(receiver.unfinishedBytes, 0);
    }),
    { seed: 9, numRuns: 60 },
  );
});

test("streams take turns, and what was lost goes first", () => {
  const sender = new ReliableStreams(MIB);
  for (const stream of [3, 4, 5]) sender.write(stream, new Uint8Array(3000), 0, 3000);
  const order: number[] = [];
  for (let chunk = take(sender, 1000); chunk !== undefined; chunk = take(sender, 1000)) {
    order.push(chunk.stream);
    if (order.length === 4) sender.onChunkLost(4, 0, 1000);
  }
  assert.deepEqual(order, [3, 4, 5, 3, 4, 4, 5, 3, 4, 5, 3, 4, 5]);
});

test("a lost chunk of one stream does not hold back another", () => {
  const sender = new ReliableStreams(MIB);
  const receiver = receiverWith();
  const target = new Collector();
  sender.write(1, new Uint8Array(10), 0, 10);
  sender.write(2, new Uint8Array(20), 0, 20);
  take(sender, 1000); // lost on the way
  const second = take(sender, 1000);
  assert.ok(second !== undefined);
  receiver.receive(second.stream, second.offset, second.bytes, 0, second.bytes.length, target);
  assert.deepEqual(
    target.messages.map(({ stream, bytes }) => [stream, bytes.length]),
    [[2, 20]],
  );
});

test("large messages go one after the other, small ones of other streams between their chunks", () => {
  const sender = new ReliableStreams(4 * MIB);
  sender.maxData = 4 * MIB;
  for (const stream of [1, 2]) sender.write(stream, new Uint8Array(100_000), 0, 100_000);
  sender.write(3, new Uint8Array(5000), 0, 5000);
  const order: number[] = [];
  for (let chunk = take(sender, 1000); chunk !== undefined; chunk = take(sender, 1000)) order.push(chunk.stream);
  assert.equal(order.lastIndexOf(1) < order.indexOf(2), true, "2 waits for the end of 1");
  assert.equal(order.lastIndexOf(3) < 15, true, "3 does not wait");
  assert.deepEqual([...new Set(order)], [1, 3, 2]);
});

test("the limit counts all streams together, and a message of the limit's size fits", () => {
  const sender = new ReliableStreams(MIB);
  assert.equal(sender.write(0, new Uint8Array(MIB), 0, MIB), true);
  assert.equal(sender.write(1, new Uint8Array(1), 0, 1), false);
  const other = new ReliableStreams(10_000);
  assert.equal(other.write(0, new Uint8Array(6000), 0, 6000), true);
  assert.equal(other.write(1, new Uint8Array(6000), 0, 6000), false);
});

test("a chunk beyond the window, a message beyond the limit and a stream beyond 255 close", () => {
  const receiver = receiverWith({ messageBytes: 1000 });
  const target = new Collector();
  const chunk = new Uint8Array(100);
  assert.equal(receiver.receive(0, 32 * 1024 - 100, chunk, 0, 100, target), CHUNK_ACCEPTED);
  assert.equal(receiver.receive(9, 32 * 1024 - 100, chunk, 0, 100, target), CHUNK_ACCEPTED, "half the window each");
  assert.equal(receiver.receive(8, 0, chunk, 0, 1, target), 3, "all streams share it");
  assert.equal(receiver.receive(0, 2 ** 52, chunk, 0, 100, target), 3);
  assert.equal(receiver.receive(0, 0, Uint8Array.of(0x43, 0xe8), 0, 2, target), CHUNK_ACCEPTED);
  assert.equal(receiver.receive(256, 0, chunk, 0, 1, target), 0x0a);
  assert.equal(receiverWith({ messageBytes: 1000 }).receive(0, 0, Uint8Array.of(0x43, 0xe9), 0, 2, target), 0x0a);
  assert.equal(receiverWith({ messageBytes: 1000 }).receive(0, 0, new Uint8Array(8).fill(0xff), 0, 8, target), 0x0a);
});

test("a peer that leaves too much unfinished is told", () => {
  const receiver = receiverWith({ messageBytes: 10_000, unfinishedBytes: 30_000 });
  const target = new Collector();
  const almost = new Uint8Array(9002).fill(1);
  almost.set([0x67, 0x10]); // 10,000 bytes will follow
  for (let stream = 0; stream < 3; stream++) {
    assert.equal(receiver.receive(stream, 0, almost, 0, almost.length, target), CHUNK_ACCEPTED);
  }
  assert.equal(receiver.unfinishedBytes, 27_000);
  assert.equal(receiver.receive(3, 0, almost, 0, almost.length, target), 0x5206);
  receiver.release();
  assert.equal(receiver.unfinishedBytes, 0);
});

test("more gaps than are remembered: the chunk is refused, nothing is lost", () => {
  const receiver = receiverWith({ messageBytes: 1000 });
  const target = new Collector();
  let refused = 0;
  for (let at = 1; at < 2000; at += 2) {
    if (receiver.receive(0, at, Uint8Array.of(0), 0, 1, target) === CHUNK_REFUSED) refused++;
  }
  assert.equal(refused, 1000 - 512);
  for (let at = 0; at < 2000; at++) {
    assert.equal(receiver.receive(0, at, Uint8Array.of(0), 0, 1, target), CHUNK_ACCEPTED);
  }
  assert.equal(target.messages.length, 2000, "empty messages, one per byte");
});

test("the window opens with what has been received", () => {
  const receiver = receiverWith();
  const target = new Collector();
  assert.equal(receiver.wantedMaxData, 64 * 1024);
  const chunk = new Uint8Array(1000); // a thousand empty messages
  for (let at = 0; at < 150_000; at += 1000) {
    for (const stream of [0, 1]) {
      assert.equal(receiver.receive(stream, at, chunk, 0, 1000, target), CHUNK_ACCEPTED);
      if (receiver.shouldUpdateMaxData) receiver.maxData = receiver.wantedMaxData;
    }
  }
  assert.equal(receiver.wantedMaxData, 600_000);
});

test("what a peer opens costs about what it sends", () => {
  const buffer = new Uint8Array(8);
  new ByteWriter(buffer).varint(5_000); // a message of which a byte comes
  const target = { closed: false, deliver: () => undefined };
  const before = process.memoryUsage().arrayBuffers;
  const receivers = Array.from({ length: 20 }, () => {
    const receiver = new ReliableReceiver({ windowBytes: 65_536, messageBytes: 65_536, unfinishedBytes: 65_536 });
    for (let id = 0; id < 256; id++) {
      receiver.receive(id, 0, buffer, 0, 3, target);
      receiver.receive(id, 5, buffer, 0, 1, target); // and one that is early
    }
    return receiver;
  });
  const each = (process.memoryUsage().arrayBuffers - before) / receivers.length / 256;
  assert.ok(each < 1_024, `${each} bytes for a stream of which 4 have come`);
});

test("what nobody has read yet keeps the window shut, and reading opens it", () => {
  const receiver = receiverWith();
  const target = new Collector();
  const chunk = new Uint8Array(64 * 1024); // as many empty messages
  assert.equal(receiver.receive(0, 0, chunk, 0, chunk.length, target), CHUNK_ACCEPTED);
  receiver.unreadBytes = 64 * 1024;
  assert.ok(!receiver.shouldUpdateMaxData);
  assert.equal(receiver.wantedMaxData, 64 * 1024, "not taken back either");
  receiver.unreadBytes = 32 * 1024;
  assert.ok(receiver.shouldUpdateMaxData);
  assert.equal(receiver.wantedMaxData, 96 * 1024);
  receiver.unreadBytes = 0;
  assert.equal(receiver.wantedMaxData, 128 * 1024);
});
