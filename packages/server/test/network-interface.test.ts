/** AdvancedNetworkInterface: ids, statuses, listeners, messages, and what may be changed while it runs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { NewRenoCongestionControl } from "@riposte/protocol/congestion";
import type { CongestionControlName } from "@riposte/protocol/congestion";
import type { NetworkPacket } from "../src/index.ts";
import { NetworkWorld, StatusRecorder } from "./network-world.ts";

const HELLO = Uint8Array.of(1, 2, 3);

function fail(): never {
  throw new Error("no");
}

test("a connection has one id for its life, and statuses tell how it goes", () => {
  const world = new NetworkWorld();
  const listener = new StatusRecorder();
  world.server.registerEventListener(listener);
  const first = world.join();
  const second = world.join();
  assert.deepEqual([first.id, second.id], [1, 2]);
  assert.deepEqual(world.server.connectionIds, [1, 2]);
  assert.deepEqual(listener.of(1), ["connecting", "connected"]);
  const connection = world.server.connection(1);
  assert.ok(connection !== undefined);
  assert.equal(world.server.idOf(connection), 1);
  assert.equal(world.server.addressOf(1), first.client.host.address);
  assert.equal(world.server.disconnect(1, 5, "enough"), true);
  world.run(500);
  assert.deepEqual(listener.of(1), ["connecting", "connected", "closing", "disconnected"]);
  const end = first.client.events.at(-1);
  assert.ok(end?.type === "disconnected" && end.error?.code === "closedByPeer" && end.error.closeCode === 5);
  // It is over: calls say so and do nothing.
  assert.equal(world.server.status(1), "disconnected");
  assert.equal(world.server.send(1, HELLO, "reliableOrdered"), "closed");
  assert.equal(world.server.disconnect(1), false);
  assert.equal(world.server.connection(1), undefined);
  assert.equal(world.server.idOf(connection), undefined);
  assert.deepEqual(world.server.connectionIds, [2]);
  assert.equal(world.join().id, 3, "an id is never given out again");
  for (const id of [0, 4, -1, 1.5, NaN]) assert.throws(() => world.server.status(id), /no connection had the id/);
  assert.deepEqual(listener.networkErrors, []);
});

test("an interface over a server that runs already knows who is there", async () => {
  const { AdvancedNetworkInterface } = await import("../src/index.ts");
  const world = new NetworkWorld();
  const { id } = world.join();
  world.endpoint.handlePathClosed(world.endpoint.pathOf(world.server.connection(id)!), world.network.now);
  world.run(10);
  const late = new AdvancedNetworkInterface(world.transport, { now: () => world.network.now });
  assert.deepEqual(late.connectionIds, [1]);
  assert.equal(late.status(1), "interrupted", "as it is now");
  assert.equal(late.stats().successfulConnections, 1);
  assert.equal(late.stats().failedConnections, 0);
  late[Symbol.dispose]();
  world.join();
  assert.deepEqual(late.connectionIds, [1], "it listens no longer");
});

test("a path that is gone, and another one: interrupted, then migrated and connected again", () => {
  const world = new NetworkWorld();
  const listener = new StatusRecorder();
  world.server.registerEventListener(listener);
  const { client, id } = world.join();
  world.run(500);
  const before = world.endpoint.pathOf(world.server.connection(id)!);
  world.endpoint.handlePathClosed(before, world.network.now);
  world.run(10);
  assert.equal(world.server.status(id), "interrupted");
  assert.equal(world.server.addressOf(id), "");
  const socket = world.network.addSocket(client.host);
  client.endpoint.migrate(client.host.pathBy(socket, world.host), world.network.now);
  world.network.runUntil(() => listener.of(id).includes("migrated"), "migrates");
  assert.equal(world.server.status(id), "connected");
  assert.deepEqual(listener.of(id), ["connecting", "connected", "interrupted", "migrated"]);
  world.server.send(id, HELLO, "reliableOrdered");
  world.run(500);
  assert.deepEqual(client.heard.at(-1)?.bytes, HELLO);
  assert.equal(world.server.connectionStats(id)?.migrations, 1);
});

test("errors are told: a timeout, and a client of another game", () => {
  const world = new NetworkWorld();
  const listener = new StatusRecorder();
  world.server.registerEventListener(listener);
  const { client, id } = world.join({ timeoutSeconds: 2 });
  client.host.run(undefined);
  world.network.runFor(4_000);
  assert.deepEqual(listener.of(id).at(-1), "disconnected");
  assert.match(listener.networkErrors[0][1], /^timedOut: nothing came from the client/);
  world.dial({ schemaHash: Uint8Array.of(9, 9, 9, 9, 9, 9, 9, 9) });
  world.network.runFor(1_000);
  assert.deepEqual(listener.of(2), ["connecting", "closing", "disconnected"]);
  assert.match(listener.networkErrors[1][1], /^schemaMismatch: /);
  // Who leaves in good order is no error.
  const leaving = world.join();
  leaving.client.close();
  world.network.runFor(1_000);
  assert.deepEqual(listener.of(leaving.id).at(-1), "disconnected");
  assert.equal(listener.networkErrors.length, 2);
});

test("a listener that throws, or rejects, is reported, and neither the connection nor others suffer", async () => {
  const world = new NetworkWorld();
  world.server.registerEventListener({
    onPacketSent: fail,
    onPacketReceived: () => Promise.reject(new Error("later")),
    onConnectionStatusChanged: fail,
    onNetworkError: fail,
  });
  const listener = new StatusRecorder();
  world.server.registerEventListener(listener);
  const { client, id } = world.join();
  world.server.send(id, HELLO, "reliableOrdered");
  world.run(300);
  assert.deepEqual(client.heard.at(-1)?.bytes, HELLO);
  assert.deepEqual(listener.of(id), ["connecting", "connected"]);
  await new Promise((resolve) => setImmediate(resolve));
  const places = world.errors.map(({ during }) => during);
  assert.deepEqual(
    new Set(places),
    new Set([
      "network listener's onPacketSent",
      "network listener's onPacketReceived",
      "network listener's onConnectionStatusChanged",
    ]),
  );
  assert.equal(places.length, 3, "each place once a second, not once a packet");
  world.run(2_000, () => world.server.send(id, HELLO, "unreliableUnordered"));
  const again = world.errors.filter(({ during }) => during.endsWith("onPacketSent"));
  assert.ok(again.length >= 2 && again.length <= 4);
  assert.ok(again[1].repeated > 50, `${again[1].repeated} left out`);
});

test("packets are traced while a listener wants them, and not else", () => {
  const world = new NetworkWorld();
  const first = world.join();
  const connection = world.server.connection(first.id)!;
  const sent: number[] = [];
  const received: number[] = [];
  let bytes = 0;
  world.server.registerEventListener(new StatusRecorder());
  assert.equal(connection.trace, undefined, "statuses need no trace");
  const listener = {
    onPacketSent: (packet: NetworkPacket, bytesSent: number) => {
      if (packet.connectionId !== first.id) return;
      sent.push(packet.packetNumber);
      bytes += bytesSent;
    },
    onPacketReceived: ({ packetNumber, connectionId, length, at }: NetworkPacket, bytesReceived: number) => {
      if (connectionId !== first.id) return;
      received.push(packetNumber);
      assert.ok(bytesReceived > length && at <= world.network.now);
    },
  };
  world.server.registerEventListener(listener);
  world.server.registerEventListener(listener);
  const before = world.server.connectionStats(first.id)!;
  const later = world.join(); // comes while packets are listened to
  assert.notEqual(world.server.connection(later.id)!.trace, undefined);
  world.run(300, () => {
    world.server.send(first.id, HELLO, "unreliableUnordered");
    first.client.send("unreliableUnordered", HELLO);
  });
  const after = world.server.connectionStats(first.id)!;
  assert.equal(sent.length, after.packetsSent - before.packetsSent, "each packet once, registered twice or not");
  assert.equal(bytes, after.bytesSent - before.bytesSent);
  assert.equal(received.length, after.packetsReceived - before.packetsReceived);
  assert.equal(world.server.unregisterEventListener(listener), true);
  assert.equal(world.server.unregisterEventListener(listener), false);
  assert.equal(connection.trace, undefined);
  assert.equal(world.server.connection(later.id)!.trace, undefined);
});

test("an interface that is disposed of takes its traces along, and leaves those of others", async () => {
  const world = new NetworkWorld({ endpoint: { limits: { reliableSendBytes: 100_000 } } });
  const [first, second] = [world.join(), world.join()].map(({ id }) => world.server.connection(id)!);
  const { AdvancedNetworkInterface } = await import("../src/index.ts");
  const other = new AdvancedNetworkInterface(world.transport, { now: () => world.network.now });
  for (let i = 0; i < 2; i++) other.send(1, new Uint8Array(60_000), "reliableOrdered");
  const waiting = other.drained(1);
  other.registerEventListener({ onPacketSent: () => undefined });
  assert.notEqual(first.trace, undefined);
  const own = { packetSent: () => undefined, packetReceived: () => undefined, packetLost: () => undefined };
  second.trace = own;
  other[Symbol.dispose]();
  assert.equal(first.trace, undefined);
  assert.equal(second.trace, own);
  await assert.rejects(waiting, { code: "aborted" });
});

test("broadcast and multicast encode a message once, however many receive it", () => {
  const world = new NetworkWorld();
  const joined = [world.join(), world.join(), world.join()];
  let encoded = 0;
  const message = (): Uint8Array => {
    encoded++;
    return HELLO;
  };
  assert.deepEqual(world.server.broadcast(message, "reliableOrdered"), { queued: 3, full: [], closed: 0 });
  assert.equal(encoded, 1);
  const except = joined[1].id;
  assert.equal(world.server.broadcast(message, "reliableOrdered", { except }).queued, 2);
  world.run(200);
  assert.deepEqual(
    joined.map(({ client }) => client.heard.length),
    [2, 1, 2],
  );
  world.server.disconnect(joined[0].id);
  world.run(500);
  const ids = joined.map(({ id }) => id);
  encoded = 0;
  assert.deepEqual(world.server.multicast(ids, message, "reliableOrdered", { stream: 3 }), {
    queued: 2,
    full: [],
    closed: 1,
  });
  assert.equal(encoded, 1);
  world.run(200);
  assert.deepEqual(joined[1].client.heard.at(-1), { channel: "reliableOrdered", bytes: HELLO, stream: 3 });
  assert.deepEqual(world.server.multicast([joined[0].id], message, "reliableOrdered"), {
    queued: 0,
    full: [],
    closed: 1,
  });
  assert.equal(encoded, 1, "nobody to receive it: not encoded at all");
  assert.throws(() => world.server.multicast([99], HELLO, "reliableOrdered"), RangeError);
});

test("after `full`, drained resolves when there is room again, and rejects when the connection ends", async () => {
  const world = new NetworkWorld({
    endpoint: { limits: { reliableSendBytes: 100_000 } },
  });
  const { id } = world.join();
  const message = new Uint8Array(30_000);
  await world.server.drained(id); // nothing was refused: at once
  while (world.server.send(id, message, "reliableOrdered") !== "full");
  let drained = false;
  const waiting = world.server.drained(id).then(() => (drained = true));
  await Promise.resolve();
  assert.equal(drained, false);
  world.run(3_000);
  await waiting;
  const queued = world.server.connectionStats(id)!.reliableQueuedBytes;
  assert.ok(queued <= 50_000, `${queued} bytes`);
  assert.equal(world.server.send(id, message, "reliableOrdered"), "queued");
  assert.deepEqual(world.server.broadcast(message, "reliableOrdered").full, []);
  while (world.server.send(id, message, "reliableOrdered") !== "full");
  assert.deepEqual(world.server.broadcast(message, "reliableOrdered"), { queued: 0, full: [id], closed: 0 });
  const failing = world.server.drained(id);
  world.server.disconnect(id);
  world.run(500);
  await assert.rejects(failing, { name: "NetworkError" });
  await assert.rejects(world.server.drained(id), { name: "NetworkError" });
});

test("finish delivers what was accepted", () => {
  const world = new NetworkWorld();
  const { client, id } = world.join();
  world.server.send(id, new Uint8Array(60_000), "reliableOrdered");
  assert.equal(world.server.finish(id, 3, "done"), true);
  assert.equal(world.server.status(id), "connected", "events come with the next wake-up");
  world.run(20);
  assert.equal(world.server.status(id), "closing");
  assert.equal(world.server.send(id, HELLO, "reliableOrdered"), "closed");
  world.run(2_000);
  assert.equal(client.heard.at(-1)?.bytes.length, 60_000);
  const end = client.events.at(-1);
  assert.ok(end?.type === "disconnected" && end.error?.closeCode === 3);
  assert.equal(world.server.finish(id), false);
});

test("congestion control is changed on an open connection, by name or by one's own", () => {
  const world = new NetworkWorld();
  const { client, id } = world.join();
  assert.equal(world.server.connectionStats(id)?.congestionControl, "newReno");
  for (const name of ["bbr", "cubic", "newReno"] as const) {
    assert.equal(world.server.setCongestionControl(id, name), true);
    world.server.send(id, new Uint8Array(50_000), "reliableOrdered");
    world.run(1_000);
    assert.equal(world.server.connectionStats(id)?.congestionControl, name);
    assert.equal(client.heard.at(-1)?.bytes.length, 50_000);
    client.heard.length = 0;
  }
  world.server.setCongestionControl(id, () => new NewRenoCongestionControl({ initialWindowBytes: 4_800 }));
  assert.equal(world.server.connectionStats(id)?.congestionWindowBytes, 4_800);
  assert.throws(() => world.server.setCongestionControl(id, "vegas" as CongestionControlName), RangeError);
  world.server.disconnect(id);
  world.run(500);
  assert.equal(world.server.setCongestionControl(id, "bbr"), false);
});

test("quality of service is changed for the server or one connection, and a lifted limit counts at once", () => {
  const world = new NetworkWorld();
  const [one, other] = [world.join(), world.join()];
  assert.equal(world.server.setQos("reliableOrdered", { rateBytesPerSec: 100, burstBytes: 100 }), true);
  for (const { id } of [one, other]) world.server.send(id, new Uint8Array(5_000), "reliableOrdered");
  world.run(1_000);
  assert.deepEqual([one.client.heard.length, other.client.heard.length], [0, 0]);
  assert.equal(world.server.setQos("reliableOrdered", { rateBytesPerSec: Infinity }, one.id), true);
  world.run(200);
  assert.deepEqual([one.client.heard.length, other.client.heard.length], [1, 0], "one connection alone");
  world.server.qos.clear("reliableOrdered");
  world.run(200);
  assert.equal(other.client.heard.length, 1, "and then all");
  world.server.qosOf(one.id)?.setChannelPriority("unreliableOrdered", 7);
  assert.equal(world.server.qosOf(one.id)?.of("unreliableOrdered").priority, 7);
  assert.equal(world.server.qosOf(other.id)?.of("unreliableOrdered").priority, 1);
  world.server.disconnect(one.id);
  world.run(500);
  assert.equal(world.server.qosOf(one.id), undefined);
  assert.equal(world.server.setQos("reliableOrdered", { priority: 1 }, one.id), false);
});

test("conditions are simulated for all or for one, and refused where simulation is off", () => {
  const world = new NetworkWorld();
  const { id } = world.join();
  assert.equal(world.server.simulateNetworkConditions({ lossRate: 0.1 }), true);
  assert.equal(world.server.simulateNetworkConditions({ latencyMs: 5 }, id), true);
  assert.equal(world.server.simulateNetworkConditions(undefined, id), true);
  assert.deepEqual(world.simulated, [
    { conditions: { lossRate: 0.1 }, connection: undefined },
    { conditions: { latencyMs: 5 }, connection: world.server.connection(id) },
    { conditions: undefined, connection: world.server.connection(id) },
  ]);
  world.server.disconnect(id);
  world.run(500);
  assert.equal(world.server.simulateNetworkConditions({ latencyMs: 5 }, id), false);

  const production = new NetworkWorld({ canSimulate: false });
  const there = production.join();
  assert.equal(production.server.canSimulate, false);
  assert.throws(() => production.server.simulateNetworkConditions({ lossRate: 0.1 }), TypeError);
  assert.throws(() => production.server.simulateNetworkConditions({ lossRate: 0.1 }, there.id), TypeError);
  production.server.disconnect(there.id);
  production.run(500);
  assert.throws(() => production.server.simulateNetworkConditions({}, there.id), TypeError, "ended or not");
  assert.deepEqual(production.simulated, []);
});

test("unfinished fragmented messages are shown and cleared, of all connections or one", () => {
  const world = new NetworkWorld();
  const [one, other] = [world.join(), world.join()];
  // The last pieces never come.
  const cut = (client: typeof one.client, bytes: number): void => {
    client.send("unreliableUnordered", new Uint8Array(bytes));
    world.network.simulate({ lossRate: 1 }, { from: client.host.id });
  };
  for (const { client } of [one, other]) {
    world.network.simulate(
      { latencyMs: 20, bandwidthBytesPerSec: 100_000, queueBytes: 6_000 },
      { from: client.host.id },
    );
  }
  cut(one.client, 40_000);
  cut(other.client, 20_000);
  world.network.runFor(100);
  const report = world.server.inspectReassembly();
  assert.deepEqual(new Set(report.connections.map(({ connectionId }) => connectionId)), new Set([one.id, other.id]));
  assert.equal(
    report.usedBytes,
    report.connections.reduce((sum, { usedBytes }) => sum + usedBytes, 0),
  );
  assert.equal(report.limitBytes, 64 * 1024 * 1024);
  const [pending] = world.server.inspectReassembly(one.id).connections[0].pending;
  assert.ok(pending.fragments > 0 && pending.fragments < pending.totalFragments, JSON.stringify(pending));
  assert.ok(pending.totalFragments > 30 && pending.heldBytes >= pending.bytes);
  assert.equal(world.server.stats().reassemblyBytes, report.usedBytes);
  assert.equal(world.server.clearReassembly(one.id), 1);
  assert.deepEqual(world.server.inspectReassembly(one.id).connections, []);
  assert.equal(world.server.inspectReassembly().connections.length, 1);
  assert.equal(world.server.clearReassembly(), 1);
  assert.equal(world.server.inspectReassembly().usedBytes, 0);
});
