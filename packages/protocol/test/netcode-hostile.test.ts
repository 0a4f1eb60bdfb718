/** Garbage, truncated, replayed, altered and forged datagrams: counted, never thrown, nobody else disturbed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { NetcodeServer, SoftwareKeys, readConnectToken } from "../src/netcode/index.ts";
import { PacketHeader, writePacketHeader } from "../src/netcode/packet-header.ts";
import { PacketProtection, protocolAssociatedData } from "../src/netcode/packet-protection.ts";
import { createReceivedPacket } from "../src/machine.ts";
import type { Crypto, ReceivedPacket } from "../src/machine.ts";
import {
  NetcodeNetwork,
  PRIVATE_KEY,
  PROTOCOL_ID,
  deliver,
  testCrypto,
  transmitAll,
} from "./support/netcode-network.ts";

const REQUEST = 0;
const RESPONSE = 3;
const PAYLOAD = 5;

/** Two connected clients that have talked, and the datagrams of all that. */
function liveNetwork(): NetcodeNetwork {
  const network = new NetcodeNetwork();
  for (const client of [network.connected(), network.connected()]) client.say("before");
  network.tell(0, "before");
  network.tell(1, "before");
  network.run(250);
  return network;
}

function assertUndisturbed(network: NetcodeNetwork): void {
  const heard = network.received.length;
  for (const [i, client] of network.clients.slice(0, 2).entries()) {
    client.say("after");
    network.tell(i, "after");
  }
  network.run(20);
  assert.deepEqual(network.ended, []);
  assert.deepEqual(network.received.slice(heard).toSorted(), ["0:after", "1:after"]);
  for (const client of network.clients.slice(0, 2)) assert.equal(client.received.at(-1), "after");
}

const hostile = fc.record({
  kind: fc.constantFrom("garbage", "shaped", "truncated", "extended", "flipped", "replayed", "crossed"),
  bytes: fc.uint8Array({ maxLength: 1400 }),
  record: fc.nat(),
  at: fc.nat(),
  bit: fc.integer({ min: 0, max: 7 }),
  path: fc.integer({ min: 1, max: 5 }),
});

/** Makes one hostile datagram of the recorded ones. */
function make(
  network: NetcodeNetwork,
  toServer: boolean,
  spec: typeof hostile extends fc.Arbitrary<infer T> ? T : never,
) {
  const records = network.wire.filter((datagram) => datagram.toServer === toServer);
  const record = records[spec.record % records.length];
  const bytes = record.bytes.slice();
  let { path } = record;
  if (spec.kind === "garbage" || spec.kind === "shaped") {
    const length = spec.kind === "garbage" ? spec.bytes.length : bytes.length;
    const garbage = Uint8Array.from({ length }, (_, i) => spec.bytes[i % (spec.bytes.length || 1)] ?? 0);
    if (spec.kind === "shaped") garbage.set(bytes.subarray(0, spec.at % 64));
    return { bytes: garbage, path: spec.path };
  }
  if (spec.kind === "truncated") return { bytes: bytes.subarray(0, spec.at % bytes.length), path };
  if (spec.kind === "extended") return { bytes: Uint8Array.from([...bytes, ...spec.bytes, 0]), path };
  if (spec.kind === "flipped") bytes[spec.at % bytes.length] ^= 1 << spec.bit;
  if (spec.kind === "crossed") path = path === 1 ? 2 : 1;
  return { bytes, path };
}

test("on the server, every hostile datagram is dropped and counted once", () => {
  const network = liveNetwork();
  fc.assert(
    fc.property(fc.array(hostile, { minLength: 1, maxLength: 30 }), (specs) => {
      for (const spec of specs) {
        const { bytes, path } = make(network, true, spec);
        const before = network.server.drops.total;
        network.toServer(bytes, path);
        assert.equal(network.server.drops.total, before + 1, `${spec.kind}, ${bytes.length} bytes, path ${path}`);
      }
      assert.deepEqual(transmitAll(network.server, network.keys, network.now), [], "no answer to any of it");
      network.now += 40;
    }),
    { seed: 21, numRuns: 60 },
  );
  assert.equal(network.server.clientCount, 2);
  assertUndisturbed(network);
});

