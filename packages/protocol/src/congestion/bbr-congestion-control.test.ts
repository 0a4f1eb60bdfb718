/**
 * Values worked out from draft-ietf-ccwg-bbr. The path: 1.2 MB/s and 100 ms, so a BDP of 120,000
 * bytes (100 packets). Each ACK here is a round trip of its own.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { ackSample } from "../../test/support/ack-sample.ts";
import { BbrCongestionControl } from "./bbr-congestion-control.ts";
import type { AckSample } from "./congestion-control.ts";

const BANDWIDTH = 1_200_000;
const BDP = 120_000;

class Flow {
  readonly bbr: BbrCongestionControl;
  now = 0;
  roundMs = 100;
  #delivered = 0;

  constructor(seed = 1) {
    this.bbr = new BbrCongestionControl({ seed });
  }

  /** A round trip later: `rate` was measured, and so much is still in flight. */
  round(rate: number, bytesInFlight: number, set: Partial<AckSample> = {}): string {
    this.now += this.roundMs;
    const priorDeliveredBytes = this.#delivered;
    const ackedBytes = set.ackedBytes ?? (rate * this.roundMs) / 1000;
    this.#delivered += ackedBytes;
    this.bbr.onAckProcessed(
      ackSample({
        now: this.now,
        ackedBytes,
        deliveredBytes: this.#delivered,
        priorDeliveredBytes,
        bytesInFlight,
        sentBytesInFlight: bytesInFlight + ackedBytes,
        deliveryRateBytesPerSec: rate,
        ...set,
      }),
    );
    return this.bbr.state;
  }

  /** A packet of which `lost` bytes were lost since it was sent, with it, of `inFlight`. */
  lose(packetNumber: number, inFlight = BDP, lost = 1200): void {
    this.bbr.onPacketLost({
      packetNumber,
      bytes: 1200,
      sentBytesInFlight: inFlight,
      lostSinceSentBytes: lost,
      appLimited: false,
    });
    this.bbr.onPacketsLost(1200, this.now - 100, false, this.now);
  }

  /** Through startup and drain into cruising at the path's bandwidth. */
  cruise(): this {
    for (let i = 0; i < 4; i++) this.round(BANDWIDTH, 2 * BDP);
    assert.equal(this.round(BANDWIDTH, BDP), "probeBwCruise");
    // One round later the samples of startup have left: the window follows the model.
    this.round(BANDWIDTH, BDP);
    return this;
  }

  /** On to where it probes for more. */
  up(): this {
    while (this.round(BANDWIDTH, BDP) !== "probeBwRefill") assert.ok(this.now < 10_000);
    assert.equal(this.round(BANDWIDTH, BDP), "probeBwUp");
    return this;
  }
}

function near(actual: number, expected: number, tolerance = 1e-9): void {
  assert.ok(Math.abs(actual - expected) <= tolerance * expected, `${actual}, not ${expected}`);
}

test("at first: ten packets, unpaced; with a round trip known, 2.77 windows per round trip", () => {
  const { bbr, ...rest } = new Flow();
  assert.equal(rest.now, 0);
  assert.equal(bbr.windowBytes, 12_000);
  assert.equal(bbr.pacingRateBytesPerSec, Infinity);
  const flow = new Flow();
  flow.round(100_000, 0);
  // 2.77 * 12,000 / 0.1 s = 332,400; by the sample it would be 2.77 * 0.99 * 100,000, which is less.
  near(flow.bbr.pacingRateBytesPerSec, 332_400);
  flow.round(200_000, 0);
  near(flow.bbr.pacingRateBytesPerSec, 2.77 * 0.99 * 200_000);
  near(flow.bbr.pacingIntervalMs, (1200 / (2.77 * 0.99 * 200_000)) * 1000);
});

test("startup ends after three rounds that grow by less than a quarter; drain paces at half", () => {
  const flow = new Flow();
  assert.equal(flow.round(480_000, 2 * BDP), "startup");
  assert.equal(flow.round(960_000, 2 * BDP), "startup");
  assert.equal(flow.round(BANDWIDTH, 2 * BDP), "startup"); // a quarter more: still growing
  assert.equal(flow.round(BANDWIDTH, 2 * BDP), "startup");
  assert.equal(flow.round(BANDWIDTH, 2 * BDP), "startup");
  assert.equal(flow.round(BANDWIDTH, 2 * BDP), "drain");
  near(flow.bbr.bandwidthBytesPerSec, BANDWIDTH);
  near(flow.bbr.pacingRateBytesPerSec, 0.5 * 0.99 * BANDWIDTH);
});

