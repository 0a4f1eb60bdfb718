import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageChannel, Worker } from "node:worker_threads";
import * as fc from "fast-check";
import { DATAGRAMS, LaneReader, LaneWriter, RELIABLE, UNRELIABLE, laneMemory } from "./message-lane.ts";

const RING_BYTES = 2 ** 20;

function open(): { writer: LaneWriter; reader: LaneReader; close: () => void } {
  const memory = laneMemory(RING_BYTES);
  const { port1, port2 } = new MessageChannel();
  const close = (): void => {
    port1.close();
    port2.close();
  };
  return { writer: new LaneWriter(memory, port1), reader: new LaneReader(memory, port2), close };
}

test("records of all rings come in the order in which they were written, batch by batch", () => {
  const { writer, reader, close } = open();
  const record = fc.record({ ring: fc.constantFrom(RELIABLE, UNRELIABLE, DATAGRAMS, 3), length: fc.nat(3000) });
  let next = 0;
  let read = 0;
  fc.assert(
    fc.property(fc.array(record, { maxLength: 40 }), fc.boolean(), (records, publish) => {
      for (const { ring, length } of records) {
        const bytes = new Uint8Array(length).fill(next & 255);
        if (ring === RELIABLE) assert.ok(writer.writeReliable(1, next, 0, 0, bytes, 0, length));
        else if (ring === UNRELIABLE) writer.writeUnreliable(1, next, 0, 0, 0, bytes, 0, length);
        else if (ring === DATAGRAMS) writer.writeDatagram(1, next, bytes, 0, length);
        else writer.writeEvent(1, next, 0, 0, bytes);
        next++;
      }
      if (!publish) return;
      writer.publish();
      reader.begin();
      for (; reader.next(); read++) {
        const { slot, buffer, length } = reader.record;
        assert.equal(slot, read);
        assert.ok(length === 0 || (buffer[0] === (read & 255) && buffer[length - 1] === (read & 255)));
      }
      assert.equal(read, next);
      assert.ok(!writer.pending);
    }),
    { seed: 11, numRuns: 300 },
  );
  close();
});

test("a message larger than a quarter of the ring goes by the port, in its place", () => {
  const { writer, reader, close } = open();
  const large = Uint8Array.from({ length: RING_BYTES }, (_, i) => i & 255);
  writer.writeReliable(1, 1, 0, 0, large, 0, 10);
  writer.writeReliable(2, 2, 0, 9, large, 0, large.length);
  writer.writeReliable(3, 3, 0, 0, large, 0, 10);
  writer.publish();
  reader.begin();
  assert.ok(reader.next());
  assert.ok(reader.next());
  const { kind, slot, argument, buffer, length } = reader.record;
  assert.deepEqual([kind, slot, argument, length], [2, 2, 9, large.length]);
  assert.ok(Buffer.from(buffer).equals(large));
  assert.ok(reader.next());
  assert.equal(reader.record.kind, 3);
  assert.ok(!reader.next());
  close();
});

test("a full lane refuses messages, keeps events, and says when there is room", () => {
  const { writer, reader, close } = open();
  const bytes = new Uint8Array(10_000);
  let written = 0;
  while (writer.writeReliable(1, written, 0, 0, bytes, 0, bytes.length)) written++;
  assert.ok(written >= 90 && !writer.checkRoom());
  for (let i = 0; i < 20; i++) writer.writeEvent(2, i, 0, 0, bytes);
  assert.ok(!writer.writeReliable(1, 0, 0, 0, bytes, 0, 1), "never past an event that waits");
  writer.publish();
  reader.begin();
  const events: number[] = [];
  const drain = (): void => {
    while (reader.next()) if (reader.record.kind === 2) events.push(reader.record.slot);
  };
  drain();
  assert.ok(events.length < 20, "some did not fit");
  assert.ok(reader.takeRoomWanted());
  assert.ok(!reader.takeRoomWanted(), "told once");
  assert.ok(writer.writeReliable(1, 0, 0, 0, bytes, 0, 1), "what waited goes first, then this");
  assert.ok(writer.checkRoom());
  writer.publish();
  reader.begin();
  drain();
  assert.deepEqual(
    events,
    Array.from({ length: 20 }, (_, i) => i),
  );
  close();
});

test("a reader that sleeps is woken once for each batch, one that does not is not", () => {
  const { writer, reader, close } = open();
  const bytes = new Uint8Array(4);
  writer.writeUnreliable(1, 0, 0, 0, 0, bytes, 0, 4);
  assert.ok(!writer.publish(), "it is awake");
  reader.begin();
  while (reader.next());
  assert.ok(reader.sleep());
  for (let i = 0; i < 5; i++) writer.writeUnreliable(1, i, 0, 0, 0, bytes, 0, 4);
  assert.ok(writer.publish());
  assert.ok(!writer.publish(), "nothing new");
  writer.writeUnreliable(1, 0, 0, 0, 0, bytes, 0, 4);
  assert.ok(!writer.publish(), "once");
  reader.begin();
  while (reader.next());
  writer.writeUnreliable(1, 0, 0, 0, 0, bytes, 0, 4);
  writer.publish();
  assert.ok(!reader.sleep(), "something came meanwhile");
  close();
});

test("two threads: nothing reliable is lost, what is dropped is dropped whole, and the order holds", async () => {
  const memory = laneMemory(RING_BYTES);
  const { port1, port2 } = new MessageChannel();
  const reader = new LaneReader(memory, port2);
  const rounds = 4000;
  const worker = new Worker(new URL("../../test/children/lane-writer.child.ts", import.meta.url), {
    workerData: { memory, port: port1, rounds },
    transferList: [port1],
  });
  const result: { written?: { reliable: number; others: number; dropped: number } } = {};
  worker.on("message", (value: NonNullable<typeof result.written>) => (result.written = value));
  const seen = [0, 0, 0, 0];
  let reliable = 0;
  let newest = -1;
  while (result.written === undefined || reliable < result.written.reliable) {
    reader.begin();
    while (reader.next()) {
      const { kind, slot, argument, buffer, length } = reader.record;
      assert.ok(slot > newest, `${slot} after ${newest}`);
      newest = slot;
      seen[kind]++;
      assert.equal(length, argument);
      for (let i = 0; i < length; i += 37) assert.equal(buffer[i], (slot + i) & 255);
      if (kind !== 1) continue;
      reliable++;
    }
    // Slow now and then, so that rings fill; and always back to the event loop for the worker's message.
    if (reader.takeRoomWanted()) worker.postMessage("room");
    await new Promise((resolve) => (reliable % 7 === 0 ? setTimeout(resolve, 2) : setImmediate(resolve)));
  }
  reader.begin();
  while (reader.next()) seen[reader.record.kind]++;
  const { written } = result;
  assert.equal(reliable, written.reliable);
  assert.equal(seen[2] + seen[3] + written.dropped, written.others);
  assert.ok(written.dropped > 0, "the rings were full at times, or this proves little");
  port2.close();
  await worker.terminate();
});
