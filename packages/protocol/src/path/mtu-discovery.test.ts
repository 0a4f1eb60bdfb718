import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../random.ts";
import { MtuDiscovery } from "./mtu-discovery.ts";
import type { MtuDiscoveryOptions } from "./mtu-discovery.ts";

const HEADERS = 28;
const RTT_MS = 50;

interface Traffic {
  /** A packet of the current size each so often, and a small one as often in between; 0 is none. Default 50. */
  readonly everyMs?: number;
  readonly lossRate?: number;
}

/** A sender over a path that swallows IP packets above `mtu`. Answers and verdicts come a round trip later. */
class SimulatedPath {
  now = 0;
  readonly discovery: MtuDiscovery;
  mtu: number;
  /** Largest packet of game data that the path swallowed for its size, after the last call of `resetLosses`. */
  tooLarge = 0;
  readonly #random: Random;
  #packetNumber = 0;
  #answers: { at: number; deliver: () => void }[] = [];

  constructor(mtu: number, options: MtuDiscoveryOptions = {}, seed = 1) {
    this.mtu = mtu;
    this.discovery = new MtuDiscovery(options);
    this.#random = new Random(seed);
  }

  run(durationMs: number, { everyMs = 50, lossRate = 0 }: Traffic = {}): void {
    const end = this.now + durationMs;
    const { discovery } = this;
    for (; this.now < end; this.now += 10) {
      const due = this.#answers.filter(({ at }) => at <= this.now);
      this.#answers = this.#answers.filter(({ at }) => at > this.now);
      for (const { deliver } of due) deliver();
      const dueAt = discovery.nextTimeout();
      const probe = discovery.pollProbe(this.now);
      if (probe > 0) {
        assert.ok(dueAt <= this.now, "nextTimeout announced the probe");
        assert.ok(probe <= discovery.maxPayloadBytes);
        const arrives = this.#arrives(probe, lossRate);
        this.#answer(() =>
          arrives ? discovery.onProbeAcked(probe, this.now) : discovery.onProbeLost(probe, this.now),
        );
      }
      if (everyMs > 0 && this.now % everyMs === 0) {
        this.#send(discovery.currentPayloadBytes, lossRate);
        this.#send(100, lossRate);
      }
    }
  }

  #send(bytes: number, lossRate: number): void {
    const number = this.#packetNumber++;
    const arrives = this.#arrives(bytes, lossRate);
    if (bytes + HEADERS > this.mtu) this.tooLarge++;
    const { discovery } = this;
    this.#answer(() =>
      arrives ? discovery.onPacketAcked(number, bytes, this.now) : discovery.onPacketLost(number, bytes, this.now),
    );
  }

  #arrives(bytes: number, lossRate: number): boolean {
    return bytes + HEADERS <= this.mtu && !this.#random.chance(lossRate);
  }

  #answer(deliver: () => void): void {
    this.#answers.push({ at: this.now + RTT_MS, deliver });
  }
}

function assertFound(mtu: number, { currentPayloadBytes }: MtuDiscovery): void {
  const missed = mtu - HEADERS - currentPayloadBytes;
  assert.ok(missed >= 0 && missed < 8, `MTU ${mtu}: ${currentPayloadBytes}`);
}

test("before the start it is DISABLED, says 1200 and probes nothing (section 5.2)", () => {
  const discovery = new MtuDiscovery();
  assert.deepEqual([discovery.state, discovery.currentPayloadBytes], ["DISABLED", 1200]);
  assert.deepEqual([discovery.pollProbe(1e9), discovery.nextTimeout()], [0, Infinity]);
  discovery.onPacketAcked(1, 1200, 0);
  assert.equal(discovery.state, "DISABLED");
});

