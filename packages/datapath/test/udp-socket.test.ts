import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { afterEach, test } from "node:test";
import { PacketBatch } from "../src/index.ts";
import type { UdpSocket } from "../src/index.ts";
import { forms, nativeDatapath, portableDatapath } from "./forms.ts";
import { batchOf, closeAll, open } from "./sockets.ts";

afterEach(closeAll);

const FAMILIES = [
  ["IPv4", "127.0.0.1", "127.0.0.1"],
  ["IPv6", "::1", "::1"],
  ["dual stack, IPv4 peer", "::", "127.0.0.1"],
  ["dual stack, IPv6 peer", "::", "::1"],
] as const;

for (const datapath of forms) {
  const { name: form } = datapath;

  for (const [name, host, peer] of FAMILIES) {
    for (const joined of [false, true]) {
      test(`${form}: batches go there and back: ${name}${joined ? ", into a batch of the socket's own" : ""}`, async () => {
        const server = await open(datapath, host, { joined });
        const client = await open(datapath, peer, { joined });
        const path = client.addresses.intern(peer, server.socket.port);
        // Sizes that rise, stay and fall: what is joined on the way comes apart again.
        const sizes = Array.from({ length: 60 }, (_, i) => (i < 20 ? i * 60 + 1 : i < 50 ? 1200 : 1260 - i));
        const payloads = sizes.map((size, i) => new Uint8Array(size).fill(i));
        assert.equal(client.socket.send(batchOf(path, payloads)), 60);
        await server.got(60);
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
        assert.equal(client.socket.stats.packetsSent, 60);
        assert.equal(server.socket.stats.packetsReceived, 60);
        assert.equal(server.socket.stats.bytesReceived, client.socket.stats.bytesSent);
      });
    }
  }

  test(`${form}: without a host, every address of this machine is bound`, async () => {
    const server = await open(datapath);
    const client = await open(datapath, "127.0.0.1");
    client.socket.send(batchOf(client.addresses.intern("127.0.0.1", server.socket.port), [new Uint8Array(5)]));
    await server.got(1);
    assert.ok(server.socket.receiveBufferBytes > 0 && server.socket.sendBufferBytes > 0);
  });

  test(`${form}: datagrams that are empty or longer than a slot are counted, the others arrive`, async () => {
    const server = await open(datapath, "127.0.0.1");
    const plain = createSocket("udp4");
    for (const bytes of [new Uint8Array(0), new Uint8Array(2049), new Uint8Array(2048), new Uint8Array(1)]) {
      plain.send(bytes, server.socket.port, "127.0.0.1");
    }
    await server.got(2);
    const { packetsReceived, bytesReceived, receiveMalformed, receiveOverflowed } = server.socket.stats;
    assert.deepEqual([packetsReceived, bytesReceived, receiveMalformed, receiveOverflowed], [2, 2049, 2, 0]);
    plain.close();
  });

  test(`${form}: as long as datagrams wait, every turn tells so, and timers run in between`, async () => {
    const server = await open(datapath, "127.0.0.1", { drain: false });
    const client = await open(datapath, "127.0.0.1");
    const path = client.addresses.intern("127.0.0.1", server.socket.port);
    client.socket.send(batchOf(path, [new Uint8Array(10), new Uint8Array(20), new Uint8Array(30)]));
    for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setTimeout(resolve, 1));
    const before = server.wakes();
    assert.ok(before > 0);
    for (let i = 0; i < 3; i += 1) await new Promise((resolve) => setTimeout(resolve, 1));
    assert.ok(server.wakes() > before);
    const batch = new PacketBatch(64);
    assert.equal(server.socket.receive(batch), 3);
    assert.deepEqual([...batch.length.subarray(0, 3)], [10, 20, 30]);
    assert.equal(server.socket.receive(batch), 0);
  });

  test(`${form}: a flood fills the receive queue, which drops and counts`, async () => {
    const limit = form === "native" ? { bufferBytes: 10_000 } : { receiveQueuePackets: 8 };
    const server = await open(datapath, "127.0.0.1", { drain: false, ...limit });
    const client = await open(datapath, "127.0.0.1");
    const path = client.addresses.intern("127.0.0.1", server.socket.port);
    const sizes = Array.from({ length: 64 }, (_, i) => new Uint8Array(500 + (i % 2)));
    for (let i = 0; i < 4; i += 1) client.socket.send(batchOf(path, sizes));
    for (let i = 0; i < 20; i += 1) await new Promise((resolve) => setImmediate(resolve));
    const batch = new PacketBatch(64);
    const first = server.socket.receive(batch);
    assert.ok(first > 0 && first < 64, `${first} of 256 were kept`);
    // The kernel tells of its drops with the next datagram.
    client.socket.send(batchOf(path, [new Uint8Array(7)]));
    while (server.socket.receive(batch) === 0) await new Promise((resolve) => setImmediate(resolve));
    while (server.socket.receive(batch) > 0);
    const { packetsReceived, receiveOverflowed } = server.socket.stats;
    assert.ok(receiveOverflowed > 100, `${receiveOverflowed} dropped`);
    assert.equal(packetsReceived + receiveOverflowed, 4 * 64 + 1, "each counted once");
  });

  test(`${form}: sockets that agree to it share a port, others do not`, async () => {
    const first = await open(datapath, "127.0.0.1", { reusePort: true });
    const second = await open(datapath, "127.0.0.1", { reusePort: true, port: first.socket.port });
    assert.equal(second.socket.port, first.socket.port);
    await assert.rejects(open(datapath, "127.0.0.1", { port: first.socket.port }), { code: "EADDRINUSE" });
  });

  test(`${form}: an address that is not this machine's is refused with the system's code`, async () => {
    await assert.rejects(open(datapath, "192.0.2.1"), { code: "EADDRNOTAVAIL", syscall: "bind" });
    await assert.rejects(open(datapath, "no-such-host.invalid"), { code: /^(?:ENOTFOUND|EAI_AGAIN)$/ });
  });

  test(`${form}: sockets may close at any time, also while they are told of something`, async () => {
    const client = await open(datapath, "127.0.0.1");
    const addresses = datapath.createAddressTable(4);
    const closed = Promise.withResolvers<void>();
    const socket: UdpSocket = await datapath.openUdpSocket({
      host: "127.0.0.1",
      addresses,
      onReadable: () => {
        socket.close();
        assert.equal(socket.receive(new PacketBatch(1)), 0);
        closed.resolve();
      },
    });
    client.socket.send(batchOf(client.addresses.intern("127.0.0.1", socket.port), [new Uint8Array(1)]));
    await closed.promise;
    // Its port is free again at once.
    await open(datapath, "127.0.0.1", { port: socket.port });
    assert.equal(socket.writable, false);
  });

  test(`${form}: an address table of another form is refused`, async () => {
    const other = datapath === portableDatapath ? nativeDatapath : portableDatapath;
    if (other === undefined) return;
    const options = { addresses: other.createAddressTable(4), onReadable: () => {} };
    await assert.rejects(datapath.openUdpSocket(options), /createAddressTable/);
  });

  test(`${form}: nobody listening, a bad address, a skipped path: loss, never an exception`, async () => {
    const client = await open(datapath, "127.0.0.1");
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
    // An address of the other family.
    assert.ok(batch.append(new Uint8Array(4), 0, 4, client.addresses.intern("::1", port)));
    client.socket.send(batch);
    client.socket.send(batch);
    while (client.socket.stats.sendFailed < 6) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(client.socket.stats.sendFailed, 6);
    assert.equal(client.socket.stats.packetsSent, form === "native" ? 2 : 6);
    client.socket.close();
    client.socket.close();
    assert.equal(client.socket.send(batch), 0);
  });

  test(`${form}: a port in use rejects with the system's code`, async () => {
    const first = await open(datapath, "127.0.0.1");
    await assert.rejects(
      datapath.openUdpSocket({
        port: first.socket.port,
        host: "127.0.0.1",
        addresses: datapath.createAddressTable(4),
        onReadable: () => {},
      }),
      { code: "EADDRINUSE" },
    );
  });
}
