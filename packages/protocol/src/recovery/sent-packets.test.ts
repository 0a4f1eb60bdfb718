import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { MAX_SENT_PACKETS, SLOT_ACKED, SLOT_IN_FLIGHT, SentPackets } from "./sent-packets.ts";

test("packets in flight are found again, across gaps, growth and numbers above 2^32", () => {
  const step = fc.record({ gap: fc.integer({ min: 1, max: 40 }), finish: fc.nat(3) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.constantFrom(0, 2 ** 31 - 20, 2 ** 40), (steps, base) => {
      const sent = new SentPackets();
      const model = new Map<number, number>();
      let number = base;
      for (const { gap, finish } of steps) {
        number += gap;
        if (!sent.hasRoom(number)) break;
        const slot = sent.add(number, number * 2, gap, 0);
        sent.content[slot] = number * 3;
        model.set(number, gap);
        for (const first of [...model.keys()].slice(0, finish)) {
          sent.state[sent.slotOf(first)] = SLOT_ACKED;
          model.delete(first);
        }
        sent.advance();
        for (const [packet, bytes] of model) {
          const at = sent.slotOf(packet);
          assert.ok(at >= 0);
          assert.equal(sent.state[at], SLOT_IN_FLIGHT);
          assert.equal(sent.bytes[at], bytes);
          assert.equal(sent.sentAt[at], packet * 2);
          assert.equal(sent.content[at], packet * 3);
        }
        const oldest = model.size === 0 ? number + 1 : Math.min(...model.keys());
        assert.equal(sent.oldest, oldest);
      }
      assert.ok(sent.capacity <= MAX_SENT_PACKETS);
    }),
    { seed: 4, numRuns: 60 },
  );
});
