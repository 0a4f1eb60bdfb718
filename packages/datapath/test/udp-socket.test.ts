import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { test } from "node:test";
import { AddressTable, PacketBatch, openDatapath } from "../src/index.ts";
import type { UdpSocket } from "../src/index.ts";

const datapath = openDatapath();

/** A socket that collects what comes, and a promise for the n-th datagram. */
async function open(host?: string, extra: { receiveQueuePackets?: number; drain?: boolean } = {}) {
  const addresses = new AddressTable(64);
  const received: { bytes: Uint8Array; path: number }[] = [];
  const batch = new PacketBatch(4);
  let wakes = 0;
  let waiting: { count: number; resolve: () => void } | undefined;
  const socket: UdpSocket = await datapath.openUdpSocket({
    host,
    addresses,
    ...(extra.receiveQueuePackets === undefined ? {} : { receiveQueuePackets: extra.receiveQueuePackets }),
    onReadable: () => {
      wakes += 1;
      if (extra.drain === false) return;
      const count = socket.receive(batch);
      for (let i = 0; i < count; i += 1) {
        const bytes = batch.buffer.slice(batch.offset[i], batch.offset[i] + batch.length[i]);
        received.push({ bytes, path: batch.path[i] });
      }
      if (waiting !== undefined && received.length >= waiting.count) waiting.resolve();
    },
  });
  const got = (count: number): Promise<void> =>
    received.length >= count ? Promise.resolve() : new Promise((resolve) => (waiting = { count, resolve }));
  return { socket, addresses, received, got, wakes: () => wakes };
}

function batchOf(path: number, payloads: readonly Uint8Array[]): PacketBatch {
  const batch = new PacketBatch(64);
  for (const payload of payloads) assert.ok(batch.append(payload, 0, payload.length, path));
  return batch;
}

for (const [name, host, peer] of [
  ["IPv4", "127.0.0.1", "127.0.0.1"],
  ["IPv6", "::1", "::1"],
  ["dual stack, IPv4 peer", "::", "127.0.0.1"],
  ["dual stack, IPv6 peer", "::", "::1"],
] as const) {
  test(`batches go there and back: ${name}`, async () => {
    const server = await open(host);
    const client = await open(peer);
    const path = client.addresses.intern(peer, server.socket.port);
    const payloads = Array.from({ length: 20 }, (_, i) => new Uint8Array(i * 60 + 1).fill(i));
    assert.equal(client.socket.send(batchOf(path, payloads)), 20);
    await server.got(20);
    assert.deepEqual(
      server.received.map((packet) => packet.bytes),
      payloads,
    );
    // The path leads back, and stands for the plain address.
    const back = server.received[0].path;
    assert.equal(server.addresses.host(back), peer);
    server.socket.send(batchOf(back, payloads.slice(0, 3)));
    await client.got(3);
    assert.equal(client.received[0].path, path);
    assert.equal(client.socket.stats.packetsSent, 20);
    assert.equal(server.socket.stats.packetsReceived, 20);
    server.socket.close();
    client.socket.close();
  });
}

test("datagrams that are empty or longer than a slot are counted, the others arrive", async () => {
  const server = await open("127.0.0.1");
  const plain = createSocket("udp4");
  for (const bytes of [new Uint8Array(0), new Uint8Array(2049), new Uint8Array(2048), new Uint8Array(1)]) {
    plain.send(bytes, server.socket.port, "127.0.0.1");
  }
  await server.got(2);
  assert.equal(server.socket.stats.receiveMalformed, 2);
  server.socket.close();
  plain.close();
});

test("a full receive queue drops and counts", async () => {
  const server = await open("127.0.0.1", { receiveQueuePackets: 8, drain: false });
  const client = await open("127.0.0.1");
  const path = client.addresses.intern("127.0.0.1", server.socket.port);
  client.socket.send(
    batchOf(
      path,
      Array.from({ length: 20 }, () => new Uint8Array(10)),
    ),
  );
  while (server.socket.stats.packetsReceived < 20) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(server.socket.stats.receiveOverflowed, 12);
  // Level-triggered: as long as datagrams wait, every turn tells so.
  const before = server.wakes();
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(server.wakes() > before);
  const batch = new PacketBatch(64);
  assert.equal(server.socket.receive(batch), 8);
  assert.equal(server.socket.receive(batch), 0);
  server.socket.close();
  client.socket.close();
});

test("nobody listening, a bad address, a skipped path: loss, never an exception", async () => {
  const client = await open("127.0.0.1");
  const closed = createSocket("udp4");
  closed.bind(0, "127.0.0.1");
  await once(closed, "listening");
  const { port } = closed.address();
  closed.close();
  const nobody = client.addresses.intern("127.0.0.1", port);
  const refused = client.addresses.intern("255.255.255.255", 9);
  const batch = batchOf(nobody, [new Uint8Array(4), new Uint8Array(4), new Uint8Array(4), new Uint8Array(4)]);
  batch.path[1] = refused;
  batch.path[2] = -1;
  batch.path[3] = 63;
  client.socket.send(batch);
  client.socket.send(batch);
  while (client.socket.stats.sendFailed < 4) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(client.socket.stats.sendFailed, 4);
  client.socket.close();
  client.socket.close();
  assert.equal(client.socket.send(batch), 0);
});

test("a port in use rejects with the system's code", async () => {
  const first = await open("127.0.0.1");
  await assert.rejects(
    datapath.openUdpSocket({
      port: first.socket.port,
      host: "127.0.0.1",
      addresses: new AddressTable(4),
      onReadable: () => {},
    }),
    { code: "EADDRINUSE" },
  );
  first.socket.close();
});