test("an Ethernet path: BASE, one probe, SEARCH_COMPLETE at 1472, or 1452 over IPv6", () => {
  for (const [ipVersion, bytes] of [[4, 1472] as const, [6, 1452] as const]) {
    const discovery = new MtuDiscovery({ ipVersion });
    discovery.start(0);
    assert.deepEqual([discovery.state, discovery.pollProbe(0)], ["BASE", 1200]);
    assert.equal(discovery.pollProbe(1), 0, "one at a time");
    discovery.onProbeAcked(1200, 50);
    assert.deepEqual([discovery.state, discovery.currentPayloadBytes], ["SEARCHING", 1200]);
    assert.equal(discovery.pollProbe(50), bytes);
    assert.equal(discovery.currentPayloadBytes, 1200, "not before it is acknowledged (section 3, item 1)");
    discovery.onProbeAcked(bytes, 100);
    assert.deepEqual([discovery.state, discovery.currentPayloadBytes], ["SEARCH_COMPLETE", bytes]);
    assert.equal(discovery.nextTimeout(), Infinity, "nothing to raise");
    assert.equal(discovery.pollProbe(1e9), 0);
  }
});

test("every MTU from 576 to 9000 is found to within 8 bytes, in few probes, and never exceeded (section 5.3)", () => {
  let mostProbes = 0;
  for (let mtu = 576; mtu <= 9000; mtu++) {
    const discovery = new MtuDiscovery({ maxPacketBytes: 9000, retryDelayMs: 0 });
    discovery.start(0);
    let now = 0;
    while (discovery.state !== "SEARCH_COMPLETE") {
      now += RTT_MS;
      const bytes = discovery.pollProbe(now);
      assert.ok(bytes > 0);
      if (bytes + HEADERS <= mtu) discovery.onProbeAcked(bytes, now);
      else discovery.onProbeLost(bytes, now);
      assert.ok(discovery.probesSent < 60);
      const expected = discovery.state === "BASE" ? 1200 : Math.min(mtu - HEADERS, discovery.currentPayloadBytes);
      assert.equal(discovery.currentPayloadBytes, expected);
    }
    assertFound(mtu, discovery);
    mostProbes = Math.max(mostProbes, discovery.probesSent);
  }
  assert.ok(mostProbes <= 42, `${mostProbes} probes`);
});

test("with traffic and pauses between the tries, any path settles within 30 s", () => {
  for (const mtu of [576, 577, 600, 1000, 1227, 1228, 1229, 1280, 1400, 1420, 1492, 1499, 1500]) {
    const path = new SimulatedPath(mtu);
    path.discovery.start(0);
    path.run(30_000);
    assert.equal(path.discovery.state, "SEARCH_COMPLETE");
    assertFound(mtu, path.discovery);
    path.tooLarge = 0;
    path.run(60_000);
    assert.deepEqual([path.tooLarge, path.discovery.blackHoles], [0, 0]);
  }
});

test("PROBE_TIMER: a probe nobody reports on is lost after 16 s, three are MAX_PROBES (sections 5.1.1, 5.1.2)", () => {
  const discovery = new MtuDiscovery({ retryDelayMs: 500 });
  discovery.start(0);
  assert.equal(discovery.pollProbe(0), 1200);
  assert.equal(discovery.nextTimeout(), 16_000);
  assert.equal(discovery.pollProbe(15_999), 0);
  assert.equal(discovery.pollProbe(16_000), 0, "the pause before the second try");
  assert.deepEqual([discovery.probesLost, discovery.nextTimeout()], [1, 16_500]);
  assert.equal(discovery.pollProbe(16_500), 1200);
  discovery.onProbeLost(1200, 17_000);
  assert.equal(discovery.nextTimeout(), 18_000, "twice the pause");
  assert.equal(discovery.pollProbe(18_000), 1200);
  assert.deepEqual([discovery.state, discovery.currentPayloadBytes], ["BASE", 1200]);
  discovery.onProbeLost(1200, 18_050);
  assert.deepEqual([discovery.state, discovery.currentPayloadBytes], ["ERROR", 548]);
});

