/** 4,096 clients, as many as netcode allows, on one server endpoint: each gets in, is heard and answered; the next is denied. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { EndpointNetwork, bytesOf } from "./support/endpoint-network.ts";

const CLIENTS = 4096;
/** Admitted together. */
const WAVE = 512;

test("4,096 clients play on one server, and the next one is told that it is full", { timeout: 120_000 }, () => {
  const network = new EndpointNetwork({ maxClients: CLIENTS, maxPending: WAVE, handshakesPerSecond: 50_000 });
  while (network.peers.length < CLIENTS) {
    for (let i = 0; i < WAVE; i++) network.peer();
    network.run(120);
  }
  assert.equal(network.server.clientCount, CLIENTS);
  assert.equal(network.server.connections.size, CLIENTS);

  for (const peer of network.peers) peer.connection.send("unreliableUnordered", bytesOf(`from ${peer.path}`));
  for (const connection of network.server.connections)
    connection.send("reliableOrdered", bytesOf(`to ${connection.index}`));
  network.run(50);
  assert.deepEqual(new Set(network.sink.texts), new Set(network.peers.map(({ path }) => `from ${path}`)));
  for (const peer of network.peers) assert.equal(peer.sink.texts.length, 1);

  const late = network.peer();
  network.run(100);
  const event = late.lastEvent;
  assert.ok(event?.type === "rejected" && event.error.code === "denied", JSON.stringify(event));
  assert.equal(network.server.clientCount, CLIENTS);
});