test("rounds of a sender with nothing more to send do not end startup", () => {
  const flow = new Flow();
  for (let i = 0; i < 40; i++) assert.equal(flow.round(100_000, 0, { appLimited: true }), "startup");
});

test("startup ends on losses of more than 2 % in six ranges", () => {
  for (const [ranges, lost, state] of [
    [6, 7200, "drain"],
    [5, 7200, "startup"],
    [6, 2400, "startup"], // 2 % of 120,000 is just not too much
  ] as const) {
    const flow = new Flow();
    flow.round(BANDWIDTH, BDP);
    for (let i = 0; i < ranges; i++) flow.lose(2 * i);
    const after = flow.round(BANDWIDTH, 2 * BDP, { lostSinceSentBytes: lost, sentBytesInFlight: BDP });
    assert.equal(after, state);
    // max(bdp, delivered in the last round trip)
    assert.equal(flow.bbr.inflightLimitBytes, state === "drain" ? BDP : Infinity);
  }
});

test("drain ends when the path is drained, or after three rounds", () => {
  const drained = new Flow();
  const late = new Flow();
  for (const flow of [drained, late]) while (flow.round(BANDWIDTH, 2 * BDP) !== "drain") assert.ok(flow.now < 1000);
  assert.equal(drained.round(BANDWIDTH, BDP + 1), "drain");
  assert.equal(drained.round(BANDWIDTH, BDP), "probeBwCruise"); // by way of probeBwDown
  for (let i = 0; i < 3; i++) assert.equal(late.round(BANDWIDTH, 2 * BDP), "drain");
  assert.equal(late.round(BANDWIDTH, 2 * BDP), "probeBwDown");
  near(late.bbr.pacingRateBytesPerSec, 0.9 * 0.99 * BANDWIDTH);
});

test("cruising: 99 % of the bandwidth and two BDP; a probe within 2 to 3 seconds", () => {
  const flow = new Flow().cruise();
  near(flow.bbr.pacingRateBytesPerSec, 0.99 * BANDWIDTH);
  // Two BDP and what ACKs bunch: in this test each is one whole BDP at a time.
  near(flow.bbr.windowBytes, 3 * BDP);
  const from = flow.now;
  flow.up();
  assert.ok(flow.now - from > 1500 && flow.now - from < 3200, `${flow.now - from}`);
  near(flow.bbr.pacingRateBytesPerSec, 1.25 * 0.99 * BANDWIDTH);
  // 2.25 BDP, what ACKs bunch, and two packets; the window grows by what is acknowledged.
  flow.round(BANDWIDTH, BDP);
  near(flow.bbr.windowBytes, 3.25 * BDP + 2400);
});

test("flows probe at different times: after 2 to 3 seconds, and 0.5 to 3.5 seconds after ProbeRTT", () => {
  for (const [afterProbeRtt, least, most] of [
    [false, 2000, 3000],
    [true, 500, 3500],
  ] as const) {
    const waits = Array.from({ length: 40 }, (_, seed) => {
      const flow = new Flow(seed).cruise();
      if (afterProbeRtt) {
        flow.now += 5001;
        assert.equal(flow.round(BANDWIDTH, BDP, { latestRttMs: 101 }), "probeRtt");
        while (flow.round(BANDWIDTH, BDP / 2) === "probeRtt") assert.ok(flow.now < 10_000);
      }
      const from = flow.now;
      while (flow.round(BANDWIDTH, BDP) !== "probeBwRefill") assert.ok(flow.now < 20_000);
      return flow.now - from;
    });
    // It is looked at once in a round of 100 ms; the wait began up to two before.
    assert.ok(Math.min(...waits) >= least - 200 && Math.max(...waits) <= most + 100, waits.join());
    assert.ok(Math.max(...waits) - Math.min(...waits) > 0.7 * (most - least), waits.join());
  }
});

test("a path of ten packets is probed after ten round trips, as often as Reno would fill it", () => {
  const flow = new Flow().cruise();
  // Rounds of 10 ms: none of the waits by the clock is over after ten of them.
  let rounds = 0;
  flow.roundMs = 10;
  const small = { latestRttMs: 10 };
  while (flow.round(BANDWIDTH, BDP / 10, small) !== "probeBwRefill") assert.ok(++rounds < 100);
  assert.ok(rounds >= 7 && rounds <= 10, `${rounds} rounds`);
});