test("ERROR tries the floor; an answer leads to SEARCHING, none to DISABLED until something arrives (section 5.2)", () => {
  const discovery = new MtuDiscovery({ retryDelayMs: 0 });
  discovery.start(0);
  let now = 0;
  const loseThree = (bytes: number): void => {
    for (let i = 0; i < 3; i++) {
      assert.equal(discovery.pollProbe(++now), bytes);
      discovery.onProbeLost(bytes, now);
    }
  };
  loseThree(1200);
  loseThree(548);
  assert.deepEqual([discovery.state, discovery.currentPayloadBytes], ["DISABLED", 548]);
  assert.deepEqual([discovery.pollProbe(1e6), discovery.nextTimeout()], [0, Infinity]);
  discovery.start(1e6);
  assert.equal(discovery.state, "DISABLED", "start works once");
  now = 1e6;
  discovery.onPacketAcked(5, 60, now);
  assert.deepEqual([discovery.state, discovery.currentPayloadBytes], ["BASE", 1200]);
  loseThree(1200);
  assert.equal(discovery.pollProbe(2e6), 548);
  discovery.onProbeAcked(548, 2e6);
  assert.deepEqual([discovery.state, discovery.currentPayloadBytes], ["SEARCHING", 548]);
});

test("user data of the base size confirms it as a probe would (section 4.1)", () => {
  const discovery = new MtuDiscovery();
  discovery.start(0);
  discovery.onPacketAcked(1, 1199, 10);
  assert.equal(discovery.state, "BASE");
  discovery.onPacketAcked(2, 1200, 10);
  assert.equal(discovery.state, "SEARCHING");
});

test("PMTU_RAISE_TIMER: after 600 s a larger size is tried again (section 5.1.1)", () => {
  const path = new SimulatedPath(1400);
  path.discovery.start(0);
  path.run(30_000);
  const finishedAt = path.discovery.nextTimeout() - 600_000;
  assert.ok(finishedAt > 0 && finishedAt < 30_000);
  path.mtu = 1500;
  path.run(560_000);
  assert.ok(path.discovery.currentPayloadBytes <= 1372);
  path.run(finishedAt + 602_000 - path.now);
  assert.deepEqual([path.discovery.state, path.discovery.currentPayloadBytes], ["SEARCH_COMPLETE", 1472]);
});

test("a raise that fails keeps what works", () => {
  const path = new SimulatedPath(1400);
  path.discovery.start(0);
  path.run(30_000);
  const before = path.discovery.currentPayloadBytes;
  path.run(700_000);
  assert.equal(path.tooLarge, 0);
  assert.deepEqual([path.discovery.state, path.discovery.currentPayloadBytes], ["SEARCH_COMPLETE", before]);
});

test("a black hole is noticed within half a second of game traffic, at any depth (section 4.3)", () => {
  for (const mtu of [1499, 1450, 1300, 1228]) {
    const path = new SimulatedPath(1500);
    path.discovery.start(0);
    path.run(5000);
    assert.equal(path.discovery.currentPayloadBytes, 1472);
    path.mtu = mtu;
    path.run(450);
    assert.equal(path.discovery.blackHoles, 1);
    assert.equal(path.discovery.currentPayloadBytes, 1200);
    path.run(30_000);
    assert.equal(path.discovery.state, "SEARCH_COMPLETE");
    assertFound(mtu, path.discovery);
  }
});

test("a black hole below the base size ends at what still fits, and falls again from there", () => {
  const path = new SimulatedPath(1500);
  path.discovery.start(0);
  path.run(5000);
  path.mtu = 1000;
  path.run(40_000);
  assert.equal(path.discovery.state, "SEARCH_COMPLETE");
  assertFound(1000, path.discovery);
  path.mtu = 700;
  path.run(1000);
  assert.equal(path.discovery.currentPayloadBytes, 548);
  path.run(40_000);
  assertFound(700, path.discovery);
});

