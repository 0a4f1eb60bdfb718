/** Endpoints: every way an ending can go wrong still ends, once, and gives the seat back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteWriter } from "@riposte/wire";
import type { Connection } from "../src/channel/connection.ts";
import { FRAME_DATAGRAM, MESSAGE_LENGTH } from "../src/channel/frames.ts";
import { writeHello } from "../src/channel/hello.ts";
import { writeUserData } from "../src/netcode/index.ts";
import { NetworkError } from "../src/network-error.ts";
import { EndpointNetwork, SCHEMA, bytesOf } from "./support/endpoint-network.ts";

/** A hello and one message in the same payload. */
function greeting(text: string): ByteWriter {
  const writer = new ByteWriter(new Uint8Array(1200));
  writeHello(writer, { version: 1, schemaHash: SCHEMA, extensions: [] });
  writer.u8(FRAME_DATAGRAM | MESSAGE_LENGTH);
  writer.varint(text.length);
  writer.bytes(bytesOf(text));
  return writer;
}

function typesOf(network: EndpointNetwork): string[] {
  return network.events.map(({ type }) => type);
}

/** Does something from within the handler of each message. */
function afterMessage(network: EndpointNetwork, act: (connection: Connection) => void): void {
  const { sink } = network;
  const message = sink.message.bind(sink);
  sink.message = (connection, channel, buffer, offset, length) => {
    message(connection, channel, buffer, offset, length);
    act(connection);
  };
}

test("a connection whose message was heard is announced and ended, though it broke in the same payload", () => {
  const network = new EndpointNetwork();
  const peer = network.plainPeer();
  network.run(100);
  const writer = greeting("hi");
  writer.u8(0x3f); // no frame of ours
  peer.connection.sendRaw(writer.written());
  network.run(100);
  assert.deepEqual(network.sink.texts, ["hi"]);
  assert.deepEqual(typesOf(network), ["connected", "disconnected"]);
  const [, ended] = network.events;
  assert.ok(ended.type === "disconnected" && ended.error?.code === "protocolViolation");
  assert.deepEqual([network.server.clientCount, network.server.connections.size], [0, 0]);
});

test("a connection that its first message closed is announced and ended", () => {
  const network = new EndpointNetwork();
  const peer = network.plainPeer();
  network.run(100);
  afterMessage(network, (connection) => connection.fail(new NetworkError("kicked", "not you")));
  peer.connection.sendRaw(greeting("hi").written());
  network.run(100);
  assert.deepEqual(typesOf(network), ["connected", "disconnected"]);
  assert.equal(network.server.clientCount, 0);
});

test("a client that reads nothing loses its seat soon after it was sent away", () => {
  const network = new EndpointNetwork();
  const peer = network.connected();
  const [accepted] = network.server.connections;
  network.driver.blocked.add(peer.path);
  accepted.fail(new NetworkError("kicked", "enough"));
  // It goes on talking, so that netcode never calls it silent.
  for (let i = 0; i < 30; i++) {
    peer.connection.send("unreliableUnordered", bytesOf("still here"));
    network.run(100);
  }
  assert.deepEqual(typesOf(network), ["connected", "disconnected"]);
  assert.equal(network.server.clientCount, 0);
  assert.equal(network.driver.retained.size, 0);
});

test("a path blocked for a moment still carries the reason of the close", () => {
  const network = new EndpointNetwork();
  const peer = network.connected();
  const [accepted] = network.server.connections;
  network.driver.blocked.add(peer.path);
  accepted.fail(new NetworkError("kicked", "enough"));
  network.run(100);
  network.driver.blocked.clear();
  network.run(100);
  const event = peer.lastEvent;
  assert.ok(event?.type === "disconnected" && event.error?.code === "kicked");
});

test("a connection that its first message ends with the whole server is announced and ended, and stays so", () => {
  const network = new EndpointNetwork();
  const peer = network.plainPeer();
  network.run(100);
  afterMessage(network, () => network.server.close(network.now));
  peer.connection.sendRaw(greeting("bye").written());
  network.run(100);
  assert.deepEqual(typesOf(network), ["connected", "disconnected"]);
  assert.deepEqual([network.server.clientCount, network.server.connections.size], [0, 0]);
});

test("the path of a connection that has ended is none, whoever has its seat now", () => {
  const network = new EndpointNetwork({ maxClients: 1 });
  const peer = network.connected();
  const [first] = network.server.connections;
  peer.endpoint.close(network.now);
  network.run(500);
  assert.equal(network.server.connections.size, 0);
  network.connected();
  const [second] = network.server.connections;
  assert.equal(first.index, second.index);
  assert.ok(network.server.pathOf(second) >= 0);
  assert.equal(network.server.pathOf(first), -1);
});

test("finish keeps to its time also while no path leads to the peer", () => {
  for (const before of [true, false]) {
    const network = new EndpointNetwork();
    const peer = network.connected(network.token({ userData: writeUserData({}), timeoutSeconds: 20 }));
    const [accepted] = network.server.connections;
    assert.notEqual(accepted.negotiated.sessionId, undefined);
    assert.throws(() => accepted.finish(0, "", NaN), /timeoutMs/);
    accepted.send("reliableOrdered", bytesOf("you will not hear this"));
    peer.connection.send("reliableOrdered", bytesOf("nor this"));
    const finish = (): void => {
      accepted.finish(0, "", 2_000);
      peer.connection.finish(0, "", 2_000);
    };
    if (before) finish();
    network.server.handlePathClosed(peer.path, network.now);
    peer.endpoint.handlePathClosed(0, network.now);
    if (!before) finish();
    network.run(1_500);
    assert.deepEqual([network.server.clientCount, peer.lastEvent?.type], [1, "interrupted"]);
    network.run(1_000);
    assert.deepEqual([network.server.clientCount, peer.lastEvent?.type], [0, "disconnected"]);
    assert.equal(network.events.at(-1)?.type, "disconnected");
    assert.equal(network.driver.retained.size, 0);
    assert.equal(peer.driver.retained.size, 0);
  }
});