test("on the client likewise", () => {
  const network = liveNetwork();
  const [client] = network.clients;
  fc.assert(
    fc.property(hostile, (spec) => {
      const { bytes, path } = make(network, false, spec);
      if (path !== client.path) return;
      const before = client.machine.drops.total;
      deliver(client.machine, client.keys, bytes, 0, network.now);
      assert.equal(client.machine.drops.total, before + 1, `${spec.kind}, ${bytes.length} bytes`);
    }),
    { seed: 22, numRuns: 400 },
  );
  deliver(client.machine, client.keys, network.wire[0].bytes, 7, network.now);
  assert.equal(client.machine.drops.unknownPath, 1, "from a stranger");
  assertUndisturbed(network);
});

test("hostile datagrams in the middle of a handshake do not stop it", () => {
  fc.assert(
    fc.property(fc.array(hostile, { maxLength: 12 }), (specs) => {
      const network = new NetcodeNetwork();
      const client = network.client();
      network.step();
      for (const spec of specs) {
        const { bytes } = make(network, true, { ...spec, path: 1 });
        if (spec.kind !== "replayed" && spec.kind !== "crossed") network.toServer(bytes, 1);
      }
      network.run(400);
      assert.equal(client.machine.state, "connected");
    }),
    { seed: 23, numRuns: 40 },
  );
});

test("each reason is counted by its name", () => {
  const network = liveNetwork();
  const { drops } = network.server;
  const [request] = network.sent(true, REQUEST);
  const [payload] = network.sent(true, PAYLOAD);
  const send = (bytes: Uint8Array, path: number, change?: (copy: Uint8Array) => void): void => {
    const copy = bytes.slice();
    change?.(copy);
    network.toServer(copy, path);
  };
  send(new Uint8Array(0), 1);
  send(new Uint8Array(17).fill(0x15), 1);
  send(request.bytes.subarray(0, 1077), 9);
  assert.equal(drops.malformed, 3);
  send(request.bytes, 9, (copy) => void (copy[12] ^= 1));
  assert.equal(drops.wrongVersion, 1);
  send(request.bytes, 9, (copy) => void (copy[14] ^= 1));
  assert.equal(drops.wrongProtocol, 1);
  send(request.bytes, 9, (copy) => copy.fill(0, 22, 30));
  assert.equal(drops.tokenExpired, 1);
  send(request.bytes, 9);
  assert.equal(drops.tokenReused, 1);
  send(request.bytes, 9, (copy) => void (copy[1077] ^= 1));
  send(request.bytes, request.path, (copy) => void (copy[27] ^= 1));
  send(request.bytes, request.path, (copy) => void (copy[500] ^= 1));
  assert.equal(drops.tokenForged, 3);
  send(request.bytes, request.path);
  assert.equal(drops.alreadyConnected, 1);
  send(payload.bytes, 9);
  assert.equal(drops.unknownPath, 1);
  send(payload.bytes, payload.path);
  assert.equal(drops.replayed, 1);
  send(payload.bytes, payload.path, (copy) => void (copy[1] += 100));
  assert.equal(drops.forged, 1);
  send(payload.bytes, payload.path, (copy) => void (copy[0] = (copy[0] & 0xf0) | 2));
  assert.equal(drops.unexpected, 1);
  const elsewhere = network.client(network.token({ serverAddresses: ["127.0.0.1:40001"] }), 50);
  send(transmitAll(elsewhere.machine, elsewhere.keys, network.now)[0].bytes, 50);
  assert.equal(drops.wrongServer, 1);
  assert.equal(drops.total, 3 + 1 + 1 + 1 + 1 + 3 + 1 + 1 + 1 + 1 + 1 + 1);
});

