/** Priorities, weights, rates and deadlines on a busy line. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Connection, QosSettings } from "../src/channel/index.ts";
import type { Channel } from "../src/channel/index.ts";
import type { CongestionControl } from "../src/congestion/index.ts";
import { Pipe, UDP, idOf, pattern } from "./channel-pipe.ts";

/** The channels of what came, in order. */
function order(pipe: Pipe): Channel[] {
  return pipe.client.received.map(({ channel }) => channel as Channel);
}

test("a channel of higher priority goes first, whoever was queued first", () => {
  const pipe = new Pipe(1, { conditions: { latencyMs: 10 } }).open();
  const { connection } = pipe.server;
  connection.qos.setChannelPriority("reliableOrdered", 9);
  connection.qos.setChannelPriority("unreliableOrdered", 5);
  connection.send("unreliableUnordered", pattern(1, 300));
  connection.send("unreliableOrdered", pattern(2, 300));
  connection.send("reliableOrdered", pattern(3, 300));
  pipe.run(50);
  assert.deepEqual(order(pipe), ["reliableOrdered", "unreliableOrdered", "unreliableUnordered"]);
});

test("within a level channels share by weight, and a channel that was silent does not make up for it", () => {
  const pipe = new Pipe(2, { conditions: { latencyMs: 10 } }).open();
  const { connection } = pipe.server;
  connection.qos.setChannelWeight("unreliableOrdered", 3);
  for (let i = 0; i < 400; i++) connection.send("unreliableUnordered", pattern(i, 100));
  pipe.run(2_000);
  pipe.client.received.length = 0;
  for (let i = 0; i < 300; i++) {
    connection.send("unreliableUnordered", pattern(i, 100));
    connection.send("unreliableOrdered", pattern(i, 100));
  }
  pipe.run(2_000);
  const first = order(pipe).slice(0, 100);
  const ordered = first.filter((channel) => channel === "unreliableOrdered").length;
  assert.ok(ordered >= 72 && ordered <= 78, `${ordered} of 100 in a ratio of 3 to 1`);
});

test("a rate limit holds on average, lets a burst pass, and may change while packets flow", () => {
  const pipe = new Pipe(3, { conditions: { latencyMs: 10 } }).open();
  const { connection } = pipe.server;
  connection.qos.setChannelRateLimit("unreliableUnordered", 20_000, 5_000);
  assert.equal(connection.canSend("unreliableUnordered", 5_000), true);
  const arrived = (): number => pipe.client.of("unreliableUnordered").reduce((sum, bytes) => sum + bytes.length, 0);
  const options = { deadlineMs: 60_000 };
  for (let i = 0; i < 200; i++) connection.send("unreliableUnordered", pattern(i, 480), 0, 480, options);
  pipe.run(11);
  assert.ok(arrived() >= 4_800 && arrived() <= 5_500, `${arrived()} bytes at once`);
  assert.equal(connection.canSend("unreliableUnordered", 1_000), false);
  assert.equal(connection.canSend("unreliableOrdered", 1_000), true);
  const before = arrived();
  pipe.run(2_000);
  assert.ok(Math.abs(arrived() - before - 40_000) < 1_500, `${arrived() - before} bytes in two seconds`);
  connection.qos.setChannelRateLimit("unreliableUnordered", Infinity);
  pipe.run(400);
  assert.equal(pipe.client.of("unreliableUnordered").length, 200);
});

test("the reliable channel keeps to its rate limit too", () => {
  const pipe = new Pipe(4, {
    conditions: { latencyMs: 10 },
    server: { qos: { reliableOrdered: { rateBytesPerSec: 50_000 } } },
  });
  pipe.open();
  pipe.server.connection.send("reliableOrdered", pattern(1, 100_000));
  const tookMs = pipe.runUntil(() => pipe.client.received.length > 0, 5_000);
  assert.ok(tookMs > 1_850 && tookMs < 2_150, `${tookMs} ms for 100 kB at 50 kB/s with 5 kB at once`);
});

test("settings of a server count for its connections at once, until a connection has its own", () => {
  const settings = new QosSettings();
  const pipe = new Pipe(5, { conditions: { latencyMs: 10 }, server: { qosDefaults: settings } }).open();
  const { connection } = pipe.server;
  settings.setChannelPriority("reliableOrdered", 200);
  const both = (): Channel[] => {
    pipe.client.received.length = 0;
    connection.send("unreliableUnordered", pattern(1, 300));
    connection.send("reliableOrdered", pattern(3, 300));
    pipe.run(50);
    return order(pipe);
  };
  assert.deepEqual(both(), ["reliableOrdered", "unreliableUnordered"]);
  connection.qos.setChannelPriority("reliableOrdered", 0);
  assert.deepEqual(both(), ["unreliableUnordered", "reliableOrdered"]);
  connection.qos.clear("reliableOrdered");
  assert.deepEqual(both(), ["reliableOrdered", "unreliableUnordered"]);
  assert.throws(() => settings.setChannelPriority("reliableOrdered", 256), /priority must be .* got 256/);
  assert.throws(() => settings.setChannelWeight("reliableOrdered", 0), /weight must be .* got 0/);
  assert.throws(() => settings.setChannelRateLimit("reliableOrdered", -1), /rateBytesPerSec must be .* got -1/);
});

test("a change is told to whoever drives the connection, so that what waited for the old limit does not wait on", () => {
  const settings = new QosSettings();
  const pipe = new Pipe(9, { conditions: { latencyMs: 10 }, server: { qosDefaults: settings } }).open();
  let told = 0;
  settings.onChange = () => told++;
  settings.setChannelRateLimit("reliableOrdered", 1_000);
  settings.clear("reliableOrdered");
  assert.equal(told, 2);
  const woken: Connection[] = [];
  const connection = new Connection({
    role: "server",
    carrier: UDP,
    hello: undefined,
    sink: pipe.server,
    owner: { wake: (changed) => woken.push(changed) },
    now: 0,
  });
  connection.qos.setChannelPriority("reliableOrdered", 3);
  assert.deepEqual(woken, [connection]);
});

