/** Sessions that go on when addresses change, and strangers who would like them to. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Connection, ConnectionSink } from "@riposte/protocol/channel";
import { ClientEndpoint, ServerEndpoint } from "@riposte/protocol/endpoint";
import type { EndpointEvent, EndpointExtensions } from "@riposte/protocol/endpoint";
import { generateConnectToken, writeUserData } from "@riposte/protocol/netcode";
import type { NetworkConditions } from "@riposte/protocol/simulator";
import { SimulatedNetwork } from "../src/index.ts";
import type { SimulatedHost } from "../src/index.ts";

const PROTOCOL_ID = 77n;
const PRIVATE_KEY = new Uint8Array(32).fill(3);
const SCHEMA = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

interface End {
  readonly host: SimulatedHost;
  readonly events: EndpointEvent[];
  readonly heard: number[];
}

interface WorldOptions {
  readonly seed?: number;
  readonly conditions?: NetworkConditions;
  readonly userData?: Uint8Array;
  readonly client?: EndpointExtensions;
  readonly server?: EndpointExtensions;
  readonly timeoutSeconds?: number;
}

/** A server and one client, with reliable messages flowing both ways, numbered. */
class World {
  readonly network: SimulatedNetwork;
  readonly server: End & { readonly endpoint: ServerEndpoint };
  readonly client: End & { readonly endpoint: ClientEndpoint };
  #sent = 0;

  constructor(options: WorldOptions = {}) {
    const network = new SimulatedNetwork({
      seed: options.seed ?? 1,
      conditions: options.conditions ?? { latencyMs: 25 },
    });
    this.network = network;
    const common = { crypto: network.crypto, schemaHash: SCHEMA, now: network.now };
    const serverHost = network.addHost();
    const serverHeard: number[] = [];
    const serverEndpoint = new ServerEndpoint({
      ...common,
      protocolId: PROTOCOL_ID,
      privateKey: PRIVATE_KEY,
      maxClients: 8,
      publicAddresses: [serverHost.address],
      keys: serverHost.keys,
      driver: serverHost.driver,
      sink: sinkOf(serverHeard),
      unixSeconds: network.clock.unixSeconds,
      ...(options.server !== undefined && { extensions: options.server }),
    });
    this.server = { host: serverHost, endpoint: serverEndpoint, events: record(serverHost), heard: serverHeard };
    serverHost.run(serverEndpoint);
    const host = network.addHost();
    const heard: number[] = [];
    const endpoint = new ClientEndpoint({
      ...common,
      token: generateConnectToken({
        protocolId: PROTOCOL_ID,
        clientId: 1n,
        privateKey: PRIVATE_KEY,
        serverAddresses: [serverHost.address],
        timeoutSeconds: options.timeoutSeconds ?? 10,
        userData: options.userData ?? writeUserData({}),
        nowSeconds: network.clock.unixSeconds,
        crypto: network.crypto,
      }),
      keys: host.keys,
      driver: host.driver,
      serverPaths: [serverHost.id],
      sink: sinkOf(heard),
      ...(options.client !== undefined && { extensions: options.client }),
    });
    this.client = { host, endpoint, events: record(host), heard };
    host.run(endpoint);
    network.runUntil(() => this.client.events.some(({ type }) => type === "connected"), "connects");
    network.runFor(500);
  }

  get connections(): readonly [Connection, Connection] {
    const connection = this.client.endpoint.connection;
    const [other] = this.server.endpoint.connections;
    assert.ok(connection !== undefined && other !== undefined);
    return [connection, other];
  }

