/** Values worked out from RFC 9002 section 7. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { ackSample } from "../../test/support/ack-sample.ts";
import { NewRenoCongestionControl } from "./new-reno-congestion-control.ts";

test("slow start adds what is acknowledged, but only while the window is in use", () => {
  const reno = new NewRenoCongestionControl();
  assert.equal(reno.windowBytes, 12_000);
  reno.onPacketAcked(1200, 1, 12_000, 50);
  assert.equal(reno.windowBytes, 13_200);
  reno.onPacketAcked(200, 2, 400, 50);
  assert.equal(reno.windowBytes, 13_200);
});

test("a round trip of losses halves the window once", () => {
  const reno = new NewRenoCongestionControl();
  reno.onPacketsLost(1200, 10, false, 60);
  assert.equal(reno.windowBytes, 6_000);
  reno.onPacketsLost(1200, 59, false, 70);
  reno.onEcnCongestion(60, 70);
  assert.equal(reno.windowBytes, 6_000);
  reno.onPacketsLost(1200, 61, false, 120);
  assert.equal(reno.windowBytes, 3_000);
  reno.onEcnCongestion(121, 180);
  assert.equal(reno.windowBytes, 2_400, "never below two packets");
});

test("avoidance adds one packet for each window acknowledged; packets from before the loss do not count", () => {
  const reno = new NewRenoCongestionControl();
  reno.onPacketsLost(1200, 10, false, 60);
  for (let i = 0; i < 10; i++) reno.onPacketAcked(1200, 50, 6_000, 100);
  assert.equal(reno.windowBytes, 6_000);
  for (let i = 0; i < 5; i++) reno.onPacketAcked(1200, 61, 6_000, 110);
  assert.equal(reno.windowBytes, 7_200);
  for (let i = 0; i < 5; i++) reno.onPacketAcked(1200, 61, 1_200, 110);
  assert.equal(reno.windowBytes, 7_200, "a window that is not in use does not grow");
});

test("persistent congestion starts over from two packets", () => {
  const reno = new NewRenoCongestionControl({ initialWindowBytes: 120_000 });
  reno.onPacketsLost(1200, 10, true, 60);
  assert.equal(reno.windowBytes, 2_400);
});

test("the pacing rate is a quarter above the window per round trip, double in slow start", () => {
  const reno = new NewRenoCongestionControl();
  const sample = ackSample({ now: 100 });
  assert.equal(reno.pacingRateBytesPerSec, Infinity);
  assert.equal(reno.pacingIntervalMs, 0);
  reno.onAckProcessed(sample);
  assert.equal(reno.pacingRateBytesPerSec, 240_000);
  assert.equal(reno.pacingIntervalMs, 5);
  reno.onPacketsLost(1200, 10, false, 60);
  reno.onAckProcessed(sample);
  assert.equal(reno.pacingRateBytesPerSec, 75_000);
});