test("no channel waits longer than 100 ms for its next packet, however busy those before it are", () => {
  const pipe = new Pipe(6, { conditions: { latencyMs: 10 } }).open();
  const { connection } = pipe.server;
  connection.qos.setChannelPriority("unreliableOrdered", 9);
  // The line takes 60 kB/s, and the high channel alone wants more: what is below would never go.
  connection.setCongestionControl(() => fixedWindow(0));
  for (let i = 0; i < 3_000; i++) connection.send("unreliableOrdered", pattern(i, 150), 0, 150, { deadlineMs: 1e6 });
  for (let i = 0; i < 8; i++) connection.send("unreliableUnordered", pattern(i, 100), 0, 100, { deadlineMs: 1e6 });
  const startedAt = pipe.now;
  pipe.runTicks(2_000, 10, (tick) =>
    connection.send("unreliableOrdered", pattern(tick, 150), 0, 150, { deadlineMs: 1e6 }),
  );
  const low = pipe.client.received.filter(({ channel }) => channel === "unreliableUnordered");
  assert.equal(low.length, 8);
  let last = startedAt;
  for (const { at } of low) {
    assert.ok(at - last < 100 + 60, `waited ${at - last} ms, a round trip of 20 ms and its ACK included`);
    last = at;
  }
  assert.ok(pipe.client.of("unreliableOrdered").length > 500, "and the high channel went on");
});

test("a message with a deadline is dropped unsent behind it, others are not", () => {
  const pipe = new Pipe(7, { conditions: { latencyMs: 10 } }).open();
  const { connection } = pipe.server;
  connection.qos.setChannelRateLimit("unreliableUnordered", 10_000, 1_000);
  for (let i = 0; i < 40; i++) {
    const deadlineMs = i % 2 === 0 ? 50 : 10_000;
    connection.send("unreliableUnordered", pattern(i, 500), 0, 500, { deadlineMs });
  }
  pipe.run(3_000);
  const ids = pipe.client.of("unreliableUnordered").map((bytes) => idOf(bytes));
  assert.equal(ids.filter((id) => id % 2 === 1).length, 20);
  assert.ok(ids.filter((id) => id % 2 === 0).length < 5);
  assert.ok(connection.stats.of("unreliableUnordered").droppedStale > 15);
  assert.throws(() => connection.send("reliableOrdered", pattern(1, 5), 0, 5, { deadlineMs: 5 }), RangeError);
  assert.throws(() => connection.send("unreliableOrdered", pattern(1, 5), 0, 5, { stream: 1 }), RangeError);
  assert.throws(() => connection.send("reliableOrdered", pattern(1, 5), 0, 5, { stream: 256 }), RangeError);
});

test("beside a bulk transfer an unreliable message leaves within a pacer quantum, full window or not", () => {
  for (const conditions of [
    { latencyMs: 30 },
    { latencyMs: 30, bytesPerMs: 1000, queueBytes: 30_000 },
    { latencyMs: 75, lossRate: 0.02 },
  ]) {
    const pipe = new Pipe(8, { conditions }).open();
    const { connection } = pipe.server;
    connection.send("reliableOrdered", pattern(1, 12_000_000));
    pipe.run(1_000);
    let worst = 0;
    pipe.runTicks(4_000, 17, (tick) => {
      connection.send("unreliableUnordered", pattern(tick, 400));
      const sent = (): boolean => connection.stats.unreliableQueuedBytes === 0;
      worst = Math.max(worst, pipe.runUntil(sent, 50));
    });
    assert.ok(worst <= 2, `waited ${worst} ms at the sender`);
  }
});

/** A congestion controller that lets a reserve of 9,600 bytes in flight and nothing more. */
function fixedWindow(windowBytes: number): CongestionControl {
  return {
    name: "fixed",
    windowBytes,
    pacingRateBytesPerSec: Infinity,
    pacingIntervalMs: 0,
    onPacketSent: ignore,
    onPacketAcked: ignore,
    onPacketLost: ignore,
    onPacketsLost: ignore,
    onEcnCongestion: ignore,
    onSpuriousLoss: ignore,
    onAckProcessed: ignore,
  };
}

function ignore(): void {
  // What happens does not change the window.
}

test("a message past its deadline is not sent either where it waited behind one with more time", () => {
  for (const limited of [false, true]) {
    const pipe = new Pipe(8, { conditions: { latencyMs: 10 } }).open();
    const { connection } = pipe.server;
    connection.qos.setChannelRateLimit("unreliableOrdered", 1, 1);
    connection.send("unreliableOrdered", pattern(0, 10)); // spends what may go at once
    pipe.run(20);
    pipe.client.received.length = 0;
    connection.send("unreliableOrdered", pattern(1, 50), 0, 50, { deadlineMs: 5_000 });
    connection.send("unreliableOrdered", pattern(2, 50), 0, 50, { deadlineMs: 30 });
    connection.send("unreliableOrdered", pattern(3, 50), 0, 50, { deadlineMs: 5_000 });
    pipe.run(200);
    if (limited) connection.qos.setChannelRateLimit("unreliableOrdered", 1e6);
    else connection.qos.clear("unreliableOrdered");
    pipe.run(200);
    assert.deepEqual(pipe.client.of("unreliableOrdered").map(idOf), [1, 3]);
    const { droppedStale, queuedBytes } = connection.stats.of("unreliableOrdered");
    assert.deepEqual([droppedStale, queuedBytes], [1, 0]);
  }
});
