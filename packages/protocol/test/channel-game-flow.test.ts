/** What a game's steady traffic costs and how long it waits: acknowledgements, congestion control, bulk transfers beside it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Pipe, idOf, pattern } from "./channel-pipe.ts";

test("a game flow is never delayed by congestion control on a clean link, and ACKs ride along", () => {
  const pipe = new Pipe(1, { conditions: { latencyMs: 75 } }).open();
  pipe.run(500);
  const before = { down: pipe.server.sentPackets, up: pipe.client.sentPackets };
  const seconds = 20;
  const downBytes = pipe.server.sentBytes;
  const sentAt = new Map<number, number>();
  pipe.runTicks(seconds * 1000, 1000 / 60, (index) => {
    sentAt.set(index, pipe.now);
    pipe.client.connection.send("unreliableUnordered", pattern(index, 60));
    if (index % 2 === 0) pipe.server.connection.send("unreliableUnordered", pattern(index, 200));
  });
  for (const end of [pipe.client, pipe.server]) {
    for (const { at, bytes } of end.received) {
      assert.ok(at - (sentAt.get(idOf(bytes)) ?? 0) < 75.01, "arrives after the link's latency alone");
    }
    assert.equal(end.connection.stats.acksSent <= 4, true, `acks sent alone: ${end.connection.stats.acksSent}`);
    assert.equal(end.connection.stats.packetsLost, 0);
  }
  const downPackets = pipe.server.sentPackets - before.down;
  assert.ok(downPackets <= seconds * 30 + 5, `${downPackets} packets down`);
  assert.ok(pipe.client.sentPackets - before.up <= seconds * 60 + 5);
  // 202 bytes of message frame; what an ACK adds stays under 12.
  const perPacket = (pipe.server.sentBytes - downBytes) / downPackets;
  assert.ok(perPacket < 200 + 3 + 12, `${perPacket} bytes a packet`);
});

test("a receiver that sends nothing acknowledges unreliable traffic ten times a second at most", () => {
  const pipe = new Pipe(2, { conditions: { latencyMs: 30 } }).open();
  pipe.run(500);
  const before = pipe.client.sentPackets;
  pipe.runTicks(10_000, 1000 / 60, (index) => pipe.server.connection.send("unreliableOrdered", pattern(index, 300)));
  pipe.run(60);
  assert.equal(pipe.client.of("unreliableOrdered").length, 600);
  assert.ok(pipe.client.sentPackets - before <= 102, `${pipe.client.sentPackets - before} ACKs`);
  assert.equal(pipe.server.connection.stats.packetsLost, 0);
});

test("an idle connection falls silent", () => {
  const pipe = new Pipe(3, { conditions: { latencyMs: 30 } }).open();
  pipe.client.connection.send("reliableOrdered", pattern(1, 100));
  pipe.server.connection.send("unreliableOrdered", pattern(1, 100));
  pipe.run(5_000);
  const sent = pipe.client.sentPackets + pipe.server.sentPackets;
  pipe.run(60_000);
  assert.equal(pipe.client.sentPackets + pipe.server.sentPackets, sent);
  assert.equal(pipe.client.connection.nextTimeout(), Infinity);
  assert.equal(pipe.client.connection.stats.bytesInFlight, 0);
});

test("a large reliable transfer on a slow link does not hold back game data at the sender", () => {
  // 1 MB/s, 60 ms round trip, a queue of 30 kB: the transfer fills it and loses packets.
  const pipe = new Pipe(4, { conditions: { latencyMs: 30, bytesPerMs: 1000, queueBytes: 30_000 } }).open();
  pipe.run(200);
  pipe.server.connection.send("reliableOrdered", pattern(1, 8_000_000));
  const sentAt = new Map<number, number>();
  let waits = 0;
  let count = 0;
  pipe.runTicks(12_000, 1000 / 60, (index) => {
    if (index % 2 === 1) return;
    sentAt.set(index, pipe.now);
    pipe.server.connection.send("unreliableOrdered", pattern(index, 400));
    pipe.flush();
    count++;
    if (pipe.server.connection.stats.unreliableQueuedBytes > 0) waits++;
  });
  assert.equal(waits, 0, `${waits} of ${count} snapshots waited at the sender`);
  const arrived = pipe.client.of("unreliableOrdered").length;
  assert.ok(arrived > 0.85 * count, `${arrived} of ${count} arrived`);
  assert.equal(pipe.client.of("reliableOrdered").length, 1, "and the transfer finished");
});

test("game data that fills the window does not starve the reliable channel at heavy loss", () => {
  const pipe = new Pipe(6, { conditions: { latencyMs: 75, jitterMs: 20, lossRate: 0.2 } }).open();
  let sent = 0;
  pipe.runTicks(20_000, 1000 / 60, (index) => {
    pipe.server.connection.send("unreliableUnordered", pattern(index, 1000));
    if (index % 30 === 0) pipe.server.connection.send("reliableOrdered", pattern(sent++, 200));
  });
  pipe.run(2_000);
  assert.equal(pipe.client.of("reliableOrdered").length, sent);
  const first = pipe.client.received.filter((message) => message.channel === "reliableOrdered");
  const late = first.filter((message, id) => message.at - (first[0].at + id * 500) > 2_000);
  assert.equal(late.length, 0);
});

test("after a stall of five seconds the flow is back within half a second", () => {
  const pipe = new Pipe(8, { conditions: { latencyMs: 50 } }).open();
  let index = 0;
  const tick = (): void => {
    pipe.client.connection.send("unreliableOrdered", pattern(index++, 200));
  };
  pipe.runTicks(2_000, 16, tick);
  pipe.setConditions({ latencyMs: 50, lossRate: 1 });
  pipe.client.connection.send("reliableOrdered", pattern(1, 3_000));
  pipe.runTicks(5_000, 16, tick);
  pipe.setConditions({ latencyMs: 50 });
  const backAt = pipe.now;
  pipe.runTicks(3_000, 16, tick);
  const first = pipe.server.received.find((message) => message.at > backAt);
  assert.ok(first !== undefined && first.at - backAt < 600, `first message after ${(first?.at ?? 0) - backAt} ms`);
  const lastSecond = pipe.server.received.filter((message) => message.at > pipe.now - 1_000).length;
  assert.ok(lastSecond > 58, `${lastSecond} messages in the last second`);
  assert.equal(pipe.server.of("reliableOrdered").length, 1);
});
