/** Values worked out from RFC 9438, in packets of 1200 bytes: C = 0.4, beta = 0.7, alpha = 3 * 0.3 / 1.7 = 0.529412. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { ackSample } from "../../test/support/ack-sample.ts";
import { CubicCongestionControl } from "./cubic-congestion-control.ts";

const PACKET = 1200;
const LOST = { packetNumber: 1, bytes: PACKET, sentBytesInFlight: 0, lostSinceSentBytes: 0, appLimited: false };

/** In congestion avoidance: a window of `packets` before one loss at time 0, and a round trip of `rttMs`. */
function reduced(packets: number, rttMs = 100): CubicCongestionControl {
  const cubic = new CubicCongestionControl({ initialWindowBytes: packets * PACKET });
  cubic.onPacketLost(LOST);
  cubic.onPacketsLost(PACKET, -50, false, 0);
  cubic.onAckProcessed(ackSample({ smoothedRttMs: rttMs, rttSampled: false }));
  return cubic;
}

function ack(cubic: CubicCongestionControl, packets: number, now: number, sentAt = now - 1): void {
  for (let i = 0; i < packets; i++) cubic.onPacketAcked(PACKET, sentAt, cubic.windowBytes, now);
}

/** A whole window acknowledged at the end of each round trip. */
function rounds(cubic: CubicCongestionControl, from: number, to: number, rttMs: number): void {
  for (let now = from; now <= to; now += rttMs) ack(cubic, Math.floor(cubic.windowBytes / PACKET), now);
}

function near(actual: number, expected: number, tolerance = 1e-6): void {
  assert.ok(Math.abs(actual - expected) <= tolerance * expected, `${actual}, not ${expected}`);
}

test("slow start adds what is acknowledged, but only while the window is in use", () => {
  const cubic = new CubicCongestionControl();
  assert.equal(cubic.windowBytes, 12_000);
  cubic.onPacketAcked(1200, 1, 12_000, 50);
  assert.equal(cubic.windowBytes, 13_200);
  cubic.onPacketAcked(1200, 2, 2400, 50);
  assert.equal(cubic.windowBytes, 13_200);
});

test("a congestion event takes the window to seven tenths, once per round trip", () => {
  const cubic = reduced(100);
  near(cubic.windowBytes, 70 * PACKET);
  cubic.onPacketsLost(PACKET, 0, false, 20);
  cubic.onEcnCongestion(0, 20);
  near(cubic.windowBytes, 70 * PACKET);
  cubic.onEcnCongestion(1, 110);
  near(cubic.windowBytes, 49 * PACKET);
});

test("the first packets of an epoch are in the Reno-friendly region, later ones on the curve", () => {
  const cubic = reduced(100);
  // t = 0: W_est = 70 + 0.529412 / 70 = 70.007563, W_cubic(0) = 70: Reno would be ahead.
  ack(cubic, 1, 200);
  near(cubic.windowBytes, 70.007563 * PACKET);
  // K = cbrt(30 / 0.4) = 4.217163. t = 1: W_cubic(1) = 100 - 0.4 * 3.217163^3 = 86.680907, ahead of W_est = 70.015.
  // target = W_cubic(1.1) = 100 - 0.4 * 3.117163^3 = 87.884442, below the limit of 1.5 * 70.007563.
  // window = 70.007563 + (87.884442 - 70.007563) / 70.007563 = 70.262919.
  ack(cubic, 1, 1200);
  near(cubic.windowBytes, 70.262919 * PACKET);
});

test("the window is back at the old maximum after K seconds, flat there, and grows beyond", () => {
  const cubic = reduced(100);
  rounds(cubic, 100, 4300, 100);
  // The epoch starts at 100 ms; K = 4.217 s.
  near(cubic.windowBytes, 100 * PACKET, 0.002);
  // One second behind the plateau: W_cubic = 100 + 0.4 * 1^3.
  rounds(cubic, 4400, 5300, 100);
  near(cubic.windowBytes, 100.4 * PACKET, 0.002);
  // Four seconds behind: 100 + 0.4 * 4^3 = 125.6.
  rounds(cubic, 5400, 8300, 100);
  near(cubic.windowBytes, 125.6 * PACKET, 0.01);
});

test("the window grows by half per round trip at most", () => {
  const cubic = reduced(100, 1000);
  ack(cubic, 1, 1000);
  const before = cubic.windowBytes;
  // 60 s later W_cubic is far above: target = 1.5 window, so one packet adds half a packet.
  ack(cubic, 1, 61_000);
  near(cubic.windowBytes, before + PACKET / 2);
});

