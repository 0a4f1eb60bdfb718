import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { NetworkConditionSimulator } from "./network-condition-simulator.ts";
import type { NetworkConditions } from "./network-conditions.ts";

interface Arrival {
  id: number;
  at: number;
  path: number;
}

/** Sends `count` numbered packets, one each `intervalMs`, and returns what arrived when. */
function run(conditions: NetworkConditions, count: number, options: { seed?: number; intervalMs?: number } = {}) {
  const simulator = new NetworkConditionSimulator({ seed: options.seed ?? 1, conditions });
  const arrivals: Arrival[] = [];
  const packet = new Uint8Array(100);
  const view = new DataView(packet.buffer);
  const drain = (until: number): void => {
    for (;;) {
      const dueAt = simulator.nextTimeout();
      if (dueAt > until) return;
      for (let out = simulator.pop(dueAt); out !== undefined; out = simulator.pop(dueAt)) {
        assert.equal(out.length, 100);
        const id = new DataView(out.buffer.buffer, out.buffer.byteOffset + out.offset).getUint32(0);
        arrivals.push({ id, at: dueAt, path: out.path });
      }
    }
  };
  for (let i = 0; i < count; i += 1) {
    const now = i * (options.intervalMs ?? 10);
    drain(now);
    view.setUint32(0, i);
    simulator.push(packet, 0, 100, 3, now);
  }
  drain(1e12);
  assert.equal(simulator.count, 0);
  return { arrivals, stats: simulator.stats };
}

test("a perfect link hands every packet out at once, in order", () => {
  const { arrivals } = run({}, 50);
  assert.deepEqual(
    arrivals,
    Array.from({ length: 50 }, (_, id) => ({ id, at: id * 10, path: 3 })),
  );
});

test("latency and jitter delay within their bounds and keep the order", () => {
  const { arrivals } = run({ latencyMs: 100, jitterMs: 30 }, 2000);
  assert.equal(arrivals.length, 2000);
  let sum = 0;
  let least = Infinity;
  let most = 0;
  arrivals.forEach((arrival, i) => {
    assert.equal(arrival.id, i);
    const delay = arrival.at - i * 10;
    sum += delay;
    least = Math.min(least, delay);
    most = Math.max(most, delay);
  });
  assert.ok(least >= 70 && least < 75, `${least}`);
  assert.ok(most <= 130 && most > 125, `${most}`);
  // Packets 10 ms apart that wait for a late one before them arrive a few ms later than the mean draw.
  assert.ok(sum / 2000 >= 99 && sum / 2000 < 110, `${sum / 2000}`);
});

test("the same seed replays, another does not", () => {
  const conditions = { latencyMs: 50, jitterMs: 20, lossRate: 0.1, duplicateRate: 0.05, reorderRate: 0.1 };
  assert.deepEqual(run(conditions, 500, { seed: 7 }), run(conditions, 500, { seed: 7 }));
  assert.notDeepEqual(run(conditions, 500, { seed: 7 }), run(conditions, 500, { seed: 8 }));
});

test("even loss loses its share", () => {
  const { arrivals, stats } = run({ lossRate: 0.2 }, 10_000);
  assert.equal(arrivals.length + stats.lost, 10_000);
  assert.ok(Math.abs(stats.lost / 10_000 - 0.2) < 0.015, `${stats.lost}`);
});

test("bursts have the mean length and share that Gilbert and Elliott's model says", () => {
  const { arrivals } = run({ burst: { enterRate: 0.01, leaveRate: 0.25 } }, 40_000);
  const arrived = new Set(arrivals.map((arrival) => arrival.id));
  let bursts = 0;
  let lost = 0;
  for (let i = 1; i < 40_000; i += 1) {
    if (arrived.has(i)) continue;
    lost += 1;
    if (arrived.has(i - 1)) bursts += 1;
  }
  // Share bad = enter / (enter + leave); mean burst = 1 / leave.
  assert.ok(Math.abs(lost / 40_000 - 0.01 / 0.26) < 0.006, `${lost}`);
  assert.ok(Math.abs(lost / bursts - 4) < 0.5, `${lost / bursts}`);
});

