/** Packets grow to what the path carries, and shrink when it carries less; game data does not notice. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Pipe, UNCUT_UDP, idOf, pattern } from "./channel-pipe.ts";
import type { LinkConditions } from "./channel-pipe.ts";
import type { CarrierTraits } from "../src/channel/index.ts";

/** netcode's overhead with one byte of packet number: prefix, number, tag. */
const OVERHEAD = 18;

function searching(conditions: LinkConditions, carrier: CarrierTraits = UNCUT_UDP, seed = 1): Pipe {
  const hello = { version: 1 as const, schemaHash: new Uint8Array(8), extensions: { largePackets: 8972 } };
  return new Pipe(seed, { carrier, conditions, client: { hello }, server: { hello } });
}

test("payloads grow to an Ethernet's packet within a second, on both sides", () => {
  const pipe = searching({ latencyMs: 40, mtuBytes: 1472 }).open();
  assert.equal(pipe.server.connection.mtu?.state, "BASE");
  pipe.run(1_000);
  for (const { connection } of [pipe.client, pipe.server]) {
    assert.equal(connection.mtu?.state, "SEARCH_COMPLETE");
    assert.equal(connection.mtu?.currentPayloadBytes, 1472);
    assert.equal(connection.stats.packetsLost, 0);
  }
  pipe.server.keepSent = true;
  pipe.server.connection.send("reliableOrdered", pattern(1, 100_000));
  pipe.run(2_000);
  assert.equal(pipe.client.received.length, 1);
  assert.equal(Math.max(...pipe.server.sent.map(({ bytes }) => bytes.length)), 1472 - OVERHEAD);
});

test("jumbo frames are used where they are allowed, and not beyond what the peer takes", () => {
  const jumbo: CarrierTraits = { ...UNCUT_UDP, path: { ipVersion: 6, maxPacketBytes: 9000 } };
  const pipe = searching({ latencyMs: 1 }, jumbo).open();
  pipe.run(5_000);
  assert.equal(pipe.server.connection.mtu?.currentPayloadBytes, 8952);
  const hello = { version: 1 as const, schemaHash: new Uint8Array(8), extensions: { largePackets: 1300 } };
  const small = new Pipe(1, {
    carrier: jumbo,
    client: { hello },
    server: { hello: { ...hello, extensions: { largePackets: 8952 } } },
  }).open();
  small.run(5_000);
  assert.equal(small.server.connection.mtu?.currentPayloadBytes, 1300);
  assert.equal(small.client.connection.mtu?.currentPayloadBytes, 8952);
});

test("a tunnel's MTU is found within a few bytes; no message is lost or late for it", () => {
  const pipe = searching({ latencyMs: 30, mtuBytes: 1380 }).open();
  pipe.run(300);
  const sentAt = new Map<number, number>();
  pipe.runTicks(20_000, 1000 / 60, (tick) => {
    sentAt.set(tick, pipe.now);
    pipe.server.connection.send("unreliableUnordered", pattern(tick, 1_100));
  });
  pipe.run(100);
  assert.equal(pipe.client.received.length, 1_200);
  for (const { at, bytes } of pipe.client.received) assert.ok(at - (sentAt.get(idOf(bytes)) ?? 0) <= 30.01);
  const found = pipe.server.connection.mtu?.currentPayloadBytes ?? 0;
  assert.ok(found <= 1380 && found > 1380 - 8, `${found}`);
  assert.equal(pipe.server.connection.stats.packetsLost, 0, "lost probes are no losses");
});

test("when the path shrinks under a transfer, packets shrink and it goes on", () => {
  for (const mtuBytes of [1300, 1210, 560]) {
    const pipe = searching({ latencyMs: 20, mtuBytes: 1472, bytesPerMs: 500, queueBytes: 50_000 }).open();
    pipe.run(1_000);
    pipe.server.connection.send("reliableOrdered", pattern(1, 2_000_000));
    pipe.run(1_000);
    assert.equal(pipe.server.connection.mtu?.currentPayloadBytes, 1472);
    pipe.setConditions({ latencyMs: 20, mtuBytes, bytesPerMs: 500, queueBytes: 50_000 });
    const tookMs = pipe.runUntil(() => pipe.client.received.length === 1, 60_000);
    assert.equal(pipe.client.received.length, 1, `over ${mtuBytes} bytes`);
    assert.ok(tookMs < 25_000, `${tookMs} ms over ${mtuBytes} bytes`);
    assert.ok((pipe.server.connection.mtu?.currentPayloadBytes ?? 0) <= mtuBytes);
  }
});

test("unreliable messages are cut to what the path carries now; one begun before it shrank is given up", () => {
  const pipe = searching({ latencyMs: 20, mtuBytes: 560 }).open();
  // Everything above the floor is lost, the base size too.
  pipe.runTicks(8_000, 50, (tick) => pipe.server.connection.send("unreliableUnordered", pattern(tick, 30)));
  const found = pipe.server.connection.mtu?.currentPayloadBytes ?? 0;
  assert.ok(found >= 548 && found <= 560, `${found}`);
  pipe.client.received.length = 0;
  pipe.server.connection.send("unreliableUnordered", pattern(7, 60_000));
  pipe.run(2_000);
  assert.deepEqual(pipe.client.of("unreliableUnordered"), [pattern(7, 60_000)]);
  pipe.server.connection.send("unreliableUnordered", pattern(8, 200_000));
  pipe.run(1_000);
  assert.equal(pipe.client.received.length, 1, "256 fragments of this path do not hold it");
  assert.equal(pipe.server.connection.stats.of("unreliableUnordered").droppedTooLarge, 1);
});