test("a probe that finds more bandwidth goes on; one that does not ends after three rounds", () => {
  const flow = new Flow().cruise().up();
  assert.equal(flow.round(1.25 * BANDWIDTH, BDP), "probeBwUp");
  assert.equal(flow.round(1.25 * 1.25 * BANDWIDTH, BDP), "probeBwUp");
  near(flow.bbr.bandwidthBytesPerSec, 1.5625 * BANDWIDTH);
  flow.round(1.6 * BANDWIDTH, 4 * BDP);
  flow.round(1.6 * BANDWIDTH, 4 * BDP);
  assert.equal(flow.round(1.6 * BANDWIDTH, 4 * BDP), "probeBwDown");
});

test("losses while cruising: once per round, down to what was delivered, by three tenths at most", () => {
  const flow = new Flow().cruise();
  flow.lose(1);
  flow.lose(3);
  // The latest rates: BANDWIDTH in the round before, then 1,000,000.
  flow.round(1_000_000, BDP);
  near(flow.bbr.bandwidthBytesPerSec, BANDWIDTH);
  flow.lose(5);
  flow.round(900_000, BDP);
  near(flow.bbr.bandwidthBytesPerSec, 1_000_000);
  flow.lose(7);
  flow.round(100_000, BDP);
  near(flow.bbr.bandwidthBytesPerSec, 900_000);
  flow.lose(9);
  flow.round(100_000, BDP);
  near(flow.bbr.bandwidthBytesPerSec, 630_000);
  // The next probe forgets them.
  while (flow.round(100_000, BDP) !== "probeBwRefill") assert.ok(flow.now < 10_000);
  assert.ok(flow.bbr.bandwidthBytesPerSec > 1_000_000);
});

test("losses above 2 % while probing set the volume that is too much, and end the probe", () => {
  const flow = new Flow().cruise().up();
  flow.lose(1, 150_000, 1200);
  flow.lose(2, 150_000, 2400);
  assert.equal(flow.bbr.state, "probeBwUp"); // 1.6 %
  flow.lose(3, 150_000, 3600);
  assert.equal(flow.bbr.state, "probeBwDown"); // 2.4 %
  // Before the packet: 148,800 in flight, 2,400 lost. (0.02 * 148,800 - 2,400) / 0.98 = 587.755 of it were still fine.
  near(flow.bbr.inflightLimitBytes, 149_387.755, 1e-8);
  // Down, then cruising with 15 % headroom below it.
  const set = { sentBytesInFlight: BDP };
  assert.equal(flow.round(BANDWIDTH, 0.86 * flow.bbr.inflightLimitBytes, set), "probeBwDown");
  near(flow.bbr.windowBytes, 149_387.755, 1e-8);
  assert.equal(flow.round(BANDWIDTH, 100_000, set), "probeBwCruise");
  near(flow.bbr.windowBytes, 0.85 * 149_387.755, 1e-8);
});

test("one or two lost packets never end a probe, however few are in flight", () => {
  const flow = new Flow().cruise().up();
  flow.lose(1, 24_000, 1200);
  flow.lose(2, 24_000, 2400); // 10 %
  assert.equal(flow.bbr.state, "probeBwUp");
  assert.equal(flow.bbr.inflightLimitBytes, Infinity);
  flow.lose(3, 24_000, 3600);
  assert.equal(flow.bbr.state, "probeBwDown");
});

test("a probe raises the limit by 4, 8, 16 packets in its round trips, while the window is full", () => {
  const flow = new Flow().cruise().up();
  flow.lose(3, 150_000, 3600);
  const set = (): Partial<AckSample> => ({ sentBytesInFlight: 100_000, latestRttMs: 100 - flow.now / 10_000 });
  // A probe that stops at the limit, then one that may go on.
  while (flow.round(BANDWIDTH, 100_000, set()) !== "probeBwUp") assert.ok(flow.now < 10_000);
  assert.equal(flow.round(BANDWIDTH, flow.bbr.inflightLimitBytes, set()), "probeBwDown");
  while (flow.round(BANDWIDTH, 100_000, set()) !== "probeBwUp") assert.ok(flow.now < 10_000);
  let limit = flow.bbr.inflightLimitBytes;
  for (const packets of [4, 8, 16]) {
    flow.bbr.onPacketSent(1200, flow.bbr.windowBytes, flow.now);
    flow.round(BANDWIDTH, limit, { ...set(), ackedBytes: flow.bbr.windowBytes });
    // Spread over what the window was a round before: a little more is acknowledged by now.
    const raised = (flow.bbr.inflightLimitBytes - limit) / 1200;
    assert.ok(raised > packets - 0.01 && raised < packets + 1.01, `${raised} packets, not ${packets}`);
    limit = flow.bbr.inflightLimitBytes;
  }
  // Not full: it stays.
  flow.round(BANDWIDTH, limit, set());
  flow.round(BANDWIDTH, limit, set());
  const before = flow.bbr.inflightLimitBytes;
  flow.round(BANDWIDTH, limit, set());
  assert.equal(flow.bbr.inflightLimitBytes, before);
});

