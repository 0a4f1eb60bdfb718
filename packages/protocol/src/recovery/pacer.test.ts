import assert from "node:assert/strict";
import { test } from "node:test";
import { Pacer } from "./pacer.ts";

test("after a burst, packets leave at the rate", () => {
  const pacer = new Pacer(1200, 0);
  pacer.setRate(1_200_000, 0); // one packet a millisecond
  let now = 0;
  let sent = 0;
  while (now < 1000) {
    const at = pacer.nextSendAt(now);
    if (at > now) {
      assert.ok(at - now >= 2 && at - now < 12, "no wake-up finer than a quantum");
      now = at;
      continue;
    }
    pacer.onSent(1200, now);
    sent++;
  }
  assert.ok(sent >= 1000 && sent <= 1015, `${sent} packets in a second`);
});

test("without a rate nothing waits", () => {
  const pacer = new Pacer(1200, 0);
  for (let i = 0; i < 100; i++) {
    assert.equal(pacer.nextSendAt(0), 0);
    pacer.onSent(1200, 0);
  }
});

test("after a pause, ten milliseconds' worth goes at once, from two to ten packets", () => {
  for (const [bytesPerSec, packets] of [
    [60_000, 2],
    [600_000, 5],
    [12_000_000, 20], // a quantum of 2 ms is more than ten packets
    [3_600_000, 10],
  ]) {
    const pacer = new Pacer(1200, 0);
    pacer.setRate(bytesPerSec, 0);
    let sent = 0;
    for (; pacer.nextSendAt(1000) <= 1000; sent++) pacer.onSent(1200, 1000);
    assert.equal(sent, packets);
  }
});