test("after a second black hole within the raise interval the size is left alone until it is over (section 5.4)", () => {
  const path = new SimulatedPath(1500);
  path.discovery.start(0);
  path.run(2000);
  for (let i = 0; i < 2; i++) {
    // The swallowing passes quickly: the search finds 1472 working again, at first.
    path.mtu = 1300;
    path.run(450);
    path.mtu = 1500;
    path.run(1000);
  }
  assert.equal(path.discovery.blackHoles, 2);
  path.run(60_000);
  assert.ok(path.discovery.currentPayloadBytes < 1472);
  path.run(600_000);
  assert.equal(path.discovery.currentPayloadBytes, 1472);
});

test("loss is not size: at 10 % nothing falls back, at 30 % the size in use is right almost always", () => {
  for (const [lossRate, share] of [[0.02, 1] as const, [0.1, 1] as const, [0.3, 0.97] as const]) {
    let [right, samples] = [0, 0];
    for (let seed = 1; seed <= 10; seed++) {
      const path = new SimulatedPath(1500, {}, seed);
      path.discovery.start(0);
      path.run(20_000, { lossRate });
      for (let i = 0; i < 100; i++) {
        path.run(500, { lossRate });
        samples++;
        if (path.discovery.currentPayloadBytes >= 1400) right++;
      }
    }
    assert.ok(right / samples >= share, `loss ${lossRate}: ${right / samples}`);
  }
});

test("on a lossy path a black hole is noticed all the same", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const path = new SimulatedPath(1500, {}, seed);
    path.discovery.start(0);
    path.run(20_000, { lossRate: 0.05 });
    path.mtu = 1300;
    path.run(5000, { lossRate: 0.05 });
    assert.ok(path.discovery.currentPayloadBytes <= 1272, `seed ${seed}: ${path.discovery.currentPayloadBytes}`);
  }
});

test("an outage of 5 s, and one of a minute, is overcome", () => {
  for (const outageMs of [5000, 60_000]) {
    const path = new SimulatedPath(1500);
    path.discovery.start(0);
    path.run(5000);
    path.mtu = 0;
    path.run(outageMs);
    path.mtu = 1500;
    path.run(10_000);
    assert.deepEqual([path.discovery.state, path.discovery.currentPayloadBytes], ["SEARCH_COMPLETE", 1472]);
  }
});

test("losses reported together count once: a queue that overflowed is no black hole", () => {
  const path = new SimulatedPath(1500);
  path.discovery.start(0);
  path.run(5000, { everyMs: 0 });
  for (let i = 0; i < 50; i++) path.discovery.onPacketLost(100 + i, 1472, path.now);
  assert.equal(path.discovery.blackHoles, 0);
  path.discovery.onPacketAcked(151, 1472, path.now);
  for (let i = 0; i < 5; i++) path.discovery.onPacketLost(200 + i, 1472, path.now + i);
  assert.equal(path.discovery.blackHoles, 0);
  path.discovery.onPacketLost(205, 1472, path.now + 5);
  assert.deepEqual([path.discovery.blackHoles, path.discovery.state], [1, "BASE"]);
});

/** At 1472, done. */
function settled(): MtuDiscovery {
  const discovery = new MtuDiscovery();
  discovery.start(0);
  discovery.onPacketAcked(0, 1200, 0);
  discovery.onProbeAcked(discovery.pollProbe(0), 50);
  assert.equal(discovery.state, "SEARCH_COMPLETE");
  return discovery;
}

test("a small packet lost among the large ones says that it is not size; one lost before them says nothing", () => {
  const discovery = settled();
  for (let i = 0; i < 5; i++) discovery.onPacketLost(10 + i, 1472, 100 + i);
  discovery.onPacketLost(15, 100, 105);
  for (let i = 0; i < 5; i++) discovery.onPacketLost(20 + i, 1472, 110 + i);
  assert.equal(discovery.blackHoles, 0);
  discovery.onPacketLost(19, 100, 115);
  discovery.onPacketLost(25, 1472, 116);
  assert.equal(discovery.blackHoles, 1);
});

