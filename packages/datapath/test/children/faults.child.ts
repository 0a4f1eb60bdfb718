/** Run by native-faults.test.ts with faults.c preloaded: the native socket where the kernel refuses. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { afterEach, test } from "node:test";
import { PacketBatch } from "../../src/index.ts";
import type { PacketBatch as Batch } from "../../src/index.ts";
import { loadNativeDatapath } from "../../src/native/native-datapath.ts";
import { batchOf, closeAll, open } from "../sockets.ts";
import type { Opened } from "../sockets.ts";

const datapath = loadNativeDatapath();

function fault(name: string): void {
  process.env.FAULTS = name;
}

afterEach(() => {
  fault("");
  closeAll();
});

async function pair(): Promise<{ server: Opened; client: Opened; path: number }> {
  const server = await open(datapath, "127.0.0.1", { joined: true });
  const client = await open(datapath, "127.0.0.1");
  return { server, client, path: client.addresses.intern("127.0.0.1", server.socket.port) };
}

/** Sizes that no two neighbours share: each packet is a message of its own. */
function distinct(path: number, count: number): Batch {
  return batchOf(
    path,
    Array.from({ length: count }, (_, i) => new Uint8Array(10 + i).fill(i)),
  );
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("a full queue is reported; the rest of the batch goes when there is room, before onWritable", async () => {
  const server = await open(datapath, "127.0.0.1", { joined: true });
  const addresses = datapath.createAddressTable(4);
  let writable = 0;
  const socket = await datapath.openUdpSocket({
    host: "127.0.0.1",
    addresses,
    onReadable: () => {},
    onWritable: () => (writable += 1),
  });
  const path = addresses.intern("127.0.0.1", server.socket.port);
  fault("full");
  const first = distinct(path, 20);
  assert.equal(socket.send(first), 0);
  assert.equal(socket.writable, false);
  // What comes meanwhile is dropped and counted.
  assert.equal(socket.send(distinct(path, 5)), 0);
  assert.equal(socket.stats.sendOverflowed, 5);
  for (let i = 0; i < 5; i += 1) await turn();
  assert.deepEqual([writable, socket.stats.packetsSent], [0, 0]);
  fault("full-after");
  await turn();
  await turn();
  assert.ok(socket.stats.packetsSent >= 1);
  assert.equal(writable, 0);
  fault("");
  await server.got(20);
  await turn();
  assert.equal(writable, 1);
  assert.equal(socket.writable, true);
  assert.deepEqual(
    server.received.map(({ bytes }) => bytes[0]),
    Array.from({ length: 20 }, (_, i) => i),
  );
  socket.close();
});

test("a socket may close while a batch waits for room", async () => {
  const { client, path } = await pair();
  fault("full");
  client.socket.send(distinct(path, 3));
  assert.equal(client.socket.writable, false);
  client.socket.close();
  fault("");
  for (let i = 0; i < 3; i += 1) await turn();
  assert.equal(client.socket.stats.packetsSent, 0);
});

test("where the kernel refuses GSO, packets go one by one, and so does what follows", async () => {
  const { server, client, path } = await pair();
  assert.equal(client.socket.capabilities.gso, true);
  fault("no-gso");
  const payloads = Array.from({ length: 30 }, (_, i) => new Uint8Array(100).fill(i));
  assert.equal(client.socket.send(batchOf(path, payloads)), 30);
  assert.equal(client.socket.capabilities.gso, false);
  assert.equal(client.socket.stats.sendFailed, 0);
  assert.equal(client.socket.send(batchOf(path, payloads)), 30);
  await server.got(60);
  assert.deepEqual(
    server.received.map(({ bytes }) => bytes[0]),
    [...payloads, ...payloads].map((bytes) => bytes[0]),
  );
});

test("a packet too long for the path is refused alone, and GSO stays", async () => {
  const { server, client, path } = await pair();
  fault("small-path");
  const sizes = [900, 900, 1400, 900, 1200, 1200, 500, 100];
  const batch = batchOf(
    path,
    sizes.map((size) => new Uint8Array(size)),
  );
  assert.equal(client.socket.send(batch), 5);
  assert.deepEqual([...batch.refused.subarray(0, 8)], [0, 0, 1, 0, 1, 1, 0, 0]);
  assert.equal(client.socket.capabilities.gso, true);
  assert.equal(client.socket.stats.sendFailed, 3);
  await server.got(5);
});

test("when an address of ours is gone, replies leave from another", async () => {
  const server = await open(datapath, "0.0.0.0", { joined: true });
  const plain = createSocket("udp4");
  plain.bind(0, "127.0.0.1");
  await once(plain, "listening");
  plain.send(Uint8Array.of(1), server.socket.port, "127.0.0.7");
  await server.got(1);
  fault("gone");
  for (const payloads of [[new Uint8Array(9)], [new Uint8Array(9), new Uint8Array(9)]]) {
    const answered = once(plain, "message");
    assert.equal(server.socket.send(batchOf(server.received[0].path, payloads)), payloads.length);
    const [, from] = (await answered) as [Uint8Array, { address: string }];
    assert.equal(from.address, "127.0.0.1");
  }
  assert.equal(server.socket.capabilities.gso, true);
  plain.close();
});

test("where the kernel has no memory, packets are lost and nothing waits", async () => {
  const { client, path } = await pair();
  fault("no-memory");
  assert.equal(client.socket.send(distinct(path, 7)), 0);
  assert.equal(client.socket.stats.sendOverflowed, 7);
  assert.equal(client.socket.writable, true);
});

test("where nobody can be reached, packets are lost, alone and in runs, and GSO stays", async () => {
  const { server, client, path } = await pair();
  const payloads = Array.from({ length: 10 }, () => new Uint8Array(100));
  fault("unreachable");
  assert.equal(client.socket.send(batchOf(path, payloads)), 0);
  assert.equal(client.socket.stats.sendFailed, 10);
  fault("no-memory");
  assert.equal(client.socket.send(batchOf(path, payloads)), 0);
  assert.equal(client.socket.stats.sendOverflowed, 10);
  assert.equal(client.socket.capabilities.gso, true);
  fault("");
  assert.equal(client.socket.send(batchOf(path, payloads)), 10);
  await server.got(10);
});

test("signals interrupt nothing", async () => {
  const { server, client, path } = await pair();
  fault("interrupted");
  assert.equal(client.socket.send(distinct(path, 9)), 9);
  await server.got(9);
});

test("an error that waits at the socket costs one wake-up, not the datagrams", async () => {
  const { server, client, path } = await pair();
  fault("receive");
  client.socket.send(distinct(path, 9));
  await server.got(9);
});

test("an old kernel's socket does without, and says so", async () => {
  fault("old-kernel");
  const server = await open(datapath, "::", { joined: true });
  fault("");
  const { gso, gro, dontFragment } = server.socket.capabilities;
  assert.deepEqual({ gso, gro, dontFragment }, { gso: false, gro: false, dontFragment: false });
  assert.ok(server.socket.createReceiveBatch() instanceof PacketBatch);
  const client = await open(datapath, "::1");
  client.socket.send(
    batchOf(
      client.addresses.intern("::1", server.socket.port),
      Array.from({ length: 40 }, () => new Uint8Array(80)),
    ),
  );
  await server.got(40);
});
