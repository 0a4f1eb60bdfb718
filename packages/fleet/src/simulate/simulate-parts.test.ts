import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Random } from "@riposte/protocol";
import * as fc from "fast-check";
import { dailyDemand } from "./daily-demand.ts";
import { EventQueue } from "./event-queue.ts";
import { Histogram } from "./histogram.ts";
import { Sessions } from "./sessions.ts";
import { World } from "./world.ts";

describe("EventQueue", () => {
  it("gives events in the order of their times, then of their coming", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { maxLength: 60 }), (times) => {
        const queue = new EventQueue<number>();
        times.forEach((at, i) => queue.push(at, i));
        const out: number[] = [];
        for (let next = queue.pop(); next !== undefined; next = queue.pop()) out.push(next);
        const expected = times.map((at, i) => ({ at, i })).sort((a, b) => a.at - b.at || a.i - b.i);
        assert.deepEqual(
          out,
          expected.map(({ i }) => i),
        );
        assert.equal(queue.nextAt, Infinity);
      }),
      { seed: 5, numRuns: 300 },
    );
  });
});

describe("Histogram", () => {
  it("knows quantiles to half a step, the mean and the largest exactly", () => {
    const histogram = new Histogram(1, 100);
    for (let i = 0; i < 100; i++) histogram.add(i);
    const { count, mean, p50, p99, max } = histogram.quantiles;
    assert.deepEqual([count, mean, p50, p99, max], [100, 49.5, 49.5, 98.5, 99]);
    assert.equal(histogram.shareBelow(10), 0.1);
    histogram.add(1e6);
    assert.equal(histogram.quantiles.max, 1e6);
  });
});

describe("Sessions", () => {
  it("ends each at its tick, or gives it up with its node, and never both", () => {
    const [nodes, maxTicks] = [7, 50];
    const sessions = new Sessions({ maxNodes: nodes, maxTicks, initial: 2 });
    const random = new Random(9);
    const expected = new Map<number, { readonly node: number; readonly endTick: number }>();
    let player = 0;
    let ended = 0;
    let evicted = 0;
    for (let tick = 0; tick < 2000; tick++) {
      sessions.expire(tick, (session) => {
        const [first] = sessions.playersOf(session);
        assert.equal(expected.get(first)?.endTick, tick);
        expected.delete(first);
        ended++;
      });
      for (let i = 0; i < 3; i++) {
        const node = random.int(nodes);
        const endTick = tick + 1 + random.int(maxTicks);
        expected.set(player, { node, endTick });
        sessions.add(node, 0, [player++], endTick);
      }
      if (!random.chance(0.05)) continue;
      const gone = random.int(nodes);
      sessions.evict(gone, (session) => {
        const [first] = sessions.playersOf(session);
        assert.equal(expected.get(first)?.node, gone);
        expected.delete(first);
        evicted++;
      });
      for (const { node } of expected.values()) assert.notEqual(node, gone);
    }
    assert.equal(ended + evicted + expected.size, player);
    assert.ok(ended > 1000 && evicted > 500);
  });
});

describe("dailyDemand", () => {
  it("is 1 in the mean of a week, lowest before dawn and highest in the evening", () => {
    let sum = 0;
    for (let hour = 0; hour < 168; hour++) sum += dailyDemand(hour);
    assert.ok(Math.abs(sum / 168 - 1) < 1e-9);
    assert.ok(dailyDemand(20) > 5 * dailyDemand(4.5));
    assert.equal(dailyDemand(-24), dailyDemand(144));
    assert.ok(dailyDemand(5 * 24 + 12) > 1.5 * dailyDemand(12), "Saturday at noon");
  });
});

describe("World", () => {
  it("has as many nodes and regions as were asked for, and most players near one", () => {
    for (const [regions, nodes] of [
      [1, 1],
      [12, 200],
      [300, 5000],
    ]) {
      const world = new World({ regions, nodes });
      assert.equal(world.regions.length, regions);
      assert.equal(
        world.regions.reduce((sum, region) => sum + region.nodes, 0),
        nodes,
      );
      assert.equal(new Set(world.regions.map(({ name }) => name)).size, regions);
      assert.ok(Math.abs(world.places.reduce((sum, { share }) => sum + share, 0) - 1) < 0.01);
      const meanMs = world.places.reduce(
        (sum, { share }, i) => sum + share * world.roundTripMs(i, world.nearest[i][0]),
        0,
      );
      if (regions === 300) assert.ok(meanMs < 6, `${meanMs} ms`);
    }
  });

  it("has no round trip that is faster than light in glass", () => {
    const world = new World({ regions: 40, nodes: 40 });
    const place = world.places.findIndex(({ name }) => name === "london");
    const region = world.regions.findIndex(({ name }) => name === "sydney-1");
    // 16,990 km, there and back at 200 km/ms.
    assert.ok(region < 0 || world.roundTripMs(place, region) > 170);
    for (let i = 1; i < 40; i++)
      assert.ok(
        world.roundTripMs(place, world.nearest[place][i]) >= world.roundTripMs(place, world.nearest[place][i - 1]),
      );
  });
});