test("duplicates arrive twice, reordered packets are overtaken", () => {
  const doubled = run({ duplicateRate: 0.1 }, 5000);
  assert.equal(doubled.arrivals.length, 5000 + doubled.stats.duplicated);
  assert.ok(Math.abs(doubled.stats.duplicated / 5000 - 0.1) < 0.02);

  const { arrivals } = run({ latencyMs: 20, reorderRate: 0.1, reorderDelayMs: 25 }, 5000);
  const late = arrivals.filter((arrival, i) => i > 0 && arrivals[i - 1].id > arrival.id).length;
  assert.equal(arrivals.length, 5000);
  assert.ok(late > 350 && late < 550, `${late}`);
});

test("a speed limit spaces packets and drops what its queue does not hold", () => {
  // 100 bytes every 10 ms into 5,000 bytes/s: half of it fits.
  const { arrivals, stats } = run({ bandwidthBytesPerSec: 5000, queueBytes: 1000 }, 1000);
  assert.ok(Math.abs(stats.queueDropped / 1000 - 0.5) < 0.02, `${stats.queueDropped}`);
  for (let i = 1; i < arrivals.length; i += 1) assert.ok(arrivals[i].at - arrivals[i - 1].at >= 19.999);
  for (const arrival of arrivals) assert.ok(arrival.at - arrival.id * 10 <= 200.001);
});

test("memory is bounded: what exceeds it is lost and counted", () => {
  const simulator = new NetworkConditionSimulator({ seed: 1, conditions: { latencyMs: 1000 }, maxPackets: 100 });
  const packet = new Uint8Array(3000);
  for (let i = 0; i < 150; i += 1) simulator.push(packet, 0, 10, 0, 0);
  assert.equal(simulator.count, 100);
  assert.equal(simulator.stats.overflowed, 50);
  simulator.clear();
  assert.equal(simulator.nextTimeout(), Infinity);
  simulator.push(packet, 0, 3000, 0, 0);
  assert.equal(simulator.stats.overflowed, 51);
  for (let i = 0; i < 150; i += 1) simulator.push(packet, 0, 10, 0, 0);
  assert.equal(simulator.count, 100);
});

test("conditions change while running; bad ones are refused by name", () => {
  const simulator = new NetworkConditionSimulator({ seed: 1, conditions: { latencyMs: 500, duplicateRate: 1 } });
  simulator.push(new Uint8Array(10), 0, 10, 0, 0);
  simulator.setConfiguration(10, 0, 0);
  assert.deepEqual(simulator.conditions, { latencyMs: 10, jitterMs: 0, lossRate: 0, duplicateRate: 1 });
  simulator.push(new Uint8Array(10), 0, 10, 1, 0);
  assert.equal(simulator.nextTimeout(), 10);
  assert.throws(() => simulator.setConfiguration(10, 0, 1.5), /lossRate must be from 0 to 1, not 1.5/);
  assert.throws(() => (simulator.conditions = { latencyMs: -1 }), RangeError);
  assert.throws(() => (simulator.conditions = { bandwidthBytesPerSec: 0 }), RangeError);
});