test("the bandwidth of two cycles ago is forgotten, also when ProbeRTT interrupts each probe", () => {
  const plain = new Flow().cruise();
  const half = BANDWIDTH / 2;
  const falling = (flow: Flow): Partial<AckSample> => ({ latestRttMs: 100 - flow.now / 10_000 });
  let cycles = 0;
  for (let last = ""; plain.bbr.bandwidthBytesPerSec > half && cycles < 5;) {
    const state = plain.round(half, BDP / 2, falling(plain));
    if (state === "probeBwDown" && last === "probeBwUp") cycles++;
    last = state;
  }
  assert.equal(cycles, 2);

  const interrupted = new Flow().cruise();
  let probes = 0;
  while (interrupted.bbr.bandwidthBytesPerSec > half) {
    assert.ok(++probes <= 3, "the old bandwidth stays");
    while (interrupted.round(half, BDP / 2, falling(interrupted)) !== "probeBwUp") assert.ok(interrupted.now < 60_000);
    // Now the round trip has not been measured for long.
    interrupted.now += 5001;
    assert.equal(interrupted.round(half, BDP / 2, { latestRttMs: 100 }), "probeRtt");
    while (interrupted.round(half, BDP / 5, { latestRttMs: 99 }) === "probeRtt") assert.ok(interrupted.now < 60_000);
  }
  assert.equal(probes, 2);
});

test("the limit is never below seven tenths of the target", () => {
  const flow = new Flow().cruise().up();
  flow.lose(1, 20_000, 3600);
  near(flow.bbr.inflightLimitBytes, 0.7 * BDP);
});

test("the probe after one that went too high stops at the limit", () => {
  const flow = new Flow().cruise().up();
  flow.lose(3, 150_000, 3600);
  // The round trip falls a little all the time, so that it need not be measured.
  const set = (): Partial<AckSample> => ({ sentBytesInFlight: BDP, latestRttMs: 100 - flow.now / 10_000 });
  while (flow.round(BANDWIDTH, 100_000, set()) !== "probeBwUp") assert.ok(flow.now < 10_000);
  const limit = flow.bbr.inflightLimitBytes;
  assert.equal(flow.round(BANDWIDTH, limit, { sentBytesInFlight: limit }), "probeBwDown");
  // No loss came of it: it refills and probes again at once, without cruising.
  assert.equal(flow.round(BANDWIDTH, 100_000, { sentBytesInFlight: limit }), "probeBwRefill");
});

test("a mark counts as a round over the loss threshold", () => {
  const startup = new Flow();
  startup.round(BANDWIDTH, BDP);
  startup.bbr.onEcnCongestion(0, 150);
  assert.equal(startup.round(BANDWIDTH, 2 * BDP), "drain");

  const probing = new Flow().cruise().up();
  probing.bbr.onEcnCongestion(probing.now - 100, probing.now);
  assert.equal(probing.round(BANDWIDTH, BDP, { sentBytesInFlight: 140_000 }), "probeBwDown");
  assert.equal(probing.bbr.inflightLimitBytes, 140_000);

  const cruising = new Flow().cruise();
  cruising.round(1_000_000, BDP);
  cruising.round(1_000_000, BDP);
  cruising.bbr.onEcnCongestion(cruising.now - 100, cruising.now);
  cruising.round(1_000_000, BDP);
  near(cruising.bbr.bandwidthBytesPerSec, 1_000_000);
});

test("the round trip is measured anew after five seconds: half a BDP for 200 ms", () => {
  const flow = new Flow().cruise();
  while (flow.round(BANDWIDTH, BDP, { latestRttMs: 101 }) !== "probeRtt") assert.ok(flow.now < 5500);
  assert.ok(flow.now > 5000);
  near(flow.bbr.windowBytes, BDP / 2);
  const from = flow.now;
  flow.round(BANDWIDTH, BDP / 2);
  while (flow.round(BANDWIDTH / 2, BDP / 2) === "probeRtt") assert.ok(flow.now < 6000);
  assert.equal(flow.bbr.state, "probeBwCruise");
  assert.ok(flow.now - from > 200 && flow.now - from <= 500, `${flow.now - from}`);
  near(flow.bbr.bandwidthBytesPerSec, BANDWIDTH);
  assert.ok(flow.bbr.windowBytes >= 2 * BDP);
});

