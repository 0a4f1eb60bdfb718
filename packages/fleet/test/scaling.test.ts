/** The scaler in a closed loop over simulated days: players follow the clock, nodes take their time to come. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Random } from "@riposte/protocol";
import type { RegionScaling } from "../src/config/load-balancer-config.ts";
import { MONDAY, ScalingModel } from "./scaling-model.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const STEP_MS = 15_000;
const SEATS = 50;

/** 200 in the morning; in the evening 2,000, at the weekend 2,600; from noon on steep. */
function evening(unixMs: number): number {
  const hour = (unixMs % DAY_MS) / HOUR_MS;
  const isWeekend = Math.floor((unixMs - MONDAY) / DAY_MS) % 7 >= 5;
  const top = isWeekend ? 2400 : 1800;
  return Math.round(200 + top * Math.exp(-(((hour - 19) / 3) ** 2)));
}

interface Outcome {
  readonly fleet: ScalingModel;
  /** Of the days after the first: player steps without a seat, the fewest free seats, node hours, changes. */
  readonly turnedAway: number;
  readonly fewestFree: number;
  readonly nodeHours: number;
  readonly starts: number;
  readonly drains: number;
}

function live(change: Partial<RegionScaling>, days: number, demandAt = evening): Outcome {
  const fleet = new ScalingModel({
    config: {
      eu: { targetFreeSeats: 100, maxNodes: 80, minNodes: 2, maxStarting: 20, startTimeoutMs: 20 * 60_000, ...change },
    },
    random: new Random(11),
    seatsPerNode: SEATS,
    startupMs: () => 12 * 60_000,
    stepMs: STEP_MS,
    sessionMs: 20 * 60_000,
  });
  let [turnedAway, nodeHours, fewestFree] = [0, 0, Infinity];
  fleet.run(days * DAY_MS, () => {
    fleet.setPlayers("eu", demandAt(fleet.unixMs));
    if (fleet.now < DAY_MS) {
      turnedAway = fleet.turnedAway;
      return;
    }
    const { freeSeats, presentNodes, drainingNodes } = fleet.scaler.status()[0];
    fewestFree = Math.min(fewestFree, freeSeats);
    nodeHours += ((presentNodes + drainingNodes) * STEP_MS) / HOUR_MS;
  });
  const later = fleet.decisions.filter(({ at }) => at >= DAY_MS);
  const starts = later.reduce((sum, { decision }) => sum + (decision.kind === "start" ? decision.count : 0), 0);
  const drains = later.filter(({ decision }) => decision.kind === "drain").length;
  return { fleet, turnedAway: fleet.turnedAway - turnedAway, fewestFree, nodeHours, starts, drains };
}

describe("scaling over days", { timeout: 120_000 }, () => {
  it("has seats in time by what it learned of the days before, where reacting comes too late", (t) => {
    const [learned, reacting] = [true, false].map((predict) => live({ predict }, 9));
    t.diagnostic(`with prediction: ${describeOutcome(learned)}`);
    t.diagnostic(`without: ${describeOutcome(reacting)}`);
    assert.ok(reacting.turnedAway > 0, "nodes take 12 minutes, and the evening does not wait");
    assert.equal(learned.turnedAway, 0);
    assert.ok(learned.fewestFree > 0);
    assert.ok(learned.nodeHours < reacting.nodeHours * 1.15, "and costs little more");
    // Up and down once a day: from some 6 nodes to some 44, at weekends 56, and back.
    for (const { starts, drains } of [learned, reacting]) {
      assert.ok(starts < 8 * 65 && drains < 8 * 65, `${starts} starts, ${drains} drains`);
      assert.ok(starts > 8 * 30);
    }
  });

  it("goes on as before under a new leader that has its texts", () => {
    const options = { predict: true };
    const { fleet } = live(options, 2.6);
    const texts = fleet.scaler.save();
    fleet.scaler.lead(fleet.now);
    for (const [region, text] of texts) assert.ok(fleet.scaler.restore(region, text, fleet.now, fleet.unixMs));
    const before = fleet.turnedAway;
    fleet.run(DAY_MS, () => fleet.setPlayers("eu", evening(fleet.unixMs)));
    assert.equal(fleet.turnedAway, before);
  });

  it("brings back half of a region that is lost in the evening", () => {
    const { fleet } = live({ predict: true }, 2.75);
    const ready = fleet.nodesIn("eu", "ready", "full");
    for (const id of ready.slice(0, ready.length / 2)) fleet.lose(id);
    fleet.run(HOUR_MS, () => fleet.setPlayers("eu", evening(fleet.unixMs)));
    const { freeSeats, lostNodes, presentNodes } = fleet.scaler.status()[0];
    assert.equal(lostNodes, Math.floor(ready.length / 2));
    assert.ok(freeSeats >= 90 && presentNodes >= ready.length, `${freeSeats} free, ${presentNodes} nodes`);
  });

  it("lets nobody wait at the maximum for more than the maximum is worth, and comes back from it", () => {
    const { fleet, turnedAway } = live({ predict: true, maxNodes: 20 }, 2.9);
    assert.ok(turnedAway > 0);
    fleet.run(0.5 * DAY_MS, () => fleet.setPlayers("eu", evening(fleet.unixMs)));
    assert.ok(fleet.scaler.status()[0].presentNodes < 12);
  });
});

function describeOutcome({ turnedAway, fewestFree, nodeHours, starts, drains }: Outcome): string {
  const seats = `without a seat ${turnedAway}, fewest free ${fewestFree}`;
  return `${seats}, node hours ${Math.round(nodeHours)}, started ${starts}, drained ${drains}`;
}
