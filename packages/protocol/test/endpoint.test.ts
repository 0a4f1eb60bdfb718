/** Endpoints: admission, hello and channels together, as a driver sees them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { NetworkError } from "../src/network-error.ts";
import { EndpointNetwork, SCHEMA, bytesOf } from "./support/endpoint-network.ts";
import type { Peer } from "./support/endpoint-network.ts";

const CHANNELS = ["reliableOrdered", "unreliableOrdered", "unreliableUnordered"] as const;

function errorOf(peer: Peer): { type: string | undefined; code: string | undefined } {
  const event = peer.lastEvent;
  const error = event !== undefined && "error" in event ? event.error : undefined;
  return { type: event?.type, code: error?.code };
}

test("both sides announce a connection once it is usable, and messages flow on every channel", () => {
  const network = new EndpointNetwork();
  const peer = network.connected(network.token({ clientId: 77n }));
  const [accepted] = network.server.connections;
  assert.deepEqual(network.events, [{ type: "connected", connection: accepted }]);
  assert.deepEqual([accepted.clientId, accepted.index, accepted.state], [77n, 0, "open"]);
  assert.equal(accepted.userData.length, 256);
  for (const channel of CHANNELS) {
    assert.equal(peer.connection.send(channel, bytesOf(`up ${channel}`)), "queued");
    assert.equal(accepted.send(channel, bytesOf(`down ${channel}`)), "queued");
  }
  network.run(100);
  assert.deepEqual(network.sink.texts.toSorted(), CHANNELS.map((channel) => `up ${channel}`).toSorted());
  assert.deepEqual(peer.sink.texts.toSorted(), CHANNELS.map((channel) => `down ${channel}`).toSorted());
  for (const { channel, text, connection } of network.sink.messages) {
    assert.equal(text, `up ${channel}`);
    assert.equal(connection, accepted);
  }
  assert.equal(network.server.drops.total, 0);
});

test("a message sent between wake-ups goes out with the next poll", () => {
  const network = new EndpointNetwork();
  const peer = network.connected();
  network.run(500);
  const [accepted] = network.server.connections;
  accepted.send("unreliableUnordered", bytesOf("now"));
  const before = network.serverPackets;
  network.step();
  assert.deepEqual(peer.sink.texts, ["now"]);
  assert.ok(network.serverPackets > before);
});

test("an idle server has nothing to send but keep-alives and acknowledgements, and says when", () => {
  const network = new EndpointNetwork();
  for (let i = 0; i < 8; i++) network.connected();
  network.run(2000);
  const before = network.serverPackets;
  network.run(1000);
  const rate = (network.serverPackets - before) / 8;
  assert.ok(rate >= 8 && rate <= 14, `${rate} packets a second for each idle client`);
  network.step();
  assert.ok(network.server.nextTimeout() > network.now - 1 && network.server.nextTimeout() <= network.now + 100);
});

test("the schema must match: both sides are told so", () => {
  const network = new EndpointNetwork();
  const peer = network.peer(
    network.token(),
    SCHEMA.map((byte) => byte + 1),
  );
  network.run(1000);
  assert.deepEqual(errorOf(peer), { type: "rejected", code: "schemaMismatch" });
  assert.equal(network.events.length, 1);
  const [event] = network.events;
  assert.ok(event.type === "rejected" && event.error.code === "schemaMismatch");
  assert.equal(network.server.clientCount, 0, "the seat is free again");
  assert.equal(network.driver.retained.size, 0);
  assert.equal(network.keys.size, 0);
  assert.equal(peer.keys.size, 0);
  assert.equal(peer.driver.retained.size, 0);
});

test("a plain netcode peer exchanges raw payloads", () => {
  const network = new EndpointNetwork();
  const peer = network.plainPeer();
  network.run(200);
  assert.equal(peer.connection.state, "raw");
  assert.equal(peer.connection.sendRaw(bytesOf("plain")), "queued");
  network.run(50);
  const [accepted] = network.server.connections;
  assert.equal(accepted.state, "raw");
  assert.deepEqual(
    network.sink.messages.map(({ channel, text }) => [channel, text]),
    [["raw", "plain"]],
  );
  accepted.sendRaw(bytesOf("back"));
  network.run(50);
  assert.deepEqual(peer.sink.texts, ["back"]);
});

test("a server without a schema is a plain netcode server", () => {
  const network = new EndpointNetwork({ schemaHash: undefined });
  const peer = network.plainPeer();
  network.run(200);
  assert.deepEqual(
    network.events.map(({ type }) => type),
    ["connected"],
  );
  const [accepted] = network.server.connections;
  accepted.sendRaw(bytesOf("first word"));
  network.run(50);
  assert.deepEqual(peer.sink.texts, ["first word"]);
});

test("closing by the client: the server hears the code, the seat is free, nothing is kept", () => {
  const network = new EndpointNetwork();
  const peer = network.connected();
  peer.endpoint.close(network.now, 42, "bye");
  network.run(50);
  const event = network.events.at(-1);
  assert.ok(event?.type === "disconnected" && event.error?.code === "closedByPeer");
  assert.equal(event.error.closeCode, 42);
  assert.deepEqual(errorOf(peer), { type: "disconnected", code: undefined });
  assert.equal(peer.endpoint.finished, true);
  assert.equal(network.server.clientCount, 0);
  assert.equal([...network.server.connections].length, 0);
  network.run(20);
  assert.deepEqual([network.keys.size, peer.keys.size], [0, 0]);
  assert.deepEqual([network.driver.retained.size, peer.driver.retained.size], [0, 0]);
});

test("the server sends one client away with a code, another with a reason of ours", () => {
  const network = new EndpointNetwork();
  const peers = [network.connected(), network.connected(), network.connected()];
  const [first, second] = network.server.connections;
  network.server.disconnect(first, 7, "round over");
  second.fail(new NetworkError("kicked", "cheating"));
  network.run(50);
  assert.deepEqual(peers.map(errorOf), [
    { type: "disconnected", code: "closedByPeer" },
    { type: "disconnected", code: "kicked" },
    { type: "connected", code: undefined },
  ]);
  assert.equal(peers[0].connection.closeError?.closeCode, 7);
  assert.equal(network.server.clientCount, 1);
  assert.equal(first.send("reliableOrdered", bytesOf("x")), "closed");
});

test("closing the server tells everybody", () => {
  const network = new EndpointNetwork();
  const peers = [network.connected(), network.connected()];
  network.server.close(network.now);
  network.run(50);
  for (const peer of peers) assert.deepEqual(errorOf(peer), { type: "disconnected", code: "closedByPeer" });
  assert.equal(network.events.filter(({ type }) => type === "disconnected").length, 2);
  assert.equal(network.keys.size, 0);
});

test("a newer token displaces: the older client learns why, the newer has a fresh connection", () => {
  const network = new EndpointNetwork({ maxClients: 1 });
  const older = network.connected(network.token({ clientId: 5n }));
  network.run(1500);
  const newer = network.connected(network.token({ clientId: 5n }));
  assert.deepEqual(errorOf(older), { type: "disconnected", code: "displaced" });
  assert.deepEqual(
    network.events.map(({ type }) => type),
    ["connected", "disconnected", "connected"],
  );
  const [, gone] = network.events;
  assert.ok(gone.type === "disconnected" && gone.error?.code === "displaced");
  newer.connection.send("reliableOrdered", bytesOf("mine"));
  network.run(50);
  const [accepted] = network.server.connections;
  assert.deepEqual(
    network.sink.messages.map(({ connection, text }) => [connection === accepted, text]),
    [[true, "mine"]],
  );
});

test("silence ends both sides with timedOut", () => {
  const network = new EndpointNetwork();
  const peer = network.connected();
  network.pass = () => false;
  network.run(5300);
  assert.deepEqual(errorOf(peer), { type: "disconnected", code: "timedOut" });
  const event = network.events.at(-1);
  assert.ok(event?.type === "disconnected" && event.error?.code === "timedOut");
});

test("what ends an attempt has its own code", () => {
  const network = new EndpointNetwork({ maxClients: 1 });
  network.connected();
  const denied = network.peer();
  network.run(200);
  assert.deepEqual(errorOf(denied), { type: "rejected", code: "denied" });
  network.pass = () => false;
  const expired = network.peer(network.token({ expireSeconds: 1 }));
  const unheard = network.peer();
  const invalid = network.peer(new Uint8Array(2048));
  const aborted = network.peer();
  network.step();
  aborted.endpoint.close(network.now);
  network.run(5200);
  assert.deepEqual(errorOf(expired), { type: "rejected", code: "tokenExpired" });
  assert.deepEqual(errorOf(unheard), { type: "rejected", code: "timedOut" });
  assert.deepEqual(errorOf(invalid), { type: "rejected", code: "invalidToken" });
  assert.deepEqual(errorOf(aborted), { type: "rejected", code: "aborted" });
  for (const { keys, driver } of [denied, expired, unheard, invalid, aborted]) {
    assert.equal(keys.size, 0);
    assert.equal(driver.retained.size, 0);
  }
});

test("a path that takes nothing is left alone, and its messages go when it opens again", () => {
  const network = new EndpointNetwork();
  const slow = network.connected();
  const other = network.connected();
  network.driver.blocked.add(slow.path);
  for (const connection of network.server.connections) connection.send("reliableOrdered", bytesOf("m"));
  network.step();
  assert.ok(network.server.nextTimeout() <= network.now + 5, "it is tried again soon");
  network.run(100);
  assert.deepEqual([slow.sink.texts, other.sink.texts], [[], ["m"]]);
  network.driver.blocked.clear();
  network.run(30);
  assert.deepEqual(slow.sink.texts, ["m"]);
});

test("a closed carrier ends the connection with carrierFailed on both sides", () => {
  const network = new EndpointNetwork();
  const peer = network.connected();
  network.server.handlePathClosed(peer.path, network.now);
  peer.endpoint.handlePathClosed(0, network.now);
  network.run(20);
  assert.deepEqual(errorOf(peer), { type: "disconnected", code: "carrierFailed" });
  const event = network.events.at(-1);
  assert.ok(event?.type === "disconnected" && event.error?.code === "carrierFailed");
});

test("under loss both ways, reliable messages arrive once and in order", () => {
  const network = new EndpointNetwork();
  const peer = network.connected();
  let dice = 12_345;
  network.pass = () => (dice = (dice * 48_271) % 2_147_483_647) % 10 >= 3;
  const texts = Array.from({ length: 200 }, (_, i) => `m${i}`);
  for (const text of texts) {
    peer.connection.send("reliableOrdered", bytesOf(text));
    network.run(10);
  }
  network.run(3000);
  assert.deepEqual(network.sink.texts, texts);
});

test("a client that seals garbage loses its own connection and disturbs nobody", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (garbage) => {
      const network = new EndpointNetwork();
      const good = network.connected();
      const bad = network.connected();
      const [first, second] = network.server.connections;
      // The same session, spoken to below the channels.
      second.receivePayload(garbage, 0, garbage.length, 1_000_000, 0, network.now);
      bad.connection.send("unreliableUnordered", bytesOf("?"));
      good.connection.send("reliableOrdered", bytesOf("up"));
      first.send("reliableOrdered", bytesOf("down"));
      network.run(50);
      assert.deepEqual(good.sink.texts, ["down"]);
      assert.ok(network.sink.messages.some(({ connection, text }) => connection === first && text === "up"));
      assert.equal(first.state, "open");
    }),
    { seed: 31, numRuns: 25 },
  );
});