test("on a short path, too, the measurement lasts 200 ms", () => {
  const flow = new Flow().cruise();
  flow.roundMs = 10;
  while (flow.round(BANDWIDTH, BDP, { latestRttMs: 101 }) !== "probeRtt") assert.ok(flow.now < 6000);
  const from = flow.now;
  while (flow.round(BANDWIDTH / 2, BDP / 2) === "probeRtt") assert.ok(flow.now < 6000);
  assert.ok(flow.now - from > 200 && flow.now - from <= 230, `${flow.now - from}`);
});

test("a round trip that has grown is believed after ten seconds", () => {
  const flow = new Flow().cruise();
  const grown = { latestRttMs: 150 };
  let known = flow.now;
  while (flow.bbr.windowBytes < 4 * BDP) {
    const state = flow.round(BANDWIDTH, BDP / 2, grown);
    assert.ok(flow.now < 20_000);
    // 2 BDP of 150 ms and 1 BDP of bunched ACKs, instead of 2 of 100 ms.
    if (state === "probeBwCruise" && flow.bbr.windowBytes <= 3 * BDP + 1) known = flow.now;
  }
  assert.ok(known > 9500 && flow.now < 12_500, `known at ${known}, used at ${flow.now}`);
});

test("volume that ACKs bunch up to is remembered for ten round trips", () => {
  const flow = new Flow().cruise();
  near(flow.bbr.windowBytes, 3 * BDP);
  // After a pause ACKs come four to a round trip and bring a quarter of what is in flight each.
  flow.now += 200;
  flow.roundMs = 25;
  const windows = Array.from({ length: 16 }, () => {
    flow.round(BANDWIDTH, BDP);
    return flow.bbr.windowBytes / BDP;
  });
  const remembered = windows.findIndex((window) => window < 2.9);
  assert.ok(remembered >= 9 && remembered <= 12, windows.join());
});

test("a path of hundreds of packets is probed after 63 round trips at the latest", () => {
  const flow = new Flow().cruise();
  flow.roundMs = 2;
  // 2 ms at a hundred times the bandwidth: a path of 200 packets; no wait by the clock is over after 130 ms.
  const fast = { latestRttMs: 2 };
  while (flow.round(100 * BANDWIDTH, BDP, fast) !== "probeBwRefill") assert.ok(flow.now < 4000);
  while (flow.round(100 * BANDWIDTH, BDP, fast) !== "probeBwDown") assert.ok(flow.now < 4000);
  let rounds = 0;
  while (flow.round(100 * BANDWIDTH, BDP, fast) !== "probeBwRefill") rounds++;
  assert.ok(rounds >= 60 && rounds <= 63, `${rounds} rounds`);
});

test("a flow that was idle need not drain the path to measure it", () => {
  const flow = new Flow().cruise();
  flow.now += 6000;
  flow.bbr.onPacketSent(1200, 1200, flow.now);
  assert.notEqual(flow.round(10_000, 0, { appLimited: true }), "probeRtt");
});

test("losses that turn out to be none are taken back", () => {
  const flow = new Flow().cruise().up();
  flow.lose(3, 150_000, 3600);
  assert.equal(flow.bbr.state, "probeBwDown");
  flow.bbr.onSpuriousLoss(flow.now);
  assert.equal(flow.bbr.state, "probeBwRefill");
  assert.equal(flow.bbr.inflightLimitBytes, Infinity);

  const startup = new Flow();
  startup.round(BANDWIDTH, BDP);
  for (let i = 0; i < 6; i++) startup.lose(2 * i);
  assert.equal(startup.round(BANDWIDTH, 2 * BDP, { lostSinceSentBytes: 7200, sentBytesInFlight: BDP }), "drain");
  for (let i = 0; i < 6; i++) startup.bbr.onSpuriousLoss(startup.now);
  assert.equal(startup.bbr.state, "startup");
});

test("persistent congestion leaves what is in flight and one packet; the floor is four packets", () => {
  const flow = new Flow().cruise();
  flow.bbr.onPacketSent(1200, 2400, flow.now);
  flow.bbr.onPacketsLost(50_000, flow.now - 1000, true, flow.now);
  assert.equal(flow.bbr.windowBytes, 3600);
  flow.round(10, 0, { ackedBytes: 1200, deliveryRateBytesPerSec: 10 });
  assert.equal(flow.bbr.windowBytes, 4800);
});
