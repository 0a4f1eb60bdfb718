/** When messages share packets: by size, by tick, by interval. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Pipe, pattern } from "./channel-pipe.ts";

function batching(intervalMs: number): Pipe {
  const pipe = new Pipe(1, { conditions: { latencyMs: 10 }, server: { batch: { intervalMs } } }).open();
  pipe.run(500);
  return pipe;
}

test("without an interval each wake-up sends what is there", () => {
  const pipe = batching(0);
  const before = pipe.server.sentPackets;
  pipe.runTicks(100, 2, (tick) => pipe.server.connection.send("unreliableUnordered", pattern(tick, 20)));
  assert.equal(pipe.server.sentPackets - before, 50);
});

test("with an interval messages of all channels wait for each other, no longer than that", () => {
  const pipe = batching(16);
  const before = pipe.server.sentPackets;
  pipe.runTicks(160, 2, (tick) => {
    pipe.server.connection.send("unreliableUnordered", pattern(tick, 20));
    pipe.server.connection.send("unreliableOrdered", pattern(tick, 20));
    pipe.server.connection.send("reliableOrdered", pattern(tick, 20));
  });
  const packets = pipe.server.sentPackets - before;
  assert.ok(packets <= 12, `${packets} packets for 240 messages in 160 ms`);
  pipe.run(50);
  assert.equal(pipe.client.received.length, 240);
  const { stats } = pipe.server.connection;
  assert.ok(stats.messagesPerPacket > 15, `${stats.messagesPerPacket} a packet`);
  assert.ok(stats.packetFill > 0.3 && stats.packetFill < 1);
  const sentAt = pipe.now;
  pipe.server.connection.send("unreliableUnordered", pattern(1, 20));
  pipe.run(100);
  const waited = (pipe.client.received.at(-1)?.at ?? 0) - sentAt - 10;
  assert.ok(waited >= 15 && waited <= 17, `waited ${waited} ms`);
});

test("flush sends at once, and so does a full packet", () => {
  const pipe = batching(1000);
  const { connection } = pipe.server;
  connection.send("reliableOrdered", pattern(1, 20));
  pipe.run(50);
  assert.equal(pipe.client.received.length, 0);
  connection.flush();
  pipe.run(50);
  assert.equal(pipe.client.received.length, 1);
  for (let i = 0; i < 5; i++) connection.send("unreliableUnordered", pattern(i, 300));
  pipe.run(50);
  assert.equal(pipe.client.received.length, 1 + 3, "three fill a packet, the other two wait again");
});

/** Payload sizes of the packets that `count` messages of that size leave in, at once. */
function sizesOf(count: number, messageBytes: number): number[] {
  const pipe = batching(0);
  const sizes: number[] = [];
  pipe.server.connection.trace = {
    packetSent: (_number, _buffer, _offset, length) => sizes.push(length),
    packetReceived: () => {},
    packetLost: () => {},
  };
  for (let i = 0; i < count; i++) {
    pipe.server.connection.send("unreliableUnordered", pattern(i, messageBytes + (i % 3)));
  }
  pipe.run(50);
  assert.equal(pipe.client.received.length, count);
  return sizes.filter((size) => size > 100); // without acknowledgements
}

test("packets behind which more follows have one size, so that they leave in one system call", () => {
  const sizes = sizesOf(100, 60);
  assert.ok(sizes.length > 4);
  assert.deepEqual(new Set(sizes.slice(0, -1)), new Set([1200]));
});

test("a packet is filled up by a sixteenth at most", () => {
  assert.ok(Math.max(...sizesOf(20, 400)) < 900, "two messages fit, and a third of the packet stays free");
});

test("a packet that goes anyway takes along what waits", () => {
  const pipe = batching(1000);
  pipe.server.connection.send("unreliableUnordered", pattern(1, 20));
  for (let i = 0; i < 2; i++) {
    pipe.client.connection.send("reliableOrdered", pattern(i, 100)); // two eager packets: an ACK at once
    pipe.flush();
  }
  pipe.run(50);
  assert.equal(pipe.client.received.length, 1);
});

test("what was lost does not wait", () => {
  const pipe = batching(200);
  const { connection } = pipe.server;
  pipe.setConditions({ latencyMs: 10, lossRate: 1 });
  connection.send("reliableOrdered", pattern(1, 100));
  connection.flush();
  pipe.run(5);
  pipe.setConditions({ latencyMs: 10 });
  for (let i = 0; i < 3; i++) {
    connection.send("unreliableUnordered", pattern(i, 10));
    connection.flush();
    pipe.flush();
  }
  const tookMs = pipe.runUntil(() => pipe.client.of("reliableOrdered").length === 1, 1_000);
  assert.ok(tookMs < 100, `${tookMs} ms`);
});
