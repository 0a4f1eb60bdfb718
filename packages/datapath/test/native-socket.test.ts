/** What only the native socket can do. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { afterEach, describe, test } from "node:test";
import { PacketBatch } from "../src/index.ts";
import { nativeDatapath, portableDatapath, skipNative } from "./forms.ts";
import { batchOf, closeAll, open } from "./sockets.ts";

describe("the native socket", { skip: skipNative }, () => {
  const datapath = nativeDatapath ?? portableDatapath;
  afterEach(closeAll);

  test("it can what this kernel can", async () => {
    const { socket } = await open(datapath, "::", { bufferBytes: 262_144 });
    // Linux 5.0 and newer.
    assert.deepEqual(
      { ...socket.capabilities },
      { gso: true, gro: true, ecn: true, localAddress: true, dontFragment: true },
    );
    assert.ok(socket.receiveBufferBytes <= 262_144 && socket.sendBufferBytes <= 262_144);
    // A socket with one address needs not be told which.
    assert.equal((await open(datapath, "127.0.0.1")).socket.capabilities.localAddress, false);
  });

  test("packets of one size leave as one message and come as one, descriptors name them", async () => {
    const server = await open(datapath, "127.0.0.1", { drain: false });
    const client = await open(datapath, "127.0.0.1");
    const batch = server.socket.createReceiveBatch();
    const path = client.addresses.intern("127.0.0.1", server.socket.port);
    const payloads = Array.from({ length: 64 }, (_, i) => new Uint8Array(i < 63 ? 700 : 100).fill(i));
    client.socket.send(batchOf(path, payloads));
    assert.equal(server.socket.receive(batch), 64);
    const slots = new Set<number>();
    for (let i = 0; i < 64; i += 1) {
      const at = batch.offset[i];
      slots.add(Math.floor(at / batch.slotBytes));
      assert.deepEqual(batch.buffer.slice(at, at + batch.length[i]), payloads[i]);
    }
    assert.equal(slots.size, 1);
    assert.equal(batch.slotBytes, 65_536);
  });

  test("64 packets of 1,200 bytes are more than one message holds", async () => {
    const server = await open(datapath, "::1", { joined: true });
    const client = await open(datapath, "::1");
    const payloads = Array.from({ length: 64 }, (_, i) => new Uint8Array(1200).fill(i));
    client.socket.send(batchOf(client.addresses.intern("::1", server.socket.port), payloads));
    await server.got(64);
    assert.deepEqual(
      server.received.map(({ bytes }) => bytes),
      payloads,
    );
  });

  test("packets to several peers reach each in order", async () => {
    const servers = await Promise.all(Array.from({ length: 5 }, () => open(datapath, "127.0.0.1", { joined: true })));
    const client = await open(datapath, "127.0.0.1");
    const batch = new PacketBatch(64);
    for (let i = 0; i < 60; i += 1) {
      const { socket } = servers[(i * i) % 5];
      batch.append(new Uint8Array(50).fill(i), 0, 50, client.addresses.intern("127.0.0.1", socket.port));
    }
    assert.equal(client.socket.send(batch), 60);
    for (const [s, server] of servers.entries()) {
      const expected = Array.from({ length: 60 }, (_, i) => i).filter((i) => (i * i) % 5 === s);
      await server.got(expected.length);
      assert.deepEqual(
        server.received.map(({ bytes }) => bytes[0]),
        expected,
      );
    }
  });

  for (const [name, host, peer] of [
    ["IPv4", "127.0.0.1", "127.0.0.1"],
    ["IPv6", "::1", "::1"],
    ["IPv4 through a dual-stack socket", "::", "127.0.0.1"],
    ["IPv6 through a dual-stack socket", "::", "::1"],
  ] as const) {
    test(`ECN bits go along: ${name}`, async () => {
      const server = await open(datapath, host, { joined: true });
      const client = await open(datapath, host === "::" ? undefined : host);
      const path = client.addresses.intern(peer, server.socket.port);
      const batch = batchOf(
        path,
        Array.from({ length: 12 }, () => new Uint8Array(40)),
      );
      const bits = [0, 0, 1, 1, 2, 2, 2, 3, 0, 1, 2, 3];
      batch.ecn.set(bits);
      assert.equal(client.socket.send(batch), 12);
      await server.got(12);
      assert.deepEqual(
        server.received.map(({ ecn }) => ecn),
        bits,
      );
      // And back, by the path that a packet named.
      const reply = batchOf(server.received[0].path, [new Uint8Array(1)]);
      reply.ecn[0] = 2;
      server.socket.send(reply);
      await client.got(1);
      assert.equal(client.received[0].ecn, 2);
    });
  }

  for (const host of ["0.0.0.0", "::"]) {
    test(`a reply leaves from the address that was asked: ${host}`, async () => {
      const server = await open(datapath, host, { joined: true });
      const plain = createSocket("udp4");
      plain.bind(0, "127.0.0.1");
      await once(plain, "listening");
      for (const [i, address] of ["127.0.0.7", "127.0.0.8"].entries()) {
        plain.send(Uint8Array.of(1), server.socket.port, address);
        await server.got(i + 1);
        const answered = once(plain, "message");
        // Two at once, so that they leave as one message.
        server.socket.send(batchOf(server.received[i].path, [new Uint8Array(9), new Uint8Array(9)]));
        const [, from] = (await answered) as [Uint8Array, { address: string }];
        assert.equal(from.address, address);
      }
      plain.close();
    });
  }

  test("a peer that the program named first is reached by whichever route there is", async () => {
    const client = await open(datapath, "0.0.0.0", { joined: true });
    const server = createSocket("udp4");
    server.bind(0, "127.0.0.1");
    await once(server, "listening");
    const path = client.addresses.intern("127.0.0.1", server.address().port);
    // Its packet comes to another address of ours, which the path does not keep.
    server.send(Uint8Array.of(1), client.socket.port, "127.0.0.9");
    await client.got(1);
    assert.equal(client.received[0].path, path);
    const answered = once(server, "message");
    client.socket.send(batchOf(path, [new Uint8Array(1)]));
    const [, from] = (await answered) as [Uint8Array, { address: string }];
    assert.equal(from.address, "127.0.0.1");
    server.close();
  });

  test("a packet too long for UDP is told as refused, its neighbours go", async () => {
    const server = await open(datapath, "127.0.0.1", { joined: true });
    const client = await open(datapath, "127.0.0.1");
    const path = client.addresses.intern("127.0.0.1", server.socket.port);
    const batch = batchOf(
      path,
      [100, 65_520, 100, 65_507].map((length) => new Uint8Array(length)),
    );
    assert.equal(client.socket.send(batch), 3);
    assert.deepEqual([...batch.refused.subarray(0, 4)], [0, 1, 0, 0]);
    assert.equal(client.socket.stats.sendFailed, 1);
    assert.equal(client.socket.capabilities.gso, true);
    await server.got(3);
    // Told anew with each batch.
    batch.length[1] = 100;
    assert.equal(client.socket.send(batch), 4);
    assert.deepEqual([...batch.refused.subarray(0, 4)], [0, 0, 0, 0]);
  });

  test("one call takes a bounded number of datagrams, however many wait", async () => {
    const server = await open(datapath, "127.0.0.1", { drain: false });
    const client = await open(datapath, "127.0.0.1");
    const batch = server.socket.createReceiveBatch();
    const path = client.addresses.intern("127.0.0.1", server.socket.port);
    const payloads = Array.from({ length: 64 }, () => new Uint8Array(20));
    for (let i = 0; i < 30; i += 1) client.socket.send(batchOf(path, payloads));
    let left = 30 * 64;
    while (left > 0) {
      const count = server.socket.receive(batch);
      assert.ok(count > 0 && count <= 1024, `${count} at once`);
      left -= count;
    }
    assert.equal(left, 0);
    assert.equal(server.socket.stats.receiveOverflowed, 0);
  });

  test("joined datagrams that do not fit a caller's own batch are counted, not written beyond it", async () => {
    const server = await open(datapath, "127.0.0.1", { drain: false });
    const client = await open(datapath, "127.0.0.1");
    server.socket.createReceiveBatch();
    const path = client.addresses.intern("127.0.0.1", server.socket.port);
    const payloads = Array.from({ length: 64 }, () => new Uint8Array(20));
    client.socket.send(batchOf(path, payloads));
    const few = new PacketBatch(8);
    assert.equal(server.socket.receive(few), 8);
    assert.deepEqual([server.socket.stats.packetsReceived, server.socket.stats.receiveOverflowed], [8, 56]);
    client.socket.send(batchOf(path, payloads));
    const short = new PacketBatch(64, 64);
    assert.equal(server.socket.receive(short), 0);
    assert.ok(server.socket.stats.receiveMalformed > 0);
  });

  test("a full address table drops what comes from others", async () => {
    const addresses = datapath.createAddressTable(1);
    const batch = new PacketBatch(4);
    const woken = Promise.withResolvers<void>();
    const socket = await datapath.openUdpSocket({ host: "127.0.0.1", addresses, onReadable: () => woken.resolve() });
    addresses.retain(addresses.intern("127.0.0.1", 9));
    const client = await open(datapath, "127.0.0.1");
    client.socket.send(batchOf(client.addresses.intern("127.0.0.1", socket.port), [new Uint8Array(5)]));
    await woken.promise;
    assert.equal(socket.receive(batch), 0);
    assert.deepEqual([socket.stats.packetsReceived, socket.stats.receiveOverflowed], [0, 1]);
    socket.close();
  });

  test("what a handler throws goes to uncaughtException, and the socket goes on", async () => {
    const client = await open(datapath, "127.0.0.1");
    const batch = new PacketBatch(4);
    let throws = true;
    const heard = Promise.withResolvers<void>();
    const socket = await datapath.openUdpSocket({
      host: "127.0.0.1",
      addresses: datapath.createAddressTable(4),
      onReadable: () => {
        if (throws) throw new Error("from a handler");
        if (socket.receive(batch) > 0) heard.resolve();
      },
    });
    const caught = Promise.withResolvers<Error>();
    // node:test listens as well, and would blame this test.
    const others = process.rawListeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.once("uncaughtException", (error) => {
      throws = false;
      caught.resolve(error);
    });
    client.socket.send(batchOf(client.addresses.intern("127.0.0.1", socket.port), [new Uint8Array(5)]));
    const error = await caught.promise;
    for (const other of others) process.on("uncaughtException", other as (error: Error) => void);
    assert.equal(error.message, "from a handler");
    await heard.promise;
    socket.close();
  });
});
