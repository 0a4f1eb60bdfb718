import assert from "node:assert/strict";
import { test } from "node:test";
import { NewRenoCongestionControl } from "../congestion/new-reno-congestion-control.ts";
import { AckFrame } from "./ack-frame.ts";
import { LossDetector } from "./loss-detector.ts";
import type { PacketFateListener } from "./loss-detector.ts";
import { PACKET_EAGER, PACKET_MTU_PROBE } from "./sent-packets.ts";

class Bench implements PacketFateListener {
  readonly congestion = new NewRenoCongestionControl();
  readonly detector = new LossDetector({ congestion: this.congestion, now: 0 });
  acked: number[] = [];
  lost: number[] = [];

  onPacketAcked(slot: number): void {
    this.acked.push(this.detector.sent.number[slot]);
  }

  onPacketLost(slot: number): void {
    this.lost.push(this.detector.sent.number[slot]);
  }

  send(packetNumber: number, now: number, bytes = 1000): void {
    this.detector.onPacketSent(packetNumber, bytes, PACKET_EAGER, this, now);
  }

  ack(lowest: number, highest: number, now: number): boolean {
    const frame = new AckFrame();
    frame.largest = highest;
    frame.rangeCount = 1;
    frame.lowest[0] = lowest;
    frame.highest[0] = highest;
    return this.detector.onAckReceived(frame, this, now);
  }
}

test("a packet is lost when one sent three later was acknowledged", () => {
  const bench = new Bench();
  for (let number = 0; number < 5; number++) bench.send(number, number);
  bench.ack(2, 2, 50);
  assert.deepEqual(bench.lost, []);
  bench.ack(3, 3, 51);
  assert.deepEqual(bench.lost, [0]);
  bench.ack(4, 4, 52);
  assert.deepEqual(bench.lost, [0, 1]);
  assert.equal(bench.detector.bytesInFlight, 0);
});

test("losses in a row are a burst, whatever is not recorded between them, and whichever ACK frames show them", () => {
  for (const probe of [false, true]) {
    const bench = new Bench();
    for (const number of [0, 1]) bench.send(number, number);
    if (probe) bench.detector.onPacketSent(3, 0, PACKET_MTU_PROBE, bench, 3);
    for (const number of [4, 5, 6, 7]) bench.send(number, number);
    bench.ack(0, 0, 50);
    bench.ack(5, 5, 51);
    assert.deepEqual(bench.lost, [1]);
    assert.equal(bench.detector.bursts.meanPackets, 1);
    bench.ack(7, 7, 52);
    assert.deepEqual(bench.lost, probe ? [1, 3, 4] : [1, 4]);
    assert.equal(bench.detector.bursts.meanPackets, 2);
    // 5 and 7 arrived: 6 is a run of its own, and so is 8.
    for (const number of [8, 9, 10, 11]) bench.send(number, 60 + number);
    bench.ack(9, 11, 121);
    assert.deepEqual(bench.lost.slice(-2), [6, 8]);
    assert.equal(bench.detector.bursts.meanPackets, (2 + 1 + 1) / 3);
  }
});

test("a packet is lost an eighth of a round trip after a later one was acknowledged", () => {
  const bench = new Bench();
  bench.send(0, 0);
  bench.send(1, 10);
  bench.ack(1, 1, 90); // round trip 80: lost at 0 + 90
  assert.deepEqual(bench.lost, [0], "already an eighth late");
  const other = new Bench();
  other.send(0, 0);
  other.send(1, 1);
  other.ack(1, 1, 81);
  assert.deepEqual(other.lost, []);
  assert.equal(other.detector.nextTimeout(), 90);
  other.detector.handleTimeout(other, 89.9);
  assert.deepEqual(other.lost, []);
  other.detector.handleTimeout(other, 90);
  assert.deepEqual(other.lost, [0]);
  assert.equal(other.detector.nextTimeout(), Infinity);
});

test("a probe timeout asks for probes, backs off, and declares nothing lost", () => {
  const bench = new Bench();
  bench.send(0, 0);
  bench.ack(0, 0, 40);
  bench.send(1, 100);
  // smoothed 40, variation 20: 40 + 4 * 20 + 25
  assert.equal(bench.detector.nextTimeout(), 245);
  bench.detector.handleTimeout(bench, 245);
  assert.equal(bench.detector.probesPending, 1);
  assert.deepEqual(bench.lost, []);
  bench.send(2, 245);
  assert.equal(bench.detector.probesPending, 0);
  assert.equal(bench.detector.nextTimeout(), 245 + 290);
  bench.detector.handleTimeout(bench, 535);
  assert.equal(bench.detector.probesPending, 2);
  bench.send(3, 535);
  bench.send(4, 535);
  assert.equal(bench.detector.nextTimeout(), 535 + 500, "backoff ends at half a second");
  bench.ack(4, 4, 575);
  assert.equal(bench.detector.probeTimeouts, 0);
});

test("acknowledgements of packets never sent are passed over", () => {
  const bench = new Bench();
  for (let number = 10; number < 13; number++) bench.send(number, 0);
  assert.equal(bench.ack(13, 2 ** 52, 10), false);
  assert.equal(bench.ack(0, 9, 10), false);
  assert.deepEqual([bench.acked, bench.lost, bench.detector.bytesInFlight], [[], [], 3000]);
  assert.equal(bench.ack(0, 2 ** 52, 10), true);
  assert.deepEqual(bench.acked, [12, 11, 10]);
  assert.equal(bench.ack(0, 2 ** 52, 10), false, "and none counts twice");
  assert.equal(bench.detector.bytesInFlight, 0);
});