test("whatever the conditions: bytes arrive unchanged, none from nowhere, time never runs backwards", () => {
  fc.assert(
    fc.property(
      fc.record({
        latencyMs: fc.integer({ min: 0, max: 200 }),
        jitterMs: fc.integer({ min: 0, max: 100 }),
        lossRate: fc.double({ min: 0, max: 1, noNaN: true }),
        duplicateRate: fc.double({ min: 0, max: 1, noNaN: true }),
        reorderRate: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
      fc.array(fc.record({ wait: fc.integer({ min: 0, max: 50 }), path: fc.nat(2000), length: fc.nat(2000) }), {
        maxLength: 60,
      }),
      fc.integer(),
      (conditions, packets, seed) => {
        const simulator = new NetworkConditionSimulator({ seed, conditions, maxPackets: 32 });
        let now = 0;
        let arrived = 0;
        const bytes = new Uint8Array(2048);
        const drain = (): void => {
          for (let out = simulator.pop(now); out !== undefined; out = simulator.pop(now)) {
            arrived += 1;
            for (let i = 0; i < out.length; i += 1) {
              assert.equal(out.buffer[out.offset + i], (out.path + i) & 255);
            }
          }
          assert.ok(simulator.nextTimeout() > now);
        };
        for (const packet of packets) {
          now += packet.wait;
          drain();
          for (let i = 0; i < packet.length; i += 1) bytes[40 + i] = packet.path + i;
          simulator.push(bytes, 40, packet.length, packet.path, now);
        }
        now = 1e9;
        drain();
        const { pushed, lost, duplicated, overflowed } = simulator.stats;
        assert.equal(arrived, pushed - lost + duplicated - overflowed);
      },
    ),
    { seed: 20, numRuns: 200 },
  );
});

test("what is queued leaves at the new speed when the link's speed changes", () => {
  const simulator = new NetworkConditionSimulator({ seed: 1, conditions: { bandwidthBytesPerSec: 1_000 } });
  const packet = new Uint8Array(1_000);
  for (let i = 0; i < 70; i++) simulator.push(packet, 0, 1_000, 0, 0);
  assert.equal(simulator.stats.queueDropped > 0, true, "the queue is full");
  simulator.conditions = { bandwidthBytesPerSec: 1_000_000 };
  const before = simulator.stats.queueDropped;
  for (let now = 1_000; now < 11_000; now += 10) {
    simulator.push(packet, 0, 1_000, 0, now);
    while (simulator.pop(now) !== undefined);
  }
  assert.equal(simulator.stats.queueDropped, before);
});

test("datagrams above the MTU are lost, others are not", () => {
  const simulator = new NetworkConditionSimulator({ seed: 1, conditions: { mtuBytes: 1_200 } });
  simulator.push(new Uint8Array(1_200), 0, 1_200, 0, 0);
  simulator.push(new Uint8Array(1_201), 0, 1_201, 0, 0);
  assert.deepEqual([simulator.count, simulator.stats.lost], [1, 1]);
  assert.throws(() => (simulator.conditions = { mtuBytes: 0 }), /mtuBytes must be above 0/);
});

test("a burst loses as many of its packets as it says", () => {
  const burst = { enterRate: 0.5, leaveRate: 0.5, lossRate: 0.5 };
  const simulator = new NetworkConditionSimulator({ seed: 3, conditions: { burst }, maxPackets: 1 });
  let passed = 0;
  for (let i = 0; i < 20_000; i++) if (simulator.shouldProcessPacket()) passed++;
  // Half of the packets meet the bad state, half of those are lost.
  assert.ok(Math.abs(passed / 20_000 - 0.75) < 0.02, `${passed / 20_000}`);
});

test("a corrupted packet differs in one bit, and the others in none", () => {
  const simulator = new NetworkConditionSimulator({ seed: 5, conditions: { corruptRate: 0.5 } });
  const packet = Uint8Array.from({ length: 50 }, (_, i) => i);
  let changed = 0;
  for (let i = 0; i < 1_000; i++) {
    simulator.push(packet, 0, 50, 0, i);
    const out = simulator.pop(i);
    assert.ok(out !== undefined);
    let bits = 0;
    for (let at = 0; at < 50; at++) {
      for (let rest = out.buffer[out.offset + at] ^ packet[at]; rest > 0; rest >>= 1) bits += rest & 1;
    }
    assert.ok(bits <= 1);
    changed += bits;
  }
  assert.ok(changed > 430 && changed < 570, `${changed} of 1,000`);
});
