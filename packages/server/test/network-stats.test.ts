/** NetworkStats: every number, per connection, per channel and in total, and what reading and not reading them costs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Connection } from "@riposte/protocol/channel";
import type { ConnectionObserver } from "@riposte/transport";
import { AdvancedNetworkInterface } from "../src/index.ts";
import { NetworkWorld } from "./network-world.ts";

test("the numbers of the whole, of channels and of connections agree with each other and with what was sent", () => {
  const world = new NetworkWorld({ seed: 5, conditions: { latencyMs: 40, jitterMs: 4, lossRate: 0.03 } });
  const joined = [world.join(), world.join(), world.join()];
  world.run(4_000, (tick) => {
    for (const { client, id } of joined) {
      world.server.send(id, new Uint8Array(200), "unreliableUnordered");
      world.server.send(id, new Uint8Array(30), "unreliableOrdered");
      if (tick % 5 === 0) world.server.send(id, new Uint8Array(600), "reliableOrdered");
      client.send("unreliableUnordered", new Uint8Array(20));
    }
    if (tick === 100) world.server.send(joined[0].id, new Uint8Array(20_000), "unreliableUnordered");
  });
  const stats = world.server.stats();
  const each = joined.map(({ id }) => world.server.connectionStats(id)!);
  for (const key of ["packetsSent", "packetsReceived", "bytesSent", "bytesReceived", "packetsLost"] as const) {
    const sum = each.reduce((total, one) => total + one[key], 0);
    assert.equal(stats[key], sum, key);
    assert.ok(sum > 0, key);
  }
  assert.equal(stats.channels.unreliableOrdered.messagesSent, 1_200);
  assert.equal(stats.channels.unreliableOrdered.bytesSent, 36_000);
  assert.equal(stats.channels.unreliableUnordered.messagesSent, 1_201);
  assert.equal(stats.channels.reliableOrdered.messagesSent, 240);
  assert.equal(stats.channels.reliableOrdered.bytesSent, 144_000);
  const arrived = stats.channels.unreliableUnordered.messagesReceived;
  assert.equal(arrived, world.heard.length);
  assert.ok(arrived > 1_100 && arrived < 1_200, `${arrived} of 1,200 at 3 % loss`);
  assert.deepEqual([stats.currentConnections, stats.totalConnections], [3, 3]);
  assert.ok(stats.averageRttMs > 75 && stats.averageRttMs < 120, `${stats.averageRttMs} ms`);
  assert.ok(stats.minRttMs >= 70 && stats.minRttMs < stats.averageRttMs);
  assert.ok(stats.averageJitterMs > 0.5 && stats.averageJitterMs < 30);
  for (const rate of [stats.packetLossRate, stats.receiveLossRate]) assert.ok(rate > 0.002 && rate < 0.12, `${rate}`);
  assert.equal(stats.fragmentsSent, each[0].fragmentsSent);
  assert.ok(stats.fragmentsSent >= 15 && stats.chunksRetransmitted > 3);
  // 200 and 30 bytes in each packet, every fifth time 600 more.
  assert.ok(stats.messagesPerPacket > 1.9 && stats.messagesPerPacket < 2.4, `${stats.messagesPerPacket}`);
  assert.ok(stats.packetFill > 0.15 && stats.packetFill < 0.5, `${stats.packetFill}`);
  assert.equal(stats.lastUpdatedAt, world.network.now);
  for (const [i, one] of each.entries()) {
    assert.equal(one.connectionId, joined[i].id);
    assert.equal(one.clientId, BigInt(i + 1));
    assert.deepEqual([one.status, one.carrier, one.congestionControl], ["connected", "memory", "newReno"]);
    assert.ok(one.ageMs >= 4_000 && one.ageMs < 6_000);
    assert.ok(one.rttMs >= one.minRttMs && one.minRttMs > 70 && one.latestRttMs > 70);
    assert.ok(one.congestionWindowBytes >= 2_400 && one.pacingRateBytesPerSec > 0 && one.bandwidthBytesPerSec > 0);
    assert.ok(one.payloadBytes >= 1_200 && one.bytesInFlight >= 0);
  }
});

test("queue depths and bytes in flight show what waits", () => {
  const world = new NetworkWorld();
  const { id } = world.join();
  world.run(1_000);
  world.server.send(id, new Uint8Array(300_000), "reliableOrdered");
  for (let i = 0; i < 100; i++) world.server.send(id, new Uint8Array(900), "unreliableOrdered");
  const queued = world.server.stats();
  assert.ok(queued.reliableQueuedBytes >= 300_000);
  assert.ok(queued.unreliableQueuedBytes >= 90_000);
  assert.ok(queued.channels.unreliableOrdered.queuedBytes >= 90_000);
  assert.equal(queued.channels.unreliableUnordered.queuedBytes, 0);
  world.run(10);
  const flying = world.server.connectionStats(id)!;
  assert.ok(flying.bytesInFlight > 5_000 && world.server.stats().bytesInFlight === flying.bytesInFlight);
  world.run(5_000);
  const { bytesInFlight, reliableQueuedBytes, unreliableQueuedBytes } = world.server.stats();
  assert.deepEqual([bytesInFlight, reliableQueuedBytes, unreliableQueuedBytes], [0, 0, 0]);
});

test("totals keep what closed connections counted, their goodbyes included", () => {
  const world = new NetworkWorld();
  const { client, id } = world.join();
  world.run(500, () => world.server.send(id, new Uint8Array(50), "unreliableUnordered"));
  const before = world.server.stats();
  world.server.disconnect(id);
  world.run(500);
  const after = world.server.stats();
  assert.deepEqual([after.currentConnections, after.totalConnections], [0, 1]);
  assert.ok(after.packetsSent > before.packetsSent, "the goodbye");
  assert.equal(after.channels.unreliableUnordered.messagesSent, 50);
  // netcode's keep-alives are counted where they arrive only.
  assert.ok(after.packetsReceived >= client.connection.stats.packetsSent);
  assert.ok(client.connection.stats.packetsReceived >= after.packetsSent - 2, "the first goodbye closes it");
  world.run(5_000); // folded by now
  assert.deepEqual({ ...world.server.stats(), lastUpdatedAt: 0 }, { ...after, lastUpdatedAt: 0 });
  world.join();
  assert.ok(world.server.stats().packetsSent > after.packetsSent);
});

test("attempts become successes or failures, and requests without a good token are counted apart", () => {
  const world = new NetworkWorld({ endpoint: { maxClients: 2 } });
  world.join();
  const failing = world.dial({ schemaHash: Uint8Array.of(9, 9, 9, 9, 9, 9, 9, 9) });
  const half = (): void => {
    const { connectionAttempts, successfulConnections, failedConnections } = world.server.stats();
    assert.ok(successfulConnections + failedConnections <= connectionAttempts);
  };
  world.run(1_000, half);
  assert.equal(failing.events.at(-1)?.type, "rejected");
  world.join();
  world.dial(); // no seat
  world.run(2_000, half);
  const stats = world.server.stats();
  assert.deepEqual(
    [stats.connectionAttempts, stats.successfulConnections, stats.failedConnections, stats.currentConnections],
    [4, 2, 2, 2],
  );
  assert.equal(stats.totalConnections, 3, "one had a seat and lost it");
  assert.equal(stats.refusedRequests, 0);
  const forged = new NetworkWorld({ endpoint: { privateKey: new Uint8Array(32).fill(4) } });
  forged.dial();
  forged.network.runFor(1_000);
  assert.ok(forged.server.stats().refusedRequests > 5);
  assert.equal(forged.server.stats().connectionAttempts, 0);
});

test("nothing is done for a packet: nobody calls the interface, it asks nobody, and no connection has a trace", () => {
  const world = new NetworkWorld();
  let calls = 0;
  let clockReads = 0;
  const counted = new AdvancedNetworkInterface(
    { ...world.transport, observe: (observer) => world.transport.observe(counting(observer, () => calls++)) },
    {
      now: () => {
        clockReads++;
        return world.network.now;
      },
    },
  );
  const joined = [world.join(), world.join()];
  assert.ok(calls > 0 && clockReads > 0, "it hears of connections");
  calls = clockReads = 0;
  world.run(2_000, () => {
    for (const { client, id } of joined) {
      counted.send(id, new Uint8Array(50), "unreliableUnordered");
      client.send("reliableOrdered", new Uint8Array(50));
    }
  });
  assert.ok(joined.every(({ client }) => client.heard.length > 150));
  assert.deepEqual([calls, clockReads], [0, 0]);
  for (const id of counted.connectionIds) assert.equal(counted.connection(id)?.trace, undefined);
  assert.ok(counted.stats().packetsSent > 400, "and yet everything was counted");
  assert.equal(clockReads, 1);
});

test("bytes are counted alike at both ends, with the name that a movable session's packets carry", () => {
  for (const migration of [true, false]) {
    const world = new NetworkWorld({ endpoint: { extensions: { migration } } });
    const { client, id } = world.join();
    world.run(200); // what is under way arrives
    let told = 0;
    world.server.registerEventListener({ onPacketReceived: (_packet, bytes) => (told += bytes) });
    const before = { ...world.server.connectionStats(id)! };
    const { bytesSent, bytesReceived } = client.connection.stats;
    world.run(1_000, (tick) => {
      if (tick > 90) return;
      client.send("unreliableUnordered", new Uint8Array(tick));
      world.server.send(id, new Uint8Array(2 * tick), "reliableOrdered");
    });
    const after = world.server.connectionStats(id)!;
    assert.ok(after.packetsReceived - before.packetsReceived > 90);
    assert.equal(after.bytesReceived - before.bytesReceived, client.connection.stats.bytesSent - bytesSent);
    assert.equal(client.connection.stats.bytesReceived - bytesReceived, after.bytesSent - before.bytesSent);
    assert.equal(told, after.bytesReceived - before.bytesReceived);
  }
});

test("packets that probe a path are counted like all others", () => {
  const world = new NetworkWorld();
  const { client, id } = world.join();
  const told = { sent: 0, bytesSent: 0, received: 0, bytesReceived: 0 };
  const before = world.server.connectionStats(id)!;
  world.server.registerEventListener({
    onPacketSent: (_packet, bytes) => {
      told.sent++;
      told.bytesSent += bytes;
    },
    onPacketReceived: (_packet, bytes) => {
      told.received++;
      told.bytesReceived += bytes;
    },
  });
  const socket = world.network.addSocket(client.host);
  client.endpoint.migrate(client.host.pathBy(socket, world.host), world.network.now);
  world.network.runUntil(() => world.server.connectionStats(id)?.migrations === 1, "migrates");
  world.run(200);
  const after = world.server.connectionStats(id)!;
  assert.ok(world.endpoint.migrations.challengesSent > 0);
  assert.deepEqual(told, {
    sent: after.packetsSent - before.packetsSent,
    bytesSent: after.bytesSent - before.bytesSent,
    received: after.packetsReceived - before.packetsReceived,
    bytesReceived: after.bytesReceived - before.bytesReceived,
  });
});

function counting(observer: ConnectionObserver, count: () => void): ConnectionObserver {
  const counter: Record<string, (connection: Connection) => void> = {};
  const names = ["admitted", "connected", "interrupted", "migrated", "drained", "closing", "disconnected"] as const;
  for (const name of names) {
    counter[name] = (connection) => {
      count();
      (observer[name] as ((connection: Connection) => void) | undefined)?.call(observer, connection);
    };
  }
  return counter;
}
