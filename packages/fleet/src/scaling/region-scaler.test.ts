import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Random } from "@riposte/protocol";
import { RegionScaler } from "./region-scaler.ts";
import { MONDAY, ScalingModel } from "../../test/scaling-model.ts";
import type { ModelOptions } from "../../test/scaling-model.ts";
import { registration } from "../../test/fleet-model.ts";

const MINUTE_MS = 60_000;

function model(config: ModelOptions["config"][string], more: Partial<ModelOptions> = {}): ScalingModel {
  return new ScalingModel({ config: { eu: { predict: false, ...config } }, random: new Random(7), ...more });
}

describe("RegionScaler", () => {
  it("starts what is missing of the target, and says why", () => {
    const fleet = model({ targetFreeSeats: 100, minNodes: 1 });
    fleet.run(60_000);
    assert.deepEqual(fleet.decisions, [
      {
        at: 10_000,
        decision: {
          kind: "start",
          region: "eu",
          count: 2,
          reason: "0 nodes of at least 1",
        },
      },
    ]);
    fleet.setPlayers("eu", 60);
    fleet.step();
    assert.deepEqual(fleet.decisions.at(-1)?.decision, {
      kind: "start",
      region: "eu",
      count: 1,
      reason: "68 seats are free; 100 are wanted",
    });
    const [status] = fleet.scaler.status();
    const { presentNodes, wantedNodes, askedNodes, comingSeats, demand, startupMs } = status;
    assert.deepEqual([presentNodes, wantedNodes, askedNodes, comingSeats, demand], [3, 3, 1, 0, 60]);
    assert.equal(startupMs, 40_000, "as measured");
    fleet.run(5 * MINUTE_MS);
    assert.equal(fleet.count("start"), 2);
    assert.equal(fleet.scaler.decisions.length, 2);
  });

  it("drains the emptiest, leaves the others alone, and stops it when its last player has gone", () => {
    const fleet = model({ targetFreeSeats: 20, minNodes: 1, scaleInCooldownMs: 60_000 });
    fleet.run(60_000);
    fleet.setPlayers("eu", 150);
    fleet.run(3 * MINUTE_MS, () => fleet.setPlayers("eu", 150));
    const before = fleet.nodesIn("eu");
    assert.ok(before.length >= 3);
    for (const players of [0, 150, 60]) fleet.setPlayers("eu", players);
    fleet.run(30_000);
    const [drained] = fleet.nodesIn("eu", "draining");
    assert.equal(fleet.playersOn(drained), Math.min(...before.map((id) => fleet.playersOn(id))), "the emptiest");
    assert.ok(fleet.playersOn(drained) > 0);
    fleet.run(20 * MINUTE_MS);
    assert.equal(fleet.count("stop"), 0, "a player is still there");
    assert.ok(before.includes(drained));
    fleet.run(10 * MINUTE_MS, () => fleet.setPlayers("eu", 0));
    assert.ok(fleet.count("stop") > 0);
    assert.deepEqual(fleet.nodesIn("eu", "ready").length, 1);
  });

  it("stops a node with players only after an operator's maximum", () => {
    const fleet = model({ targetFreeSeats: 200, minNodes: 4, maxDrainMs: 10 * MINUTE_MS });
    fleet.run(60_000);
    fleet.setPlayers("eu", 40);
    fleet.config = { eu: { ...fleet.config.eu, minNodes: 0, maxNodes: 3, targetFreeSeats: 0 } };
    fleet.step();
    const [drained] = fleet.nodesIn("eu", "draining");
    assert.match(JSON.stringify(fleet.decisions.at(-1)), /4 nodes of at most 3; \d+ players are there, the fewest/);
    fleet.run(10 * MINUTE_MS - 2000);
    assert.equal(fleet.count("stop"), 0);
    fleet.run(3000);
    const stops = fleet.decisions.flatMap(({ decision }) => (decision.kind === "stop" ? [decision] : []));
    assert.deepEqual(
      stops.map(({ nodeId }) => nodeId),
      [drained],
    );
    assert.match(stops[0].reason, /maxDrainMs is over, with \d+ players there/);
  });

  it("cancels draining before it starts anything, but not of what others drained", () => {
    const fleet = model({ targetFreeSeats: 20, scaleInCooldownMs: 30_000, minNodes: 4, maxNodes: 6 });
    fleet.run(60_000);
    fleet.setPlayers("eu", 120);
    fleet.config = { eu: { ...fleet.config.eu, minNodes: 1 } };
    fleet.run(2 * MINUTE_MS);
    const drained = fleet.nodesIn("eu", "draining");
    assert.ok(drained.length >= 1, "one was drained");
    const [others] = fleet.nodesIn("eu", "ready");
    fleet.table.setState(fleet.table.indexOf(others), "draining", fleet.now);
    const started = fleet.count("start");
    fleet.setPlayers("eu", 170);
    fleet.step();
    assert.ok(fleet.nodesIn("eu", "draining").includes(others));
    assert.equal(fleet.count("start"), started);
    assert.ok(fleet.count("resume") > 0);
    fleet.run(10_000, () => fleet.setPlayers("eu", 230));
    assert.deepEqual(fleet.nodesIn("eu", "draining"), [others]);
  });

  it("does not stop a node that it has just called back, although nobody plays there yet", () => {
    const fleet = model({ targetFreeSeats: 0, minNodes: 2, scaleInCooldownMs: 10_000 });
    fleet.run(60_000);
    fleet.config = { eu: { ...fleet.config.eu, minNodes: 1 } };
    fleet.run(2000);
    const [drained] = fleet.nodesIn("eu", "draining");
    const index = fleet.table.indexOf(drained);
    fleet.config = { eu: { ...fleet.config.eu, minNodes: 2 } };
    fleet.step();
    assert.equal(fleet.count("resume"), 1);
    // Its report is late: to the balancer it drains as before.
    fleet.table.setState(index, "draining", fleet.now);
    fleet.run(8000);
    assert.deepEqual([fleet.count("stop"), fleet.count("resume")], [0, 1]);
    fleet.table.setState(index, "ready", fleet.now);
    fleet.run(60_000);
    assert.deepEqual([fleet.count("stop"), fleet.nodesIn("eu", "ready").length], [0, 2]);
  });

  it("replaces nodes that are lost, and not those in maintenance that still count to the maximum", () => {
    const fleet = model({ targetFreeSeats: 60, minNodes: 2, maxNodes: 3 });
    fleet.run(60_000);
    const [first, second] = fleet.nodesIn("eu", "ready");
    fleet.lose(first);
    fleet.step();
    assert.deepEqual(fleet.decisions.at(-1)?.decision, {
      kind: "start",
      region: "eu",
      count: 1,
      reason: "1 nodes of at least 2; 1 nodes are lost",
    });
    fleet.run(60_000);
    fleet.table.setState(fleet.table.indexOf(second), "maintenance", fleet.now);
    fleet.run(60_000);
    assert.equal(fleet.nodesIn("eu", "ready").length, 2);
    fleet.setPlayers("eu", 128);
    fleet.run(60_000);
    assert.match(fleet.scaler.status()[0].note, /there are maxNodes \(3/);
    assert.equal(fleet.nodesIn("eu", "ready", "full", "maintenance").length, 3);
  });

  it("gives up nodes that do not come, and asks again later each time", () => {
    const fleet = model({ startTimeoutMs: 60_000, minNodes: 1, targetFreeSeats: 0 }, { delivers: () => false });
    fleet.run(30 * MINUTE_MS);
    const started = fleet.decisions.flatMap(({ at, decision }) => (decision.kind === "start" ? [at] : []));
    const gaps = started.slice(1).map((at, i) => at - started[i]);
    assert.deepEqual(gaps.slice(0, 4), [70_000, 80_000, 100_000, 140_000]);
    assert.deepEqual(fleet.decisions[1].decision, {
      kind: "giveUp",
      region: "eu",
      count: 1,
      nodeIds: [],
      reason: "not there 60 s after they were asked for",
    });
    assert.match(fleet.scaler.status()[0].note, /the last did not start: the next attempt is in \d+ s/);
  });

  it("names those that it gives up, and takes nobody else for one of them", () => {
    const fleet = model({ startTimeoutMs: 60_000, minNodes: 2, targetFreeSeats: 0 }, { delivers: () => false });
    fleet.run(11_000);
    for (const id of ["eu-a", "eu-b"]) fleet.scaler.expect("eu", id);
    fleet.table.put(registration("by-hand", { region: "eu" }));
    fleet.table.put(registration("eu-b", { region: "eu" }));
    fleet.step();
    assert.equal(fleet.scaler.status()[0].askedNodes, 1);
    fleet.run(60_000);
    const given = fleet.decisions.flatMap(({ decision }) => (decision.kind === "giveUp" ? decision.nodeIds : []));
    assert.deepEqual(given, ["eu-a"]);
  });

  it("does not wait for a node that registered before its driver said its name", () => {
    const fleet = model({ minNodes: 3, targetFreeSeats: 0 }, { delivers: () => false });
    fleet.run(11_000);
    fleet.table.put(registration("eu-a", { region: "eu" }));
    for (const id of ["eu-a", "eu-b", "eu-c"]) fleet.scaler.expect("eu", id);
    for (const id of ["eu-c", "eu-b"]) fleet.table.put(registration(id, { region: "eu" }));
    fleet.step();
    assert.equal(fleet.scaler.status()[0].askedNodes, 0);
  });

  it("asks for more than free seats where it is full: nobody can see who is turned away", () => {
    const fleet = model({ targetFreeSeats: 10, minNodes: 1, maxNodes: 40, maxStarting: 40 });
    fleet.run(60_000);
    fleet.run(8 * MINUTE_MS, () => fleet.setPlayers("eu", 1500));
    const byNodes = fleet.decisions.flatMap(({ decision }) => (decision.kind === "start" ? [decision.count] : []));
    assert.ok(Math.max(...byNodes) >= 4, byNodes.join(", "));
    const lost = fleet.nodesIn("eu", "full");
    for (const id of lost.slice(0, lost.length / 2)) fleet.lose(id);
    fleet.run(31_000, () => fleet.setPlayers("eu", 1500));
    assert.match(
      JSON.stringify(fleet.decisions.at(-1)?.decision),
      /players may look for one in vain; \d+ nodes are lost/,
    );
    const { presentNodes, startingNodes, askedNodes } = fleet.scaler.status()[0];
    assert.ok(presentNodes >= lost.length, `${presentNodes} of ${lost.length}, ${startingNodes}, ${askedNodes}`);
  });

  it("counts those who wait", () => {
    const fleet = model({ targetFreeSeats: 0, minNodes: 0, maxNodes: 10 });
    const options = { table: fleet.table, config: () => fleet.config };
    const scaler = new RegionScaler({ ...options, waitingIn: (region) => (region === "eu" ? 100 : 0) });
    const [decision] = scaler.step(1000, MONDAY);
    assert.deepEqual(decision.kind === "start" && decision.count, 2);
  });

  it("waits longer after the driver has refused, and forgets that when a node comes", () => {
    const fleet = model({ minNodes: 1, targetFreeSeats: 0, scaleOutCooldownMs: 0 }, { delivers: () => false });
    const tries: number[] = [];
    fleet.run(5 * MINUTE_MS, () => {
      const { askedNodes } = fleet.scaler.status()[0] ?? { askedNodes: 0 };
      if (askedNodes === 0) return;
      tries.push(fleet.now);
      fleet.scaler.startFailed("eu", 1, fleet.now);
    });
    const gaps = tries.slice(1).map((at, i) => at - tries[i]);
    assert.deepEqual(gaps.slice(0, 4), [10_000, 20_000, 40_000, 80_000]);
  });

  it("drains a node that registers and never gets ready", () => {
    const fleet = model(
      { startTimeoutMs: 60_000, minNodes: 1, targetFreeSeats: 0 },
      { startupMs: () => 60 * MINUTE_MS },
    );
    fleet.table.put(registration("eu-stuck", { region: "eu" }));
    fleet.run(75_000);
    assert.match(
      JSON.stringify(fleet.decisions.map(({ decision }) => decision)),
      /"kind":"drain","region":"eu","nodeId":"eu-stuck","reason":"not ready 60 s after/,
    );
    fleet.run(10_000);
    assert.equal(fleet.table.indexOf("eu-stuck"), -1, "and was stopped, as nobody plays there");
  });

  it("starts no more at once than it may", () => {
    const fleet = model({ targetFreeSeats: 6400, maxNodes: 100, maxStarting: 4, scaleOutCooldownMs: 5000 });
    let most = 0;
    fleet.run(10 * MINUTE_MS, () => {
      const { startingNodes, askedNodes } = fleet.scaler.status()[0] ?? { startingNodes: 0, askedNodes: 0 };
      most = Math.max(most, startingNodes + askedNodes);
    });
    assert.equal(most, 4);
    assert.ok(fleet.nodesIn("eu", "ready").length > 40);
  });

  it("keeps to a schedule, in time: nodes are there when it begins", () => {
    const schedule = [{ days: [1], from: "01:00", to: "02:00", minNodes: 5 }];
    const fleet = model({ schedule, minNodes: 1, targetFreeSeats: 0, scaleInCooldownMs: MINUTE_MS });
    fleet.run(50 * MINUTE_MS);
    assert.equal(fleet.nodesIn("eu").length, 1);
    fleet.run(10 * MINUTE_MS);
    assert.equal(fleet.nodesIn("eu", "ready").length, 5);
    fleet.run(59 * MINUTE_MS);
    assert.equal(fleet.nodesIn("eu", "ready").length, 5);
    fleet.run(20 * MINUTE_MS);
    assert.equal(fleet.nodesIn("eu", "ready").length, 1);
  });

  it("scales regions that are not named by the settings of *, once they have a node", () => {
    const fleet = new ScalingModel({
      config: { "*": { minNodes: 2, targetFreeSeats: 0 }, us: { minNodes: 1, targetFreeSeats: 0 } },
      random: new Random(1),
    });
    fleet.run(20_000);
    assert.deepEqual(Object.keys(Object.groupBy(fleet.scaler.status(), ({ region }) => region)), ["us"]);
    fleet.table.put(registration("a-1", { region: "asia" }));
    fleet.run(60_000);
    assert.deepEqual([fleet.nodesIn("us").length, fleet.nodesIn("asia").length], [1, 2]);
  });

  it("touches no node that is not its driver's", () => {
    const fleet = model({ minNodes: 0, targetFreeSeats: 0, scaleInCooldownMs: 1000 });
    const { table } = fleet;
    const hands = table.put(registration("by-hand", { region: "eu" })) as number;
    table.setState(hands, "ready", 0);
    const scaler = new RegionScaler({
      table,
      config: () => fleet.config,
      mayStop: (id) => id !== "by-hand",
    });
    for (let now = 0; now < 60_000; now += 1000) assert.deepEqual(scaler.step(now, MONDAY + now), []);
    table.setState(hands, "draining", 0);
    for (let now = 60_000; now < 120_000; now += 1000) assert.deepEqual(scaler.step(now, MONDAY + now), []);
  });

  it("lets a new leader go on: demand, times to start, and which nodes it may resume", () => {
    const options = { minNodes: 4, targetFreeSeats: 20, scaleInCooldownMs: 30_000, maxNodes: 6 };
    const fleet = model(options);
    fleet.run(60_000);
    fleet.setPlayers("eu", 120);
    fleet.config = { eu: { ...fleet.config.eu, minNodes: 1 } };
    fleet.run(2 * MINUTE_MS);
    const drained = fleet.nodesIn("eu", "draining");
    const text = fleet.scaler.save().get("eu")!;
    fleet.scaler.lead(fleet.now);
    assert.equal(fleet.scaler.restore("eu", text, fleet.now, fleet.unixMs), true);
    fleet.step();
    assert.match(fleet.scaler.status()[0].note, /it decides in/);
    fleet.run(15_000, () => fleet.setPlayers("eu", 200));
    assert.ok(drained.length > 0);
    assert.deepEqual(fleet.nodesIn("eu", "draining"), []);
    assert.equal(fleet.scaler.status()[0].startupMs, 40_000);
    for (const bad of ["", "{", "null", "{}", '{"history":"{}","startups":[],"drained":[]}'])
      assert.equal(fleet.scaler.restore("eu", bad, fleet.now, fleet.unixMs), false, bad);
  });
});

describe("RegionScaler, whatever happens", () => {
  const settings = fc.record({
    targetFreeSeats: fc.integer({ min: 0, max: 500 }),
    minNodes: fc.integer({ min: 0, max: 4 }),
    maxNodes: fc.integer({ min: 4, max: 20 }),
    scaleOutCooldownMs: fc.constantFrom(0, 15_000, 60_000),
    scaleInCooldownMs: fc.constantFrom(30_000, 120_000),
    scaleInMargin: fc.constantFrom(0, 0.25),
    maxStarting: fc.integer({ min: 1, max: 8 }),
    predict: fc.boolean(),
  });
  const happenings = fc.array(
    fc.record({
      players: fc.integer({ min: 0, max: 900 }),
      forS: fc.integer({ min: 20, max: 600 }),
      loses: fc.boolean(),
      drainsByHand: fc.boolean(),
    }),
    { minLength: 1, maxLength: 8 },
  );

  it("keeps within its limits and cooldowns, and never stops a node with a player", () => {
    fc.assert(
      fc.property(settings, happenings, fc.integer(), (config, events, seed) => {
        const random = new Random(seed);
        const fleet = new ScalingModel({
          config: { eu: config },
          random,
          seatsPerNode: 40,
          startupMs: () => 20_000 + random.next() * 60_000,
          delivers: () => random.next() < 0.8,
        });
        const last = { start: -Infinity, change: -Infinity };
        for (const { players, forS, loses, drainsByHand } of events) {
          const ready = fleet.nodesIn("eu", "ready");
          if (loses && ready.length > 0) fleet.lose(ready[0]);
          if (drainsByHand && ready.length > 1) fleet.table.setState(fleet.table.indexOf(ready[1]), "draining", 0);
          for (let s = 0; s < forS; s++) {
            fleet.setPlayers("eu", players);
            const before = new Map(fleet.nodesIn("eu").map((id) => [id, fleet.playersOn(id)]));
            const servingBefore = fleet.nodesIn("eu", "ready", "full").length;
            const decisions = fleet.step();
            for (const decision of decisions) {
              if (decision.kind === "stop") assert.equal(before.get(decision.nodeId), 0);
              if (decision.kind === "start") {
                assert.ok(fleet.now - last.start >= config.scaleOutCooldownMs);
                last.start = fleet.now;
              }
              if (decision.kind === "drain") assert.ok(fleet.now - last.change >= config.scaleInCooldownMs);
            }
            if (decisions.some(({ kind }) => kind === "start" || kind === "drain" || kind === "resume"))
              last.change = fleet.now;
            const drained = decisions.filter(({ kind }) => kind === "drain").length;
            if (drained > 0) assert.ok(servingBefore - drained >= config.minNodes);
            const { askedNodes, startingNodes } = fleet.scaler.status()[0];
            const total = fleet.nodesIn("eu", "starting", "ready", "full", "draining", "maintenance").length;
            assert.ok(total + askedNodes <= config.maxNodes, `${total} + ${askedNodes}`);
            assert.ok(askedNodes + startingNodes <= config.maxStarting);
          }
        }
      }),
      { numRuns: 40, seed: 21 },
    );
  });

  it("reaches its target where it may, and then leaves things as they are", () => {
    fc.assert(
      fc.property(settings, fc.integer({ min: 0, max: 300 }), fc.integer(), (config, players, seed) => {
        const random = new Random(seed);
        const fleet = new ScalingModel({ config: { eu: config }, random, seatsPerNode: 40 });
        fleet.run(40 * MINUTE_MS, () => fleet.setPlayers("eu", players));
        const serving = fleet.nodesIn("eu", "ready", "full").length;
        const wanted = Math.max(config.minNodes, Math.ceil((players + config.targetFreeSeats) / 40));
        const turnedAway = fleet.turnedAway;
        const margin = (config.targetFreeSeats * config.scaleInMargin) / 40;
        if (players === 0 || config.targetFreeSeats > 0)
          assert.ok(serving >= Math.min(wanted, config.maxNodes), `${serving} of ${wanted}`);
        assert.ok(serving <= Math.min(config.maxNodes, wanted + margin + 1), `${serving} of ${wanted}`);
        const before = fleet.decisions.length;
        fleet.run(30 * MINUTE_MS, () => fleet.setPlayers("eu", players));
        assert.deepEqual(fleet.decisions.slice(before), []);
        if (config.targetFreeSeats > 0 && wanted <= config.maxNodes) assert.equal(fleet.turnedAway, turnedAway);
      }),
      { numRuns: 25, seed: 22 },
    );
  });

  it("does not oscillate where demand trembles within the margin", () => {
    const fleet = model({ targetFreeSeats: 200, maxNodes: 40, scaleInCooldownMs: 30_000, scaleOutCooldownMs: 0 });
    const random = new Random(3);
    fleet.run(30 * MINUTE_MS, () => fleet.setPlayers("eu", 500));
    const before = fleet.decisions.length;
    fleet.run(120 * MINUTE_MS, () => fleet.setPlayers("eu", 500 + Math.floor(random.next() * 40) - 20));
    assert.ok(fleet.decisions.length - before <= 2, `${fleet.decisions.length - before} decisions`);
  });
});