test("an expired token costs no decryption, nor does a flood from one path or from many", () => {
  const counted = countingCrypto();
  const network = new NetcodeNetwork({ crypto: counted.crypto, handshakesPerSecond: 100 });
  const client = network.client();
  const [{ bytes }] = transmitAll(client.machine, client.keys, network.now);
  const forged = bytes.slice();
  forged[100] ^= 1;
  for (let i = 0; i < 1000; i++) network.toServer(forged, 70);
  assert.equal(counted.opened(), 32);
  for (let i = 0; i < 1000; i++) network.toServer(forged, 100 + i);
  assert.equal(counted.opened(), 100);
  assert.equal(network.server.drops.rateLimited, 1900);
  network.now += 1000;
  network.toServer(bytes, client.path);
  assert.equal(network.server.pendingCount, 1, "and a second later an honest client gets in");
  network.now += 60_000;
  const before = counted.opened();
  for (let i = 0; i < 100; i++) network.toServer(bytes, 3000 + i);
  assert.equal(counted.opened(), before);
});

test("admissions under way and remembered tokens are bounded", () => {
  const network = new NetcodeNetwork({ maxPending: 3, tokenHistory: 4 });
  network.pass = ({ toServer, bytes }) => toServer && (bytes[0] & 15) === REQUEST;
  for (let i = 0; i < 5; i++) network.client();
  network.step();
  assert.equal(network.server.pendingCount, 3);
  assert.equal(network.server.drops.pendingFull, 2);
  network.run(5500);
  network.clients.splice(0);
  network.run(1100);
  assert.equal(network.server.pendingCount, 0, "they expire");
  assert.equal(network.retained.size, 0);
  for (let i = 0; i < 3; i++) {
    network.clients.splice(0);
    network.client();
    network.step();
  }
  assert.deepEqual([network.server.tokenHistory.size, network.server.tokenHistory.evicted > 0], [4, true]);
});

test("a batch holding one packet twice delivers it once", () => {
  const network = liveNetwork();
  const [client] = network.clients;
  client.say("once");
  const [{ bytes }] = transmitAll(client.machine, client.keys, network.now);
  const packets = [0, 1].map(() => emptyPacket(bytes.slice(), client.path));
  for (const packet of packets) network.server.classify(packet);
  for (const packet of packets) network.keys.open(packet);
  for (const packet of packets) network.server.receive(packet, network.now);
  assert.deepEqual(
    network.received.filter((text) => text.endsWith("once")),
    ["0:once"],
  );
  assert.equal(network.server.drops.replayed, 1);
});

test("a packet opened under a session that the same batch displaced is not the new session's", () => {
  const network = new NetcodeNetwork();
  const older = network.connected(network.token({ clientId: 7n }), 1);
  network.clients.splice(0);
  network.now += 1000;
  older.say("ghost");
  const [late] = transmitAll(older.machine, older.keys, network.now);
  const newer = network.client(network.token({ clientId: 7n }), 1);
  const [request] = transmitAll(newer.machine, newer.keys, network.now);
  network.toServer(request.bytes, 1);
  const [challenge] = transmitAll(network.server, network.keys, network.now);
  deliver(newer.machine, newer.keys, challenge.bytes, 0, network.now);
  const [response] = transmitAll(newer.machine, newer.keys, network.now);
  const packet = emptyPacket(late.bytes, 1);
  network.server.classify(packet);
  network.keys.open(packet);
  assert.equal(packet.opened, true);
  network.toServer(response.bytes, 1);
  assert.deepEqual(network.log, ["+0 7", "-0 displaced", "+0 7"]);
  network.server.receive(packet, network.now);
  assert.deepEqual(network.received, []);
  assert.equal(network.server.drops.unknownPath, 1);
});

