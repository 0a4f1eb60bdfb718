/** What a server's endpoint tells of a connection's life, and how it counts attempts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { EndpointNetwork, SCHEMA, bytesOf } from "./support/endpoint-network.ts";

function types(network: EndpointNetwork): string[] {
  return network.progress.map(({ type }) => type);
}

test("a connection is admitted, usable, closing and gone, in this order", () => {
  const network = new EndpointNetwork();
  network.connected();
  assert.deepEqual(types(network), ["admitted", "connected"]);
  const [accepted] = network.server.connections;
  accepted.close(7, "bye");
  network.run(500);
  assert.deepEqual(types(network), ["admitted", "connected", "closing", "disconnected"]);
  for (const event of network.progress) assert.equal(event.connection, accepted);
});

test("a graceful end is closing from `finish` on, told once", () => {
  const network = new EndpointNetwork();
  network.connected();
  const [accepted] = network.server.connections;
  accepted.send("reliableOrdered", bytesOf("the end"));
  network.pass = () => false;
  accepted.finish();
  network.run(300);
  assert.deepEqual(types(network), ["admitted", "connected", "closing"]);
  network.pass = () => true;
  network.run(1000);
  assert.deepEqual(types(network), ["admitted", "connected", "closing", "disconnected"]);
});

test("a connection that the peer ends, or that times out, is gone without having been closing", () => {
  const network = new EndpointNetwork();
  const leaving = network.connected();
  leaving.endpoint.close(network.now);
  network.run(500);
  assert.deepEqual(types(network).slice(-1), ["disconnected"]);
  network.connected();
  network.pass = () => false;
  network.run(8000);
  assert.equal(types(network).filter((type) => type === "disconnected").length, 2);
  assert.ok(!types(network).includes("closing"));
});

test("attempts are counted once each: seats taken, and clients turned away", () => {
  const network = new EndpointNetwork({ maxClients: 1 });
  network.connected();
  assert.equal(network.server.connectionAttempts, 1);
  // Turned away; it asks several times until the answer arrives.
  let lost = 0;
  network.pass = (toServer, path) => toServer || path !== 2 || ++lost > 3;
  network.peer();
  network.run(3000);
  assert.ok(network.server.drops.serverFull > 1);
  assert.equal(network.server.connectionAttempts, 2);
});

test("a client of another game is an attempt that was admitted and rejected", () => {
  const network = new EndpointNetwork();
  network.peer(network.token(), SCHEMA.toReversed());
  network.run(1000);
  assert.equal(network.server.connectionAttempts, 1);
  assert.deepEqual(types(network), ["admitted", "closing", "rejected"]);
});
