import assert from "node:assert/strict";
import { test } from "node:test";
import { BandwidthEstimate } from "./bandwidth-estimate.ts";
import { PACKET_APP_LIMITED, SentPackets } from "./sent-packets.ts";

/** Sends a packet every `gapMs` and acknowledges each after 50 ms. */
function run(estimate: BandwidthEstimate, from: number, packets: number, gapMs: number, flags: number): void {
  const sent = new SentPackets();
  const slots: number[] = [];
  let inFlight = 0;
  for (let now = from; slots.length < packets || inFlight > 0; now += gapMs) {
    for (let number = 0; number < slots.length; number++) {
      const slot = slots[number];
      if (sent.state[slot] !== 1 || sent.sentAt[slot] + 50 > now) continue;
      sent.state[slot] = 2;
      inFlight -= 1000;
      estimate.onAcked(sent, slot, now);
      estimate.onAckProcessed(50, 50, now);
    }
    if (slots.length === packets) continue;
    const slot = sent.add(slots.length, now, 1000, flags);
    slots.push(slot);
    estimate.onSent(sent, slot, inFlight, now);
    inFlight += 1000;
  }
}

test("a steady flow is measured at its rate, and an idle sender does not lower it", () => {
  const estimate = new BandwidthEstimate(0);
  run(estimate, 0, 200, 2, 0); // 1000 bytes every 2 ms
  assert.ok(Math.abs(estimate.bytesPerSec - 500_000) < 30_000, `${estimate.bytesPerSec}`);
  const before = estimate.bytesPerSec;
  run(estimate, 1000, 20, 100, PACKET_APP_LIMITED);
  assert.equal(estimate.bytesPerSec, before);
});
