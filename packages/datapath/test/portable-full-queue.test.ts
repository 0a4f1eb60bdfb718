/** The portable socket when the kernel's send queue is full, which libuv tells by packets that it could not hand over. */
import assert from "node:assert/strict";
import { Socket } from "node:dgram";
import { afterEach, test } from "node:test";
import type { PacketBatch } from "../src/index.ts";
import { portableDatapath } from "./forms.ts";
import { batchOf, closeAll, open } from "./sockets.ts";

afterEach(closeAll);

test("portable: the batch that fills the queue is kept whole, later ones are dropped and counted until there is room", async (t) => {
  let queued = 0;
  t.mock.method(Socket.prototype, "getSendQueueCount", () => queued);
  const receiver = await open(portableDatapath, "127.0.0.1");
  const writable = Promise.withResolvers<void>();
  const addresses = portableDatapath.createAddressTable(4);
  const sender = await portableDatapath.openUdpSocket({
    host: "127.0.0.1",
    addresses,
    onReadable: () => {},
    onWritable: () => writable.resolve(),
  });
  t.after(() => sender.close());
  const path = addresses.intern("127.0.0.1", receiver.socket.port);
  const batch = (...numbers: number[]): PacketBatch =>
    batchOf(
      path,
      numbers.map((number) => Uint8Array.of(number)),
    );
  queued = 1;
  assert.equal(sender.send(batch(1, 2, 3)), 3);
  assert.equal(sender.writable, false);
  assert.equal(sender.send(batch(4, 5)), 0);
  assert.deepEqual([sender.stats.packetsSent, sender.stats.sendOverflowed], [3, 2]);
  queued = 0;
  await writable.promise;
  assert.equal(sender.writable, true);
  assert.equal(sender.send(batch(6)), 1);
  await receiver.got(4);
  assert.deepEqual(
    receiver.received.map(({ bytes }) => bytes[0]),
    [1, 2, 3, 6],
  );
});