test("a challenge made for another client proves nothing, even to one who holds both tokens", () => {
  const network = new NetcodeNetwork();
  const tokens = [network.token({ clientId: 1n }), network.token({ clientId: 2n })];
  const [one, two] = tokens.map((token) => network.client(token));
  for (const { machine, keys, path } of [one, two]) {
    network.toServer(transmitAll(machine, keys, network.now)[0].bytes, path);
  }
  const challenges = transmitAll(network.server, network.keys, network.now);
  assert.deepEqual(
    challenges.map(({ path }) => path),
    [one.path, two.path],
  );
  const protection = new PacketProtection(network.crypto, protocolAssociatedData(PROTOCOL_ID));
  const stolen = challenges[1].bytes;
  const secrets = readConnectToken(tokens[1]);
  const header = new PacketHeader();
  assert.ok(header.read(stolen, 0, stolen.length) && header.length === 9);
  const { sequenceHigh: high, sequenceLow: low } = header;
  assert.ok(secrets && protection.open(secrets.serverToClientKey, high, low, stolen, 0, 9, stolen.length - 9));
  const response = new Uint8Array(326);
  const headerLength = writePacketHeader(response, 0, RESPONSE, 0);
  response.set(stolen.subarray(9, 9 + 308), headerLength);
  const own = readConnectToken(tokens[0]);
  assert.ok(own);
  protection.seal(own.clientToServerKey, 0, 0, response, 0, headerLength, 308);
  network.toServer(response, one.path);
  assert.equal(network.server.drops.challengeForged, 1);
  assert.equal(network.server.clientCount, 0);
});

test("4,096 clients fit, and no more", () => {
  const crypto = testCrypto();
  const options = {
    protocolId: 1n,
    privateKey: PRIVATE_KEY,
    publicAddresses: [],
    crypto,
    keys: new SoftwareKeys(crypto),
    now: 0,
    unixSeconds: 0,
    handler: {
      connected: () => {},
      disconnected: () => {},
      payload: () => {},
      fill: () => 0,
      retainPath: () => {},
      releasePath: () => {},
    },
  };
  assert.equal(new NetcodeServer({ ...options, maxClients: 4096 }).maxClients, 4096);
  for (const maxClients of [0, 4097, 1.5]) {
    assert.throws(() => new NetcodeServer({ ...options, maxClients }), RangeError);
  }
});

test("200 clients at once all get in, each with its own seat", () => {
  const network = new NetcodeNetwork({ maxClients: 200 });
  for (let i = 0; i < 200; i++) network.client();
  network.step();
  network.now += 10;
  network.step();
  assert.equal(network.server.clientCount, 200);
  const seats = new Set(network.clients.map((client) => client.machine.clientIndex));
  assert.equal(seats.size, 200);
});

function emptyPacket(buffer: Uint8Array, path: number): ReceivedPacket {
  return { ...createReceivedPacket(buffer), length: buffer.length, path };
}

/** Counts how many connect tokens are decrypted. */
function countingCrypto(): { crypto: Crypto; opened: () => number } {
  const crypto = testCrypto();
  let opened = 0;
  return {
    opened: () => opened,
    crypto: {
      ...crypto,
      xchacha20Poly1305: {
        ...crypto.xchacha20Poly1305,
        open(...args) {
          opened++;
          return crypto.xchacha20Poly1305.open(...args);
        },
      },
    },
  };
}

test("a flood of forged requests does not keep out a client whose token was opened already", () => {
  const network = new NetcodeNetwork({ handshakesPerSecond: 20 });
  const forged = network.client(network.token({ privateKey: new Uint8Array(32) }), 4000);
  const [{ bytes }] = transmitAll(forged.machine, forged.keys, network.now);
  network.clients.length = 0;
  const client = network.client();
  network.pass = ({ toServer }) => toServer; // the first challenge is lost
  network.step();
  network.pass = () => true;
  assert.equal(network.server.pendingCount, 1);
  for (let i = 0; i < 50 && client.machine.state !== "connected"; i++) {
    for (let path = 100; path < 150; path++) network.toServer(bytes, path + 50 * i);
    network.run(10);
  }
  assert.ok(network.server.drops.rateLimited > 500);
  assert.equal(client.machine.state, "connected");
});