test("fast convergence: a loss below the old maximum lowers the next one", () => {
  // Behind the loss at 100: window 70, W_max 100. A loss at 70: window 49, W_max = 70 * 1.7 / 2 = 59.5.
  // K = cbrt(10.5 / 0.4) = 2.971 s. The round trip is long, so that Reno stays behind.
  const fast = reduced(100, 400);
  fast.onPacketsLost(PACKET, 1, false, 400);
  rounds(fast, 800, 3600, 400);
  near(fast.windowBytes, 59.5 * PACKET, 0.01);
  // Without it W_max = 70, K = cbrt(21 / 0.4) = 3.744 s.
  const slow = new CubicCongestionControl({ initialWindowBytes: 100 * PACKET, fastConvergence: false });
  slow.onAckProcessed(ackSample({ smoothedRttMs: 400, rttSampled: false }));
  slow.onPacketsLost(PACKET, -50, false, 0);
  slow.onPacketsLost(PACKET, 1, false, 400);
  rounds(slow, 800, 4400, 400);
  near(slow.windowBytes, 70 * PACKET, 0.01);
});

test("on a short path the window follows Reno: 0.53 packets a round up to the old window, one a round beyond", () => {
  const cubic = reduced(10, 10);
  // From 7 packets, three rounds: each packet of a window w adds alpha / w. W_cubic stays below:
  // K = cbrt(3 / 0.4) = 1.957 s, W_cubic(0.02) = 10 - 0.4 * 1.937^3 = 7.09.
  for (let i = 0; i < 21; i++) ack(cubic, 1, 10 + Math.floor(i / 7) * 10);
  let reno = 7;
  for (let i = 0; i < 21; i++) reno += 0.529412 / reno;
  near(cubic.windowBytes, reno * PACKET);
  assert.ok(reno > 8.4 && reno < 8.6);
  // Beyond 10 packets each window acknowledged adds one: from 10 in ten rounds to about 20.
  while (cubic.windowBytes < 10 * PACKET) ack(cubic, 1, 50);
  rounds(cubic, 60, 150, 10);
  near(cubic.windowBytes, 19.6 * PACKET, 0.03);
});

test("a window that is not in use does not grow, and the curve stands still meanwhile", () => {
  const busy = reduced(100);
  const paused = reduced(100);
  rounds(busy, 100, 1000, 100);
  rounds(paused, 100, 1000, 100);
  const before = paused.windowBytes;
  for (let now = 1100; now <= 21_100; now += 100) paused.onPacketAcked(PACKET, now - 1, PACKET, now);
  assert.equal(paused.windowBytes, before);
  rounds(busy, 1100, 2000, 100);
  rounds(paused, 21_100, 22_000, 100);
  near(paused.windowBytes, busy.windowBytes, 0.001);
});

test("persistent congestion starts over from two packets, up to the threshold in slow start", () => {
  const cubic = new CubicCongestionControl({ initialWindowBytes: 100 * PACKET });
  cubic.onPacketsLost(PACKET, -50, true, 0);
  assert.equal(cubic.windowBytes, 2400);
  rounds(cubic, 100, 500, 100);
  near(cubic.windowBytes, 64 * PACKET);
  rounds(cubic, 600, 600, 100);
  near(cubic.windowBytes, 70 * PACKET, 0.02);
});

test("a congestion event of which nothing was really lost did not happen", () => {
  const cubic = new CubicCongestionControl({ initialWindowBytes: 100 * PACKET });
  for (let i = 0; i < 2; i++) cubic.onPacketLost(LOST);
  cubic.onPacketsLost(2 * PACKET, -50, false, 0);
  cubic.onSpuriousLoss(10);
  near(cubic.windowBytes, 70 * PACKET);
  cubic.onSpuriousLoss(10);
  near(cubic.windowBytes, 100 * PACKET);
  cubic.onSpuriousLoss(10);
  near(cubic.windowBytes, 100 * PACKET);
});

test("the pacing rate is a quarter above the window per round trip, double in slow start", () => {
  const cubic = new CubicCongestionControl();
  assert.equal(cubic.pacingIntervalMs, 0);
  cubic.onAckProcessed(ackSample());
  assert.equal(cubic.pacingRateBytesPerSec, 240_000);
  assert.equal(cubic.pacingIntervalMs, 5);
  cubic.onPacketsLost(PACKET, 10, false, 60);
  cubic.onAckProcessed(ackSample());
  assert.equal(cubic.pacingRateBytesPerSec, 105_000);
});
