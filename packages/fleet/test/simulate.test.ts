/**
 * A small fleet over a simulated day in which everything happens: a region is lost, a release is rolled out, everybody comes at
 * once. `npm run soak -- simulate` takes a larger one over a week, with other seeds.
 */
import assert from "node:assert/strict";
import { setImmediate as settled } from "node:timers/promises";
import { describe, it } from "node:test";
import { routingVariants, Simulation, SIMULATION_DEFAULTS } from "../src/simulate/index.ts";
import type { SimulationOptions, SimulationReport } from "../src/simulate/index.ts";

const SMALL = { nodes: 200, regions: 12, players: 100_000, days: 1 } as const;
const SOAK = process.env.SOAK === "true";

async function simulate(options: Partial<SimulationOptions>): Promise<SimulationReport> {
  const simulation = new Simulation(options);
  while (!simulation.done) {
    simulation.advance(1_800_000);
    await settled();
    const { arrived, finished, playing, waiting, gaveUp } = simulation.report.players;
    assert.equal(arrived, finished + playing + waiting + gaveUp, `players are conserved, at ${simulation.atMs} ms`);
  }
  return simulation.report;
}

function check(report: SimulationReport): void {
  const { latency, overload, churn, players } = report;
  assert.equal(report.completed, 1);
  assert.equal(overload.nodesAboveCapacity, 0);
  assert.deepEqual(Object.keys(latency).sort(), ["all", "calm", "loss", "recovery", "release", "spike"]);
  for (const { placed, nearest, nearestWithRoom, excessOverRoom } of Object.values(latency)) {
    assert.ok(placed.count > 0);
    assert.ok(nearest.mean <= nearestWithRoom.mean && nearestWithRoom.mean <= placed.mean);
    assert.ok(excessOverRoom.p50 <= 2, `half are as near as can be: ${excessOverRoom.p50}`);
  }
  assert.ok(latency.all.placed.mean < 1.5 * latency.all.nearestWithRoom.mean, `${latency.all.placed.mean} ms`);
  assert.ok(players.gaveUp < 0.05 * players.arrived, `${players.gaveUp} gave up`);
  assert.ok(churn.lostNodes > 0 && churn.movedByLoss > 0 && churn.backAfterMs.count > 0);
  assert.ok(churn.backAfterMs.p50 < 10_000);
  assert.ok(churn.released > 0 && churn.releasedUninterrupted > 0.7 * churn.released);
  assert.equal(report.samples.at(-1)?.releasedShare, 1);
}

describe("a simulated day", () => {
  it("has nobody beyond capacity, nobody lost, and most players near, while everything happens", async () => {
    const report = await simulate(SMALL);
    check(report);
    assert.ok(report.churn.started > report.churn.released, "the scaler starts nodes, too");
    assert.ok(report.store.byKind.clients.writes > 0 && report.store.byKind.nodes.writes > 0);
  });

  it("has all nodes all the time when nothing is scaled", async () => {
    const { churn, samples } = await simulate({ ...SMALL, days: 0.2, scaling: false, incidents: [] });
    assert.deepEqual([churn.started, churn.drained, churn.stopped], [0, 0, 0]);
    assert.ok(samples.every(({ readyNodes }) => readyNodes === SMALL.nodes));
  });

  it("comes out the same for the same seed, and not for another one", async () => {
    const tiny = { ...SMALL, players: 30_000, days: 0.2 };
    const [a, b, other] = [await simulate(tiny), await simulate(tiny), await simulate({ ...tiny, seed: 2 })];
    assert.deepEqual(a, b);
    assert.notDeepEqual(a.players, other.players);
  });

  it("places groups nearly as well as single players, although three balancers share each node's seats", async () => {
    const { latencyBySize } = await simulate({ ...SMALL, regions: 6, days: 0.5, incidents: [] });
    // 50 ms and more while every balancer had an equal part of what was free, too small for any group.
    assert.ok(latencyBySize[4].excessOverRoom.mean < 20, `${latencyBySize[4].excessOverRoom.mean} ms`);
  });

  it("keeps nodes empty when players are packed, and does not when they are spread", async () => {
    const variants = routingVariants(SIMULATION_DEFAULTS.config);
    const emptyWith = async (name: string): Promise<number> => {
      const config = variants.get(name);
      assert.ok(config !== undefined);
      const { samples } = await simulate({ ...SMALL, days: 0.2, scaling: false, incidents: [], config });
      return samples.reduce((sum, { emptyNodes }) => sum + emptyNodes, 0) / samples.length;
    };
    assert.ok((await emptyWith("composite, packed")) > 5 * (await emptyWith("composite")));
  });

  it("lends seats as nodes and balancers do in truth, nearly", async () => {
    const fleet = { nodes: 24, regions: 4, players: 12_000, incidents: [], scaling: false, sessionsPerWeek: 1.5 };
    const short = { ...fleet, days: 1 / 24, warmUpMs: 1_800_000 };
    const [real, simple] = [await simulate({ ...short, realSeats: true }), await simulate(short)];
    assert.equal(real.overload.nodesAboveCapacity, 0);
    const [a, b] = [real.latency.all, simple.latency.all];
    assert.ok(a.placed.count > 30 && Math.abs(a.placed.count - b.placed.count) <= 0.05 * b.placed.count);
    assert.ok(Math.abs(a.placed.mean - b.placed.mean) < 0.15 * b.placed.mean, `${a.placed.mean}, ${b.placed.mean} ms`);
  });

  it("refuses what cannot be", () => {
    assert.throws(() => new Simulation({ nodes: 0 }), /nodes must be a whole number/);
    assert.throws(() => new Simulation({ nodes: 10, regions: 11 }), /regions must be a whole number from 1 to 10/);
    assert.throws(() => new Simulation({ days: 0 }), /days must be more than 0/);
  });

  if (SOAK)
    it("goes on so for a week and many seeds", async () => {
      for (let seed = 10; seed < 20; seed++)
        check(await simulate({ nodes: 1000, regions: 40, players: 500_000, days: 7, seed }));
    });
});
