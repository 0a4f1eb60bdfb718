/** Streams, back-pressure and graceful ends of the reliable channel. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { NewRenoCongestionControl } from "../src/congestion/index.ts";
import { Pipe, idOf, pattern } from "./channel-pipe.ts";

test("a lost message holds back its own stream and no other", () => {
  const pipe = new Pipe(1, { conditions: { latencyMs: 50 } }).open();
  pipe.run(500);
  const arrivals: { stream: number; id: number; at: number }[] = [];
  const { connection } = pipe.server;
  pipe.client.onMessage = (_channel, buffer, offset, length, stream) => {
    arrivals.push({ stream, id: idOf(buffer.subarray(offset, offset + length)), at: pipe.now });
  };
  pipe.setConditions({ latencyMs: 50, lossRate: 1 });
  connection.send("reliableOrdered", pattern(0, 500), 0, 500, { stream: 1 });
  pipe.flush();
  pipe.setConditions({ latencyMs: 50 });
  const sentAt = pipe.now;
  for (let id = 1; id < 4; id++) {
    for (const stream of [1, 2, 255]) connection.send("reliableOrdered", pattern(id, 500), 0, 500, { stream });
  }
  pipe.run(1_000);
  for (const stream of [2, 255]) {
    const own = arrivals.filter((arrival) => arrival.stream === stream);
    assert.deepEqual(
      own.map(({ id }) => id),
      [1, 2, 3],
    );
    for (const { at } of own) assert.ok(at - sentAt <= 75, `stream ${stream} waited ${at - sentAt} ms`);
  }
  const held = arrivals.filter((arrival) => arrival.stream === 1);
  assert.deepEqual(
    held.map(({ id }) => id),
    [0, 1, 2, 3],
  );
  for (const { at } of held) assert.ok(at - sentAt > 100, "behind the second try of the first");
});

test("256 streams at once on a bad line, each in order", () => {
  const pipe = new Pipe(2, { conditions: { latencyMs: 30, jitterMs: 20, lossRate: 0.1, duplicateRate: 0.05 } }).open();
  const next = Array.from({ length: 256 }, () => 0);
  pipe.client.onMessage = (_channel, buffer, offset, length, stream) => {
    assert.equal(idOf(buffer.subarray(offset, offset + length)), next[stream]);
    next[stream]++;
  };
  for (let id = 0; id < 10; id++) {
    for (let stream = 0; stream < 256; stream++) {
      pipe.server.connection.send("reliableOrdered", pattern(id, 4 + ((stream * 7) % 300)), 0, undefined, { stream });
    }
  }
  pipe.runUntil(() => next.every((count) => count === 10), 60_000);
  assert.ok(next.every((count) => count === 10));
});

test("after `full` the sink hears when half of the queue is free again", () => {
  const pipe = new Pipe(3, {
    conditions: { latencyMs: 20 },
    server: { limits: { reliableSendBytes: 100_000 } },
  }).open();
  const { connection } = pipe.server;
  let sent = 0;
  while (connection.send("reliableOrdered", pattern(sent, 10_000)) === "queued") sent++;
  assert.equal(sent, 9);
  assert.equal(connection.canSend("reliableOrdered", 10_001), false);
  assert.equal(pipe.server.drainedCount, 0);
  pipe.runUntil(() => pipe.server.drainedCount > 0, 5_000);
  assert.equal(pipe.server.drainedCount, 1);
  assert.ok(connection.stats.reliableQueuedBytes <= 50_000);
  assert.equal(connection.send("reliableOrdered", pattern(sent, 10_000)), "queued");
  pipe.run(2_000);
  assert.equal(pipe.server.drainedCount, 1, "once for each `full`");
});

test("finish delivers what was accepted, on a bad line too, and then closes in good order", () => {
  for (let seed = 1; seed <= 10; seed++) {
    const pipe = new Pipe(seed, { conditions: { latencyMs: 30, lossRate: 0.2 } }).open();
    const { connection } = pipe.server;
    for (let id = 0; id < 30; id++)
      connection.send("reliableOrdered", pattern(id, 3_000), 0, 3_000, { stream: id % 3 });
    connection.send("unreliableUnordered", pattern(99, 10));
    connection.finish(7, "done");
    assert.equal(connection.state, "finishing");
    assert.equal(connection.send("reliableOrdered", pattern(1, 5)), "closed");
    pipe.run(4_900);
    assert.equal(connection.state, "closed", `seed ${seed}`);
    assert.equal(connection.closeError, undefined);
    assert.equal(pipe.client.of("reliableOrdered").length, 30);
    assert.deepEqual(
      [pipe.client.connection.closeError?.code, pipe.client.connection.closeError?.closeCode],
      ["closedByPeer", 7],
    );
  }
});

test("finish gives up when the peer does not answer, and closes at once when nothing waits", () => {
  const pipe = new Pipe(4, { conditions: { latencyMs: 30 } }).open();
  pipe.run(500);
  pipe.server.connection.finish();
  pipe.run(40);
  assert.equal(pipe.client.connection.closeError?.code, "closedByPeer");
  const silent = new Pipe(5, { conditions: { latencyMs: 30 } }).open();
  silent.run(500);
  silent.setConditions({ lossRate: 1 });
  silent.server.connection.send("reliableOrdered", pattern(1, 100));
  silent.server.connection.finish(0, "", 1_000);
  silent.run(990);
  assert.equal(silent.server.connection.state, "finishing");
  silent.run(20);
  assert.equal(silent.server.connection.state, "closed");
});

test("a MAX_DATA that is lost is sent again: a transfer larger than the window does not stall", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const pipe = new Pipe(seed, { conditions: { latencyMs: 20 } }).open();
    // Only the way back is bad, and what it carries is ACKs and MAX_DATA.
    pipe.client.conditions = { latencyMs: 20, lossRate: 0.5 };
    pipe.server.connection.send("reliableOrdered", pattern(1, 600_000));
    const tookMs = pipe.runUntil(() => pipe.client.received.length === 1, 60_000);
    assert.equal(pipe.client.received.length, 1, `seed ${seed}: ${tookMs} ms`);
  }
});

test("the congestion controller may be replaced while data flows", () => {
  const pipe = new Pipe(6, { conditions: { latencyMs: 20, bytesPerMs: 1000, queueBytes: 40_000 } }).open();
  const { connection } = pipe.server;
  connection.send("reliableOrdered", pattern(1, 4_000_000));
  pipe.run(1_000);
  const before = connection.stats.congestionWindowBytes;
  connection.setCongestionControl(() => new NewRenoCongestionControl());
  assert.equal(connection.stats.congestionWindowBytes, 12_000, "a new one starts anew");
  assert.notEqual(before, 12_000);
  pipe.run(6_000);
  assert.equal(pipe.client.received.length, 1);
});

test("acknowledgements that took their time are not taken for a long path", () => {
  const pipe = new Pipe(7, { conditions: { latencyMs: 40 } }).open();
  pipe.run(500);
  // One lazy packet now and then: its ACK waits up to 100 ms, which the ACK says.
  pipe.runTicks(20_000, 150, (tick) => pipe.server.connection.send("unreliableUnordered", pattern(tick, 50)));
  const { rttMs, latestRttMs } = pipe.server.connection.stats;
  assert.equal(Math.round(latestRttMs), 180, "as it was measured");
  assert.ok(rttMs >= 80 && rttMs < 80 + 25 + 3, `${rttMs} ms; the first sample may have waited 25`);
});