test("a late ACK of a packet given up counts as a spurious loss, once", () => {
  const bench = new Bench();
  for (let number = 0; number < 4; number++) bench.send(number, 0);
  bench.ack(3, 3, 20);
  assert.deepEqual(bench.lost, [0]);
  bench.ack(0, 3, 21);
  bench.ack(0, 3, 22);
  assert.equal(bench.detector.spuriousLosses, 1);
  assert.deepEqual(bench.acked, [3, 2, 1, 0], "and its content as delivered, once");
});

test("losses spread over three probe timeouts collapse the window", () => {
  const bench = new Bench();
  bench.send(0, 0);
  bench.ack(0, 0, 20);
  // Then 20 + 4 * 7.5 + 100, three times that: 450.
  for (let number = 1; number <= 50; number++) bench.send(number, 20 + 10 * number, 100);
  bench.send(51, 530);
  bench.ack(51, 51, 550);
  assert.equal(bench.lost.length, 50);
  assert.equal(bench.congestion.windowBytes, 2400);
});

test("what no longer fits the ring is given up, oldest first", () => {
  const bench = new Bench();
  for (let number = 0; number < 9000; number++) bench.send(number, number / 1000, 1);
  assert.equal(bench.lost.length, 9000 - 8192);
  assert.equal(bench.detector.bytesInFlight, 8192);
  bench.send(1_000_000, 10, 1);
  assert.equal(bench.detector.bytesInFlight, 1);
});

test("a path that reorders is given more time: the same reordering is not taken for loss again", () => {
  const bench = new Bench();
  for (let number = 0; number < 20; number++) bench.send(number, number);
  bench.ack(1, 6, 100); // 0 is overtaken by six
  assert.deepEqual(bench.lost, [0]);
  bench.ack(0, 6, 101);
  assert.equal(bench.detector.spuriousLosses, 1);
  assert.deepEqual(bench.acked.includes(0), true, "its content counts as delivered");
  assert.equal(bench.detector.reordering.packetThreshold, 7);
  bench.ack(8, 13, 108); // 7 is overtaken by six
  assert.deepEqual(bench.lost, [0]);
  bench.ack(7, 13, 109);
  assert.equal(bench.detector.spuriousLosses, 1);
});

test("a late ACK is recognised hundreds of packets later, and looked for only then", () => {
  const bench = new Bench();
  for (let number = 0; number < 400; number++) bench.send(number, number / 10);
  bench.ack(1, 300, 60);
  assert.deepEqual(bench.lost, [0]);
  bench.ack(0, 399, 61);
  assert.equal(bench.detector.spuriousLosses, 1);
  assert.equal(bench.detector.loss.sendRate < 0.01, true);
});

test("the loss of an MTU probe is told, and touches neither window nor statistics", () => {
  const bench = new Bench();
  bench.send(0, 0);
  bench.detector.onPacketSent(1, 0, PACKET_EAGER | PACKET_MTU_PROBE, bench, 1);
  for (let number = 2; number < 6; number++) bench.send(number, number);
  assert.equal(bench.detector.bytesInFlight, 5000);
  const before = bench.congestion.windowBytes;
  bench.ack(0, 0, 50);
  bench.ack(2, 5, 55);
  assert.deepEqual(bench.lost, [1]);
  assert.equal(bench.detector.packetsLost, 0);
  assert.equal(bench.congestion.windowBytes >= before, true);
});

test("on another path the old packets are told as lost, and what was learned is forgotten", () => {
  const bench = new Bench();
  for (let number = 0; number < 4; number++) bench.send(number, number);
  bench.ack(0, 0, 40);
  const fresh = new NewRenoCongestionControl();
  bench.detector.resetPath(fresh, bench, 50);
  assert.deepEqual(bench.lost, [1, 2, 3]);
  assert.equal(bench.detector.packetsLost, 0, "no loss of the new path's");
  assert.equal(bench.detector.bytesInFlight, 0);
  assert.equal(bench.detector.congestion, fresh);
  assert.equal(bench.detector.rtt.hasSample, false);
  bench.send(4, 60);
  bench.ack(1, 4, 90);
  assert.equal(bench.detector.rtt.latestMs, 30);
  assert.equal(bench.detector.spuriousLosses, 0);
});

test("a round trip is measured only where it is certain: by the largest number of an ACK, when that is new", () => {
  const bench = new Bench();
  const { rtt } = bench.detector;
  bench.send(0, 0);
  bench.send(1, 1);
  bench.send(2, 20);
  bench.ack(1, 1, 51);
  assert.deepEqual([rtt.latestMs, rtt.smoothedMs], [50, 50]);
  // An older packet is new in this ACK, but the largest is not: nobody knows how long its ACK was on the way.
  assert.equal(bench.ack(0, 1, 55), true);
  assert.deepEqual([rtt.latestMs, rtt.smoothedMs], [50, 50]);
  // The same ACK again.
  bench.ack(0, 1, 56);
  assert.deepEqual([rtt.latestMs, rtt.smoothedMs], [50, 50]);
  bench.ack(2, 2, 80);
  assert.equal(rtt.latestMs, 60);
});

test("what is sent again has a number of its own, and measures from when that was sent; a late ACK of the lost one measures nothing", () => {
  const bench = new Bench();
  const { rtt } = bench.detector;
  for (let number = 0; number < 4; number++) bench.send(number, 0);
  bench.ack(1, 3, 40);
  assert.deepEqual(bench.lost, [0]);
  bench.send(4, 40);
  bench.ack(4, 4, 90);
  assert.equal(rtt.latestMs, 50, "not 90: the repetition went at 40");
  const smoothed = rtt.smoothedMs;
  bench.ack(0, 0, 100);
  assert.equal(bench.detector.spuriousLosses, 1);
  assert.deepEqual([rtt.latestMs, rtt.smoothedMs], [50, smoothed]);
});