test("a large packet acknowledged clears the suspicion only if it was sent after the first that was lost", () => {
  const discovery = settled();
  for (let i = 0; i < 5; i++) discovery.onPacketLost(10 + i, 1472, 100 + i);
  discovery.onPacketAcked(30, 1472, 105);
  for (let i = 0; i < 5; i++) discovery.onPacketLost(40 + i, 1472, 110 + i);
  assert.equal(discovery.blackHoles, 0);
  discovery.onPacketAcked(39, 1472, 115);
  discovery.onPacketAcked(50, 1471, 115);
  discovery.onPacketLost(45, 1472, 116);
  assert.equal(discovery.blackHoles, 1);
});

test("what was sent before a fall back neither confirms the base size nor counts against it", () => {
  const discovery = settled();
  for (let i = 0; i < 6; i++) discovery.onPacketLost(10 + i, 1472, 100 + i);
  assert.equal(discovery.state, "BASE");
  discovery.onPacketAcked(9, 1472, 110);
  assert.equal(discovery.state, "BASE");
  discovery.onPacketAcked(16, 1200, 120);
  assert.equal(discovery.state, "SEARCHING");
  for (let i = 0; i < 20; i++) discovery.onPacketLost(17 + i, 1472, 130 + i);
  assert.deepEqual([discovery.state, discovery.blackHoles], ["SEARCHING", 1]);
});

test("late and foreign answers change nothing, a late answer for the size in question counts", () => {
  const discovery = new MtuDiscovery();
  discovery.start(0);
  discovery.onProbeAcked(1472, 0);
  discovery.onProbeLost(1472, 0);
  assert.equal(discovery.probesLost, 0);
  assert.equal(discovery.pollProbe(0), 1200);
  discovery.onProbeLost(1200, 10);
  discovery.onProbeLost(1200, 10);
  assert.equal(discovery.probesLost, 1, "once for each probe");
  discovery.onProbeAcked(1200, 20);
  assert.equal(discovery.state, "SEARCHING");
  discovery.onProbeAcked(1200, 21);
  assert.equal(discovery.currentPayloadBytes, 1200);
});

test("a size the socket refuses is given up at once", () => {
  const discovery = new MtuDiscovery({ maxPacketBytes: 9000 });
  discovery.start(0);
  discovery.onPacketAcked(1, 1200, 0);
  assert.equal(discovery.pollProbe(0), 1472);
  discovery.onProbeAcked(1472, 50);
  assert.equal(discovery.pollProbe(50), 8972);
  discovery.onProbeRefused(8972, 50);
  const next = discovery.pollProbe(50);
  assert.ok(next > 1472 && next < 8972);
});

test("what the other side takes lowers the search and the size in use", () => {
  const path = new SimulatedPath(9000, { maxPacketBytes: 9000 });
  path.discovery.limitPayloadBytes(4000, 0);
  path.discovery.start(0);
  path.run(5000);
  assert.equal(path.discovery.currentPayloadBytes, 4000);
  path.discovery.limitPayloadBytes(1300, path.now);
  path.discovery.limitPayloadBytes(9000, path.now);
  assert.deepEqual([path.discovery.currentPayloadBytes, path.discovery.maxPayloadBytes], [1300, 1300]);
  path.run(700_000);
  assert.equal(path.discovery.currentPayloadBytes, 1300);
});

test("wrong options throw", () => {
  assert.throws(() => new MtuDiscovery({ maxPacketBytes: 9001 }), RangeError);
  assert.throws(() => new MtuDiscovery({ maxPacketBytes: 1200 }), RangeError);
  assert.throws(() => new MtuDiscovery({ probeTimeoutMs: 999 }), RangeError);
  assert.throws(() => new MtuDiscovery({ basePayloadBytes: 500 }), RangeError);
  assert.throws(() => new MtuDiscovery().limitPayloadBytes(1199, 0), RangeError);
});
