/** Whoever traces a connection is told of every packet, sent, received and lost, at the time it happened. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConnectionTrace } from "../src/channel/index.ts";
import { Pipe, pattern } from "./channel-pipe.ts";

class Heard implements ConnectionTrace {
  readonly sent: number[] = [];
  readonly received: number[] = [];
  readonly lost: { packetNumber: number; bytes: number; now: number }[] = [];
  sentBytes = 0;

  packetSent(packetNumber: number, _buffer: Uint8Array, _offset: number, length: number): void {
    this.sent.push(packetNumber);
    this.sentBytes += length;
  }

  packetReceived(packetNumber: number): void {
    this.received.push(packetNumber);
  }

  packetLost(packetNumber: number, bytes: number, now: number): void {
    this.lost.push({ packetNumber, bytes, now });
  }
}

test("a trace hears every packet, and of each loss when it is declared", () => {
  const pipe = new Pipe(3, { conditions: { latencyMs: 20, lossRate: 0.1 } }).open();
  const { connection } = pipe.server;
  const { packetsSent, packetsReceived, packetsLost } = connection.stats;
  const trace = new Heard();
  connection.trace = trace;
  const startedAt = pipe.now;
  pipe.runTicks(3_000, 20, (tick) => {
    connection.send("reliableOrdered", pattern(tick, 900));
    pipe.client.connection.send("unreliableUnordered", pattern(tick, 50));
  });
  const { stats } = connection;
  assert.equal(trace.sent.length, stats.packetsSent - packetsSent);
  assert.equal(trace.received.length, stats.packetsReceived - packetsReceived);
  assert.equal(trace.lost.length, stats.packetsLost - packetsLost);
  assert.ok(trace.lost.length > 5, `${trace.lost.length} lost`);
  for (const { packetNumber, bytes, now } of trace.lost) {
    assert.ok(packetNumber < trace.sent[0] || trace.sent.includes(packetNumber), `${packetNumber} was sent`);
    assert.ok(bytes > 0 && now >= startedAt && now <= pipe.now);
  }
  connection.trace = undefined;
  const heard = trace.sent.length;
  pipe.runTicks(100, 20, (tick) => connection.send("reliableOrdered", pattern(tick, 900)));
  assert.equal(trace.sent.length, heard, "an unset trace hears nothing");
});

test("a trace that closes the connection within a packet stops that packet", () => {
  const pipe = new Pipe(4, { conditions: { latencyMs: 5 } }).open();
  const { connection } = pipe.server;
  connection.trace = {
    packetSent: () => undefined,
    packetReceived: () => connection.close(),
    packetLost: () => undefined,
  };
  pipe.client.connection.send("unreliableUnordered", pattern(1, 50));
  pipe.run(100);
  assert.equal(connection.state, "closed");
  assert.deepEqual(pipe.server.received, []);
});