  /** One numbered message each way every 10 ms. */
  talk(ms: number): void {
    for (let passed = 0; passed < ms; passed += 10) {
      for (const connection of this.connections) connection.send("reliableOrdered", numbered(this.#sent));
      this.#sent++;
      this.client.host.flush(this.network.now);
      this.server.host.flush(this.network.now);
      this.network.runFor(10);
    }
  }

  /** Every message came once and in order, both ways. */
  check(): void {
    const expected = Array.from({ length: this.#sent }, (_, i) => i);
    assert.deepEqual(this.server.heard, expected, "what the server heard");
    assert.deepEqual(this.client.heard, expected, "what the client heard");
  }

  count(end: End, type: EndpointEvent["type"]): number {
    return end.events.filter((event) => event.type === type).length;
  }
}

function sinkOf(heard: number[]): ConnectionSink {
  return {
    message: (_connection, _channel, buffer, offset) =>
      heard.push(new DataView(buffer.buffer, buffer.byteOffset).getUint32(offset)),
    raw: () => undefined,
  };
}

function numbered(id: number): Uint8Array {
  const bytes = new Uint8Array(40);
  new DataView(bytes.buffer).setUint32(0, id);
  return bytes;
}

function record(host: SimulatedHost): EndpointEvent[] {
  const events: EndpointEvent[] = [];
  host.onEvent = (event) => events.push(event);
  return events;
}

test("a NAT that rebinds without a word is noticed, and nothing is lost or doubled", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const world = new World({ seed, conditions: { latencyMs: 25, jitterMs: 10, lossRate: 0.05 } });
    world.talk(500);
    world.network.rebind(world.client.host);
    world.talk(1_000);
    world.network.rebind(world.client.host);
    world.talk(1_000);
    world.network.runFor(3_000);
    world.check();
    assert.equal(world.count(world.server, "migrated"), 2, `seed ${seed}`);
    assert.equal(world.count(world.server, "connected"), 1);
    assert.equal(world.count(world.server, "disconnected"), 0);
  }
});

test("after a rebinding the server is back within two round trips, and keeps what it knew of the path", () => {
  const world = new World({ conditions: { latencyMs: 40 } });
  world.talk(2_000);
  const [, connection] = world.connections;
  const { rttMs, congestionWindowBytes } = connection.stats;
  world.network.rebind(world.client.host);
  const startedAt = world.network.now;
  world.talk(200);
  assert.equal(world.count(world.server, "migrated"), 1);
  assert.ok(connection.stats.rttMs > 0.5 * rttMs, "the port changed, not the network");
  assert.ok(connection.stats.congestionWindowBytes >= congestionWindowBytes / 2);
  assert.ok(world.network.now - startedAt <= 210);
  world.network.runFor(2_000);
  world.check();
});

test("a client moves to another network by its own wish: asked, answered, then used, with fresh estimates", () => {
  const world = new World({ conditions: { latencyMs: 40 } });
  world.talk(1_000);
  const { client, network, server } = world;
  const path = client.host.pathBy(network.addSocket(client.host), server.host);
  assert.equal(client.endpoint.migrationState, "none");
  assert.equal(client.endpoint.migrate(path, network.now), true);
  assert.equal(client.endpoint.migrationState, "inProgress");
  world.talk(60);
  assert.equal(client.endpoint.path, server.host.id, "not before it is answered");
  world.talk(500);
  assert.equal(client.endpoint.path, path);
  assert.equal(client.endpoint.migrationState, "done");
  assert.equal(world.count(client, "migrated"), 1);
  assert.equal(world.count(server, "migrated"), 1);
  network.closeSocket(client.host, 0);
  world.talk(1_000);
  network.runFor(2_000);
  world.check();
  network.runFor(20_000);
  assert.equal(client.endpoint.migrationState, "none");
  assert.deepEqual([...client.host.retained.keys()], [path], "the old path is given back");
  assert.equal(server.host.retained.size, 1);
});

test("a wish for a path that leads nowhere fails, and the connection stays where it is", () => {
  const world = new World();
  const { client, network, server } = world;
  const socket = network.addSocket(client.host);
  const path = client.host.pathBy(socket, server.host);
  network.closeSocket(client.host, socket);
  client.endpoint.migrate(path, network.now);
  world.talk(6_000);
  assert.equal(world.count(client, "migrationFailed"), 1);
  assert.equal(client.endpoint.path, server.host.id);
  assert.equal(world.count(client, "migrated") + world.count(server, "migrated"), 0);
  network.runFor(1_000);
  world.check();
});

test("a carrier that breaks interrupts; on another one the session goes on, nothing lost or doubled", () => {
  for (let seed = 1; seed <= 10; seed++) {
    const world = new World({ seed, conditions: { latencyMs: 30, lossRate: 0.05 } });
    const { client, network, server } = world;
    world.talk(300);
    network.closeSocket(client.host, 0);
    client.host.closePath(server.host.id, network.now);
    const [serverPath] = server.host.retained.keys();
    server.host.closePath(serverPath, network.now);
    world.talk(400); // both go on talking to nobody
    assert.equal(world.connections[0].interrupted, true);
    assert.equal(world.connections[1].interrupted, true);
    assert.equal(world.count(client, "interrupted") + world.count(server, "interrupted"), 2);
    const path = client.host.pathBy(network.addSocket(client.host), server.host);
    assert.equal(client.endpoint.migrate(path, network.now), true);
    world.talk(1_000);
    assert.equal(world.connections[0].interrupted, false, `seed ${seed}`);
    network.runFor(3_000);
    world.check();
    assert.equal(world.count(server, "disconnected"), 0);
  }
});

test("an interrupted session ends at its timeout, or when either side closes it, and gives everything back", () => {
  for (const how of ["timeout", "server", "client"] as const) {
    const world = new World({ timeoutSeconds: 3 });
    const { client, network, server } = world;
    network.closeSocket(client.host, 0);
    client.host.closePath(server.host.id, network.now);
    const [serverPath] = server.host.retained.keys();
    server.host.closePath(serverPath, network.now);
    network.runFor(2_000);
    assert.equal(server.endpoint.clientCount, 1);
    if (how === "server") world.connections[1].close();
    if (how === "client") client.endpoint.close(network.now);
    network.runFor(how === "timeout" ? 1_500 : 50);
    if (how !== "client") assert.equal(world.count(server, "disconnected"), 1, how);
    if (how !== "server") assert.equal(world.count(client, "disconnected"), 1, how);
    network.runFor(5_000);
    assert.deepEqual([server.endpoint.clientCount, server.host.retained.size, client.host.retained.size], [0, 0, 0]);
    assert.deepEqual([server.host.keys.size, client.host.keys.size], [0, 0]);
  }
});

test("without permission of the token, or the wish of either side, a session stays bound to its address", () => {
  for (const options of [
    { userData: writeUserData({ allowMigration: false }) },
    { userData: new Uint8Array(256) },
    { client: { migration: false } },
    { server: { migration: false } },
  ]) {
    const world = new World({ ...options, timeoutSeconds: 2 });
    world.talk(100);
    world.network.rebind(world.client.host);
    world.network.runFor(3_000);
    assert.equal(world.count(world.server, "migrated"), 0);
    assert.equal(world.count(world.server, "disconnected"), 1);
    assert.equal(world.client.endpoint.migrate(5, world.network.now), false);
  }
});

test("a stranger who copies packets from another address moves nothing and is sent next to nothing", () => {
  const world = new World({ conditions: { latencyMs: 25 } });
  const { client, network, server } = world;
  const thief = network.addHost();
  // Faster than the client's own packets, which are replays when they come.
  network.simulate({ latencyMs: 20 }, { from: thief.id, to: server.host.id });
  const transmit = network.transmit.bind(network);
  let copied = 0;
  network.transmit = (from, to, buffer, offset, length) => {
    transmit(from, to, buffer, offset, length);
    if (from !== client.host.id || to !== server.host.id) return;
    copied += length;
    transmit(thief.id, to, buffer, offset, length);
  };
  world.talk(5_000);
  network.runFor(1_000);
  world.check();
  assert.equal(world.count(server, "migrated"), 0);
  assert.ok(
    thief.stats.bytesReceived < 3 * copied && thief.stats.packetsReceived < 60,
    `${thief.stats.packetsReceived}`,
  );
  assert.ok(server.endpoint.migrations.challengesSent > 0);
});

test("packets of a named session that nobody sealed are dropped, and cost few decryptions", () => {
  const world = new World();
  const { client, network, server } = world;
  const stranger = network.addHost();
  const id = client.endpoint.connection?.negotiated.sessionId ?? 0;
  assert.ok(id > 0);
  let opened = 0;
  const open = server.host.keys.open.bind(server.host.keys);
  server.host.keys.open = (packet) => {
    if (packet.path === stranger.id) opened++;
    open(packet);
  };
  for (let i = 0; i < 2_000; i++) {
    const forged = network.random.bytes(60);
    forged[0] = 7 | (2 << 4);
    new DataView(forged.buffer).setUint32(1, id, true);
    network.transmit(stranger.id, server.host.id, forged, 0, forged.length);
    if (i % 20 === 0) network.runFor(10);
  }
  world.talk(1_000);
  network.runFor(1_000);
  world.check();
  assert.equal(stranger.stats.packetsReceived, 0, "no answer");
  assert.ok(opened <= 3 * 32, `${opened} decryptions in three seconds`);
  const { drops } = server.endpoint;
  assert.ok(drops.rateLimited > 1_800, `${drops.rateLimited}`);
  assert.equal(drops.total, 2_000, "each counted once");
});

test("the server sends a new address no more than three times what came from it", () => {
  const world = new World({ conditions: { latencyMs: 25 } });
  const { client, network, server } = world;
  world.talk(200);
  const [, connection] = world.connections;
  // The client falls silent behind a single packet from its new address, and never hears the challenge.
  const before = client.host.sockets[0];
  network.rebind(client.host);
  const after = client.host.sockets[0];
  let received = 0;
  let sent = 0;
  const transmit = network.transmit.bind(network);
  network.transmit = (from, to, buffer, offset, length) => {
    if (from === after) {
      if (received > 0) return;
      received += length;
    }
    if (to === after) {
      sent += length;
      return;
    }
    if (from !== before) transmit(from, to, buffer, offset, length);
  };
  client.endpoint.connection?.send("unreliableUnordered", numbered(0));
  client.host.flush(network.now);
  for (let i = 0; i < 500; i++) {
    connection.send("unreliableUnordered", new Uint8Array(1_000));
    server.host.flush(network.now);
    network.runFor(10);
  }
  assert.ok(received > 0 && sent > 0 && sent <= 3 * received, `${sent} bytes for ${received}`);
});

test("a client that hops from address to address is followed at a bounded rate", () => {
  const world = new World({ conditions: { latencyMs: 5 } });
  for (let i = 0; i < 60; i++) {
    world.network.rebind(world.client.host);
    world.talk(100);
  }
  assert.ok(world.count(world.server, "migrated") < 20);
  assert.ok(world.server.endpoint.migrations.rateLimited > 0);
  world.network.runFor(6_000);
  world.talk(3_000);
  world.network.runFor(5_000);
  world.check();
});
