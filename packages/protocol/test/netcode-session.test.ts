/** netcode's sessions: admission, payloads, timeouts, denial, disconnects, displacement. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { writeUserData } from "../src/netcode/index.ts";
import { NetcodeNetwork, TestClient, deliver, transmitAll } from "./support/netcode-network.ts";

const REQUEST = 0;
const DENIED = 1;
const CHALLENGE = 2;
const RESPONSE = 3;
const KEEP_ALIVE = 4;
const PAYLOAD = 5;
const DISCONNECT = 6;

function sequenceOf(bytes: Uint8Array): bigint {
  let sequence = 0n;
  for (let i = bytes[0] >> 4; i > 0; i--) sequence = (sequence << 8n) | BigInt(bytes[i]);
  return sequence;
}

test("a client connects, learns its index, and payloads go both ways", () => {
  const network = new NetcodeNetwork();
  const userData = writeUserData({ room: "blue" });
  const first = network.connected(network.token({ clientId: 7n, userData }));
  const second = network.connected(network.token({ clientId: 8n }));
  assert.deepEqual(first.states, ["sendingConnectionResponse", "connected"]);
  assert.deepEqual([first.machine.clientIndex, second.machine.clientIndex], [0, 1]);
  assert.equal(second.machine.maxClients, 4);
  assert.deepEqual(network.server.session(0)?.userData, userData);
  assert.equal(network.server.clientIndexByPath(second.path), 1);
  first.say("hello");
  network.tell(1, "welcome");
  network.tell(1, "x".repeat(1200));
  network.run(10);
  assert.deepEqual(network.received, ["0:hello"]);
  assert.deepEqual(second.received, ["welcome", "x".repeat(1200)]);
  assert.deepEqual(first.received, []);
  assert.equal(network.server.drops.total + first.machine.drops.total + second.machine.drops.total, 0);
});

test("nothing that leaves before the address is proven is as large as what came in", () => {
  const network = new NetcodeNetwork({ maxClients: 1 });
  network.connected();
  network.client();
  network.run(300);
  const requests = network.sent(true, REQUEST);
  const answers = [...network.sent(false, CHALLENGE), ...network.sent(false, DENIED)];
  assert.ok(answers.length > 0 && answers.length <= requests.length);
  for (const { bytes } of requests) assert.equal(bytes.length, 1078);
  for (const { bytes } of answers) assert.ok(bytes.length < 1078 / 3, `${bytes.length} bytes`);
});

test("a burst of one request is answered with one challenge", () => {
  const network = new NetcodeNetwork();
  const client = network.client();
  const [request] = transmitAll(client.machine, client.keys, network.now);
  for (let i = 0; i < 20; i++) network.toServer(request.bytes, client.path);
  assert.equal(transmitAll(network.server, network.keys, network.now).length, 1);
  assert.equal(network.server.pendingCount, 1);
});

test("keep-alives go at 10 Hz when there is nothing else, and keep the session", () => {
  const network = new NetcodeNetwork();
  const client = network.connected();
  const before = network.wire.length;
  network.run(10_000);
  assert.equal(client.machine.state, "connected");
  const types = network.wire.slice(before).map(({ bytes }) => bytes[0] & 15);
  assert.ok(types.every((type) => type === KEEP_ALIVE));
  assert.ok(types.length > 180 && types.length <= 202, `${types.length} keep-alives both ways in 10 s`);
});

test("payloads take the place of keep-alives", () => {
  const network = new NetcodeNetwork();
  const client = network.connected();
  const before = network.wire.length;
  for (let i = 0; i < 100; i++) {
    client.say("a");
    network.tell(0, "b");
    network.run(50);
  }
  const types = network.wire.slice(before).map(({ bytes }) => bytes[0] & 15);
  assert.equal(types.filter((type) => type === PAYLOAD).length, 200);
  assert.ok(types.length <= 202);
});

test("until the client confirms, a keep-alive goes before each payload", () => {
  const network = new NetcodeNetwork();
  const client = network.client();
  network.pass = (datagram) => datagram.toServer || (datagram.bytes[0] & 15) === CHALLENGE;
  network.run(50);
  assert.deepEqual(network.log, ["+0 100"]);
  for (const text of ["a", "b", "c"]) network.tell(0, text);
  network.step();
  const types = network.wire.filter(({ toServer }) => !toServer).map(({ bytes }) => bytes[0] & 15);
  assert.equal(types.filter((type) => type === PAYLOAD).length, 3);
  for (const [i, type] of types.entries()) if (type === PAYLOAD) assert.equal(types[i - 1], KEEP_ALIVE);
  network.pass = () => true;
  network.run(200);
  assert.equal(client.machine.state, "connected");
  const confirmed = network.wire.length;
  network.tell(0, "d");
  network.tell(0, "e");
  network.step();
  const later = network.wire.slice(confirmed).filter(({ toServer }) => !toServer);
  assert.deepEqual(later.map(({ bytes }) => bytes[0] & 15).filter((type) => type === PAYLOAD).length, 2);
  assert.ok(later.length <= 3);
});

test("payloads that arrive before the client is connected are dropped", () => {
  const network = new NetcodeNetwork();
  const client = network.client();
  network.pass = (datagram) => datagram.toServer || (datagram.bytes[0] & 15) !== KEEP_ALIVE;
  network.run(20);
  network.tell(0, "early");
  network.run(20);
  assert.equal(client.machine.state, "sendingConnectionResponse");
  assert.deepEqual(client.received, []);
  assert.equal(client.machine.drops.unexpected, 1);
});

test("silence ends a session on both sides after the token's timeout, and frees the seat", () => {
  const network = new NetcodeNetwork();
  const client = network.connected();
  network.pass = () => false;
  network.run(4900);
  assert.equal(client.machine.state, "connected");
  assert.equal(network.server.clientCount, 1);
  network.run(300);
  assert.equal(client.machine.state, "connectionTimedOut");
  assert.deepEqual(network.ended, ["timedOut"]);
  network.run(100);
  assert.equal(network.server.clientCount, 0);
  assert.equal(network.keys.size, 0, "keys are given back");
  assert.equal(client.keys.size, 0);
  assert.equal(network.retained.size, 0, "paths are given back");
});

test("a negative timeout never ends a session", () => {
  const network = new NetcodeNetwork();
  const client = network.connected(network.token({ timeoutSeconds: -1 }));
  network.pass = () => false;
  network.run(60_000);
  assert.equal(client.machine.state, "connected");
  assert.equal(network.server.clientCount, 1);
});

test("no answer ends in the state that says what was missing", () => {
  const network = new NetcodeNetwork();
  network.pass = ({ toServer }) => toServer;
  const unheard = network.client();
  network.run(5200);
  assert.equal(unheard.machine.state, "connectionRequestTimedOut");
  network.pass = ({ toServer, bytes }) => toServer || (bytes[0] & 15) === CHALLENGE;
  const unconfirmed = network.client();
  network.run(5200);
  assert.equal(unconfirmed.machine.state, "connectionResponseTimedOut");
});

test("a token that expires while connecting ends the attempt", () => {
  const network = new NetcodeNetwork();
  network.pass = () => false;
  const client = network.client(network.token({ expireSeconds: 2 }));
  network.run(2100);
  assert.equal(client.machine.state, "connectTokenExpired");
});

test("an invalid token is told at once", () => {
  const network = new NetcodeNetwork();
  const client = new TestClient(1, new Uint8Array(2048), network.crypto, network.now);
  assert.equal(client.machine.state, "invalidConnectToken");
  assert.equal(client.machine.nextTimeout(), Infinity);
  assert.deepEqual(transmitAll(client.machine, client.keys, network.now), []);
});

test("a full server denies, and takes the next client when a seat is free", () => {
  const network = new NetcodeNetwork({ maxClients: 2 });
  const first = network.connected();
  network.connected();
  const third = network.client();
  network.run(300);
  assert.equal(third.machine.state, "connectionDenied");
  assert.ok(network.server.drops.serverFull > 0);
  first.machine.disconnect(network.now);
  network.run(100);
  assert.equal(network.connected().machine.clientIndex, 0);
});

test("a client that is denied or unheard tries the other servers of its token", () => {
  const network = new NetcodeNetwork({ maxClients: 1 });
  network.connected();
  const other = new NetcodeNetwork();
  const token = network.token({ serverAddresses: ["127.0.0.1:40000", "10.0.0.9:1", "127.0.0.1:40000"] });
  const client = new TestClient(9, token, network.crypto, network.now, [0, -1, 2]);
  network.clients.push(client);
  network.run(100);
  assert.equal(client.machine.serverIndex, 2, "the address without a path is passed over");
  network.clients.pop();
  for (let i = 0; i < 30; i++) {
    const now = network.now + i * 10;
    client.machine.handleTimeout(now);
    for (const { path, bytes } of transmitAll(client.machine, client.keys, now)) {
      assert.equal(path, 2);
      other.toServer(bytes, 9);
    }
    other.now += 10;
    other.server.handleTimeout(other.now);
    for (const { bytes } of transmitAll(other.server, other.keys, other.now)) {
      const { machine, keys } = client;
      deliver(machine, keys, bytes, 2, now);
    }
  }
  assert.equal(client.machine.state, "connected");
  assert.deepEqual(client.states, ["sendingConnectionResponse", "connected"]);
});

test("leaving sends redundant disconnects, and one is enough", () => {
  const network = new NetcodeNetwork();
  const client = network.connected();
  const before = network.sent(true, DISCONNECT).length;
  let seen = 0;
  network.pass = ({ toServer, bytes }) => !toServer || (bytes[0] & 15) !== DISCONNECT || ++seen === 10;
  client.machine.disconnect(network.now);
  network.run(30);
  assert.equal(network.sent(true, DISCONNECT).length - before, 10);
  assert.deepEqual(network.ended, ["clientDisconnected"]);
  assert.equal(client.machine.state, "disconnected");
  assert.equal(network.sent(false, DISCONNECT).length, 0);
  assert.equal(client.machine.finished, true);
  assert.equal(client.keys.size, 0);
});

test("the server sends a client away with redundant disconnects", () => {
  const network = new NetcodeNetwork();
  const client = network.connected();
  const other = network.connected();
  network.server.disconnect(0, network.now);
  network.server.disconnect(0, network.now);
  network.run(30);
  assert.deepEqual(network.ended, ["serverDisconnected"]);
  assert.equal(network.sent(false, DISCONNECT).length, 10);
  assert.equal(client.machine.state, "disconnected");
  assert.equal(other.machine.state, "connected");
});

test("a token belongs to an address, whatever path that has", () => {
  const network = new NetcodeNetwork();
  const token = network.token();
  const first = network.connected(token, 1);
  first.machine.disconnect(network.now);
  network.run(50);
  assert.deepEqual([network.server.clientCount, network.retained.size], [0, 0]);
  // The driver gave path 1 to somebody else; the first address came back under path 9.
  network.addresses.set(1, "somebody else");
  network.addresses.set(9, "address 1");
  network.clients.length = 0;
  const thief = network.client(token, 1);
  network.run(300);
  assert.equal(thief.machine.state, "sendingConnectionRequest");
  assert.ok(network.server.drops.tokenReused > 0);
  assert.equal(network.connected(token, 9).machine.state, "connected");
});

test("stopping sends everybody away; starting again reseeds the global sequence above 2^63", () => {
  const network = new NetcodeNetwork();
  const clients = [network.connected(), network.connected()];
  const before = network.sent(false, CHALLENGE);
  const first = sequenceOf(before[0].bytes);
  assert.ok(first >= 1n << 63n);
  assert.equal(sequenceOf(before[1].bytes), first + 1n);
  network.server.stop(network.now);
  network.run(50);
  assert.deepEqual(
    clients.map(({ machine }) => machine.state),
    ["disconnected", "disconnected"],
  );
  const late = network.client();
  network.run(200);
  assert.equal(late.machine.state, "sendingConnectionRequest", "a stopped server admits nobody");
  const stopped = network.sent(false, CHALLENGE).length;
  network.server.start();
  network.run(200);
  assert.equal(late.machine.state, "connected");
  // Far from where it stood: a token of before seals nothing twice under one number, in this process or the next.
  const again = sequenceOf(network.sent(false, CHALLENGE)[stopped].bytes);
  assert.ok(again >= 1n << 63n && again >> 32n !== first >> 32n, `${first} and ${again}`);
  assert.equal(new NetcodeNetwork().connected().machine.state, "connected");
});

test("a newer token displaces the client's older session, even on a full server", () => {
  const network = new NetcodeNetwork({ maxClients: 1 });
  const older = network.connected(network.token({ clientId: 7n }));
  network.run(2000);
  const newer = network.connected(network.token({ clientId: 7n }));
  assert.deepEqual(network.log, ["+0 7", "-0 displaced", "+0 7"]);
  assert.equal(older.machine.state, "disconnected");
  older.say("ghost");
  newer.say("here");
  network.run(20);
  assert.deepEqual(network.received, ["0:here"]);
});

test("an older token does not displace", () => {
  const network = new NetcodeNetwork();
  const stale = network.token({ clientId: 7n });
  network.run(2000);
  const current = network.connected(network.token({ clientId: 7n }));
  const late = network.client(stale);
  network.run(1000);
  assert.equal(late.machine.state, "sendingConnectionRequest");
  assert.equal(current.machine.state, "connected");
  assert.ok(network.server.drops.alreadyConnected > 0);
  assert.equal(network.sent(false, CHALLENGE).length, 1);
});

test("of two tokens of one second the issue instant decides, whatever their lifetimes", () => {
  const network = new NetcodeNetwork();
  const at = network.unixNow * 1000;
  const older = network.token({ clientId: 7n, userData: writeUserData({ issuedAt: at }), expireSeconds: 60 });
  const newer = network.token({ clientId: 7n, userData: writeUserData({ issuedAt: at + 5 }), expireSeconds: 40 });
  network.connected(newer);
  const late = network.client(older);
  network.run(500);
  assert.equal(late.machine.state, "sendingConnectionRequest");
  const again = new NetcodeNetwork();
  again.connected(older);
  again.connected(newer);
  assert.deepEqual(again.log, ["+0 7", "-0 displaced", "+0 7"]);
});

test("two tokens that cannot be told apart do not displace each other in turns", () => {
  const network = new NetcodeNetwork();
  const one = network.token({ clientId: 7n });
  const two = network.token({ clientId: 7n });
  const first = network.connected(one);
  network.connected(two);
  network.client(one, first.path);
  network.run(2000);
  assert.deepEqual(network.log, ["+0 7", "-0 displaced", "+0 7"]);
  assert.ok(network.server.drops.tokenReused > 0);
});

test("a client that starts over on the same port with a newer token gets in at once", () => {
  const network = new NetcodeNetwork();
  const before = network.connected(network.token({ clientId: 7n }));
  network.clients.splice(0);
  network.run(1000);
  const after = network.connected(network.token({ clientId: 7n }), before.path);
  assert.equal(after.machine.state, "connected");
  assert.deepEqual(network.log, ["+0 7", "-0 displaced", "+0 7"]);
  network.run(3000);
  assert.equal(after.machine.state, "connected");
});

test("another client on a connected path is ignored", () => {
  const network = new NetcodeNetwork();
  const client = network.connected();
  const intruder = new TestClient(client.path, network.token(), network.crypto, network.now);
  for (const { bytes } of transmitAll(intruder.machine, intruder.keys, network.now))
    network.toServer(bytes, client.path);
  assert.equal(network.server.drops.alreadyConnected, 1);
  assert.equal(network.server.pendingCount, 0);
});

test("a token used from one path is refused on every other, before anything is decrypted", () => {
  const network = new NetcodeNetwork();
  const token = network.token();
  network.connected(token);
  const thief = network.client(token);
  network.run(1000);
  assert.equal(thief.machine.state, "sendingConnectionRequest");
  assert.ok(network.server.drops.tokenReused >= 9);
});

test("the same path may use its token again, and no nonce repeats", () => {
  const network = new NetcodeNetwork();
  const token = network.token();
  const first = network.connected(token);
  network.run(1000);
  first.machine.disconnect(network.now);
  network.run(100);
  network.clients.splice(0);
  network.connected(token, first.path);
  network.run(1000);
  const sealed = network.wire.filter(({ toServer, bytes }) => !toServer && (bytes[0] & 15) !== CHALLENGE);
  const sequences = sealed.map(({ bytes }) => sequenceOf(bytes));
  assert.equal(new Set(sequences).size, sequences.length);
});

test("a recorded handshake, played again after the session, admits nobody", () => {
  const network = new NetcodeNetwork();
  const client = network.connected();
  client.machine.disconnect(network.now);
  network.run(100);
  network.clients.splice(0);
  const recorded = network.wire.filter(({ toServer }) => toServer);
  for (const { bytes, path } of recorded) {
    network.toServer(bytes, path);
    transmitAll(network.server, network.keys, network.now);
  }
  assert.equal(network.server.clientCount, 0);
  assert.ok(network.server.drops.challengeForged > 0);
  assert.ok(network.sent(true, RESPONSE).length > 0);
});

test("a recorded request of an older token does not push out a newer admission", () => {
  const network = new NetcodeNetwork();
  const older = network.client(network.token({ clientId: 7n }), 1);
  const [recorded] = transmitAll(older.machine, older.keys, network.now);
  network.toServer(recorded.bytes, 1);
  network.clients.splice(0);
  network.now += 1000;
  const newer = network.client(network.token({ clientId: 7n }), 1);
  network.pass = ({ toServer, bytes }) => {
    if (toServer && (bytes[0] & 15) === RESPONSE) network.toServer(recorded.bytes, 1);
    return true;
  };
  network.step();
  assert.equal(newer.machine.state, "connected");
  assert.ok(network.server.drops.alreadyConnected > 0);
});

test("a lost path ends its session at once", () => {
  const network = new NetcodeNetwork();
  const client = network.connected();
  network.server.handlePathClosed(client.path, network.now);
  client.machine.handlePathClosed(0, network.now);
  network.step();
  assert.deepEqual(network.ended, ["pathClosed"]);
  assert.equal(client.machine.state, "connectionTimedOut");
  assert.equal(network.keys.size, 0);
  assert.equal(network.retained.size, 0);
});

test("sending is fair: a client with much to hear does not hold up another", () => {
  const network = new NetcodeNetwork();
  network.connected();
  network.connected();
  for (let i = 0; i < 50; i++) network.tell(0, `a${i}`);
  network.tell(1, "b");
  const before = network.wire.length;
  network.step();
  const paths = network.wire.slice(before).filter(({ toServer, bytes }) => !toServer && (bytes[0] & 15) === PAYLOAD);
  assert.ok(paths.slice(0, 3).some(({ path }) => path === network.clients[1].path));
});
