import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { PACKET_LOST, PACKET_RECEIVED, PACKET_SENT, PacketRing, emptyMetrics, emptyPacket } from "./packet-ring.ts";

test("whatever is written, the newest packets are read back as they were, with those payloads that still fit", () => {
  const lengths = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 60 });
  fc.assert(
    fc.property(lengths, fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 100 }), (sizes, packets, bytes) => {
      const ring = new PacketRing(packets, bytes);
      const metrics = emptyMetrics();
      for (const [i, length] of sizes.entries()) {
        metrics.bytesInFlight = i;
        ring.add(i % 2 === 0 ? PACKET_SENT : PACKET_RECEIVED, i, 1000 + i, length, metrics);
        ring.addPayload(new Uint8Array(60).fill(i), 7, length, 20 + i, false);
      }
      assert.equal(ring.count, sizes.length);
      assert.equal(ring.first, Math.max(0, sizes.length - ring.capacity));
      const packet = emptyPacket();
      let later = 0;
      for (let i = ring.count - 1; i >= ring.first; i--) {
        ring.read(i, packet);
        assert.deepEqual(
          [packet.at, packet.packetNumber, packet.length, packet.overheadBytes, packet.metrics.bytesInFlight],
          [i, 1000 + i, sizes[i], 20 + i, i],
        );
        assert.equal(packet.kind, i % 2 === 0 ? PACKET_SENT : PACKET_RECEIVED);
        if (sizes[i] <= bytes) later += sizes[i];
        const isHeld = sizes[i] <= bytes && later <= bytes;
        assert.equal(packet.payload !== undefined, isHeld, `payload ${i} of ${sizes.join()} in ${bytes} bytes`);
        if (packet.payload !== undefined) assert.deepEqual(packet.payload, new Uint8Array(sizes[i]).fill(i));
      }
    }),
    { seed: 1 },
  );
});

test("a snapshot does not change any more", () => {
  const ring = new PacketRing(4, 64);
  const metrics = emptyMetrics();
  ring.add(PACKET_SENT, 1, 1, 3, metrics);
  ring.addPayload(Uint8Array.of(7, 7, 7), 0, 3, 18, true);
  const copy = ring.snapshot();
  for (let i = 2; i < 30; i++) {
    ring.add(PACKET_LOST, i, i, 0, metrics);
    ring.addPayload(new Uint8Array(30), 0, 30, 18, false);
  }
  const packet = emptyPacket();
  copy.read(0, packet);
  assert.deepEqual(
    [copy.count, packet.kind, packet.isRaw, packet.payload],
    [1, PACKET_SENT, true, Uint8Array.of(7, 7, 7)],
  );
});

test("it takes the memory it says, whatever it has seen", () => {
  assert.equal(new PacketRing(2048, 262_144).heldBytes, 262_144 + 2048 * 99);
});
