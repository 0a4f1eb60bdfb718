import assert from "node:assert/strict";
import { test } from "node:test";
import { ClientEndpoint, ServerEndpoint } from "@riposte/protocol/endpoint";
import { generateConnectToken } from "@riposte/protocol/netcode";
import type { Connection } from "@riposte/protocol/channel";
import { Recorder, SimulatedNetwork } from "../src/index.ts";
import type { SimulatedHost } from "../src/index.ts";

const SCHEMA = new Uint8Array(8);

/** A server and `count` clients that send numbered messages for two seconds on a bad link. */
function play(seed: number, count: number) {
  const network = new SimulatedNetwork({
    seed,
    conditions: { latencyMs: 40, jitterMs: 20, lossRate: 0.05, duplicateRate: 0.02, reorderRate: 0.02 },
  });
  const { crypto } = network;
  const privateKey = crypto.randomBytes(32);
  const serverHost = network.addHost();
  const heard = new Recorder();
  const server = new ServerEndpoint({
    protocolId: 1n,
    privateKey,
    maxClients: count,
    publicAddresses: [serverHost.address],
    schemaHash: SCHEMA,
    crypto,
    keys: serverHost.keys,
    driver: serverHost.driver,
    sink: heard,
    now: network.now,
    unixSeconds: network.clock.unixSeconds,
  });
  let ended = 0;
  serverHost.onEvent = (event) => {
    if (event.type === "disconnected") ended += 1;
  };
  serverHost.run(server);
  const clients: { host: SimulatedHost; endpoint: ClientEndpoint; connection: Connection | undefined }[] = [];
  for (let i = 0; i < count; i += 1) {
    const host = network.addHost();
    const token = generateConnectToken({
      protocolId: 1n,
      clientId: BigInt(i),
      privateKey,
      serverAddresses: [serverHost.address],
      nowSeconds: network.clock.unixSeconds,
      crypto,
    });
    const endpoint = new ClientEndpoint({
      token,
      schemaHash: SCHEMA,
      crypto,
      keys: host.keys,
      driver: host.driver,
      serverPaths: [serverHost.id],
      sink: new Recorder(),
      now: network.now,
    });
    const client = { host, endpoint, connection: undefined as Connection | undefined };
    host.onEvent = (event) => {
      if (event.type === "connected") client.connection = event.connection;
    };
    host.run(endpoint);
    clients.push(client);
  }
  let tick = 0;
  network.clock.every(1000 / 60, () => {
    tick += 1;
    for (const { connection, host } of clients) {
      connection?.send("unreliableUnordered", Uint8Array.of(tick, connection.index));
      host.flush(network.now);
    }
  });
  network.runFor(2000);
  return { network, server, serverHost, clients, heard, ended: () => ended };
}

/** Everything that arrived, and what each host counted. */
function log(seed: number) {
  const { heard, network } = play(seed, 4);
  return [heard.messages.map(({ bytes }) => bytes.join()).join(" "), network.hosts.map((host) => host.stats)];
}

test("the same seed plays the same game to the byte, another seed another one", () => {
  const first = log(5);
  assert.deepEqual(log(5), first);
  assert.notDeepEqual(log(6), first);
});

test("when everybody has left, no key and no path is held", () => {
  const { network, server, serverHost, clients, ended } = play(7, 6);
  assert.equal(server.connections.size, 6);
  assert.ok(serverHost.keys.size >= 12);
  for (const { endpoint, host } of clients.slice(0, 3)) {
    endpoint.close(network.now);
    host.wake(network.now);
  }
  // The others fall silent.
  for (const { host } of clients.slice(3)) network.simulate({ lossRate: 1 }, { from: host.id });
  network.runUntil(() => ended() === 6, "everybody is gone");
  network.runFor(30_000);
  assert.equal(server.connections.size, 0);
  assert.equal(serverHost.keys.size, 0);
  assert.equal(serverHost.retained.size, 0);
  for (const { host, endpoint } of clients) {
    assert.ok(endpoint.finished);
    assert.equal(host.keys.size, 0);
    assert.equal(host.retained.size, 0);
  }
});

test("a condition that never holds is reported with the seed", () => {
  const network = new SimulatedNetwork({ seed: 31 });
  assert.throws(() => network.runUntil(() => false, "a wonder", 100), /a wonder: not within 100 ms .*seed 31/);
});
