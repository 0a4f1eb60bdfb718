/** What the three channels promise, on links that lose, reorder and duplicate. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Channel } from "../src/channel/index.ts";
import { Random } from "../src/random.ts";
import { Pipe, UDP, WEBSOCKET, idOf, pattern } from "./channel-pipe.ts";
import type { End } from "./channel-pipe.ts";

/** Sends a seeded mix of messages both ways while the link misbehaves, then lets it finish. */
function chaos(seed: number, lossRate: number, carrier = UDP): { pipe: Pipe; sent: Map<End, number> } {
  const pipe = new Pipe(seed, {
    carrier,
    conditions: { latencyMs: 40, jitterMs: 30, lossRate, duplicateRate: 0.1 },
  }).open();
  const random = new Random(seed + 1000);
  const sent = new Map<End, number>([
    [pipe.client, 0],
    [pipe.server, 0],
  ]);
  const next = { unreliableOrdered: 0, unreliableUnordered: 0 };
  pipe.runTicks(3_000, 16, () => {
    for (const end of [pipe.client, pipe.server]) {
      for (let i = random.int(3); i > 0; i--) {
        const size = 4 + random.int(random.next() < 0.1 ? 20_000 : 300);
        const id = sent.get(end) ?? 0;
        if (end.connection.send("reliableOrdered", pattern(id, size)) === "queued") sent.set(end, id + 1);
      }
      const large = random.next() < 0.05 ? 6_000 : 200;
      end.connection.send("unreliableOrdered", pattern(next.unreliableOrdered++, 4 + random.int(large)));
      end.connection.send("unreliableUnordered", pattern(next.unreliableUnordered++, 4 + random.int(large)));
    }
  });
  pipe.runUntil(
    () => pipe.client.connection.stats.reliableQueuedBytes + pipe.server.connection.stats.reliableQueuedBytes === 0,
    60_000,
  );
  return { pipe, sent };
}

function checkPromises(pipe: Pipe, sent: Map<End, number>, label: string): void {
  for (const [from, to] of [
    [pipe.client, pipe.server],
    [pipe.server, pipe.client],
  ]) {
    const reliable = to.of("reliableOrdered");
    assert.equal(reliable.length, sent.get(from), `${label}: every reliable message, once`);
    for (const [id, bytes] of reliable.entries()) {
      if (idOf(bytes) !== id) assert.fail(`${label}: message ${idOf(bytes)} where ${id} belongs`);
      assert.deepEqual(bytes, pattern(id, bytes.length));
    }
    let newest = -1;
    for (const bytes of to.of("unreliableOrdered")) {
      assert.ok(idOf(bytes) > newest, `${label}: unreliableOrdered is monotone`);
      newest = idOf(bytes);
      assert.deepEqual(bytes, pattern(newest, bytes.length));
    }
    const seen = new Set<number>();
    for (const bytes of to.of("unreliableUnordered")) {
      assert.ok(!seen.has(idOf(bytes)), `${label}: unreliableUnordered is not doubled`);
      seen.add(idOf(bytes));
      assert.deepEqual(bytes, pattern(idOf(bytes), bytes.length));
    }
    assert.ok(seen.size > 20 && newest > 20, `${label}: unreliable messages get through`);
    assert.equal(from.connection.state, "open", label);
  }
}

for (const lossRate of [0, 0.03, 0.3]) {
  test(`channels keep their promises at ${lossRate * 100} % loss with reordering and duplicates`, () => {
    for (let seed = 1; seed <= 4; seed++) {
      const { pipe, sent } = chaos(seed, lossRate);
      checkPromises(pipe, sent, `seed ${seed}, loss ${lossRate}`);
    }
  });
}

test("a carrier that calls itself reliable but loses packets (a simulator in front) still delivers", () => {
  const { pipe, sent } = chaos(7, 0.1, WEBSOCKET);
  checkPromises(pipe, sent, "websocket behind a lossy simulator");
});

test("a reliable carrier never sends anything twice, however slow it is", () => {
  const pipe = new Pipe(3, { carrier: WEBSOCKET, conditions: { latencyMs: 20 } }).open();
  pipe.run(200);
  pipe.setConditions({ latencyMs: 3_000 }); // far beyond every probe timeout
  for (let id = 0; id < 50; id++) pipe.client.connection.send("reliableOrdered", pattern(id, 1_000));
  pipe.run(20_000);
  assert.equal(pipe.server.of("reliableOrdered").length, 50);
  assert.equal(pipe.client.connection.stats.chunksRetransmitted, 0);
  assert.equal(pipe.client.connection.stats.packetsLost, 0);
});

test("a 16 MiB message arrives over a lossy link", () => {
  const pipe = new Pipe(5, { conditions: { latencyMs: 5, jitterMs: 1, lossRate: 0.01 } }).open();
  const message = pattern(77, 16 * 1024 * 1024);
  let received = 0;
  pipe.server.onMessage = (_channel: Channel, buffer, offset, length) => {
    received++;
    assert.equal(length, message.length);
    assert.equal(Buffer.compare(buffer.subarray(offset, offset + length), message), 0);
  };
  assert.equal(pipe.client.connection.send("reliableOrdered", message), "queued");
  assert.equal(pipe.client.connection.send("reliableOrdered", message), "full", "a second one does not fit");
  const took = pipe.runUntil(() => received === 1, 600_000);
  assert.equal(received, 1, `after ${took} ms`);
});

test("round-trip time, jitter and loss estimates converge", () => {
  const pipe = new Pipe(11, { conditions: { latencyMs: 60, jitterMs: 20, lossRate: 0.05 } }).open();
  pipe.runTicks(20_000, 16, (index) => {
    pipe.client.connection.send("unreliableUnordered", pattern(index, 100));
    if (index % 2 === 0) pipe.server.connection.send("unreliableUnordered", pattern(index, 400));
  });
  for (const end of [pipe.client, pipe.server]) {
    const { stats } = end.connection;
    // 2 x (60 .. 80) on the link; packets wait for the next tick of the game on top of it only in part.
    assert.ok(stats.rttMs > 120 && stats.rttMs < 165, `rtt ${stats.rttMs}`);
    assert.ok(stats.minRttMs >= 120 && stats.minRttMs < 150, `min ${stats.minRttMs}`);
    assert.ok(stats.jitterMs > 1 && stats.jitterMs < 30, `jitter ${stats.jitterMs}`);
    assert.ok(stats.lossRate > 0.01 && stats.lossRate < 0.12, `loss ${stats.lossRate}`);
    assert.ok(stats.receiveLossRate > 0.01 && stats.receiveLossRate < 0.12, `receive loss ${stats.receiveLossRate}`);
  }
});
