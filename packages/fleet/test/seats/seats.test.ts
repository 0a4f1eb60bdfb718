/**
 * A small fleet through whatever goes wrong, thousands of times: what is said in `SeatLedger` and `ClaimBook` holds.
 * `npm run soak -- seats` plays twenty times as many.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { FleetWorld } from "./fleet-world.ts";
import type { FaultKind, Scenario } from "./fleet-world.ts";
import type { NetworkQuality } from "./simulation.ts";

const calm: NetworkQuality = { lossRate: 0, duplicateRate: 0, slowRate: 0, slowMs: 0 };
const balancerFaults: FaultKind[] = ["killBalancer", "restartBalancer", "freezeBalancer", "isolateBalancer"];
const allFaults: FaultKind[] = [...balancerFaults, "splitBalancers", "killNode", "freezeNode"];

const roughQuality: fc.Arbitrary<NetworkQuality> = fc.record({
  lossRate: fc.constantFrom(0, 0.05, 0.2, 0.4),
  duplicateRate: fc.constantFrom(0, 0.1),
  slowRate: fc.constantFrom(0, 0.05, 0.2),
  slowMs: fc.constantFrom(300, 1000, 3000),
});

function scenario(
  quality: fc.Arbitrary<NetworkQuality>,
  faults: fc.Arbitrary<number>,
  kinds: FaultKind[],
): fc.Arbitrary<Scenario> {
  return fc.record({
    seed: fc.nat(),
    quality,
    balancers: fc.integer({ min: 1, max: 4 }),
    nodes: fc.integer({ min: 1, max: 3 }),
    capacity: fc.constantFrom(3, 8, 20),
    clients: fc.constantFrom(10, 40, 80),
    faults,
    faultKinds: fc.constant(kinds),
  });
}

describe("seats in a fleet", () => {
  it("are neither doubled nor lost nor leaked, whichever process is lost, on a rough network", () => {
    fc.assert(
      fc.property(scenario(roughQuality, fc.constant(1), allFaults), (parameters) => {
        const world = new FleetWorld(parameters);
        world.run();
        assert.deepEqual(world.bounced, []);
      }),
      { seed: 71, numRuns: 120 },
    );
  });

  it("nor when many are lost", () => {
    fc.assert(
      fc.property(
        scenario(roughQuality, fc.integer({ min: 1, max: 6 }), [
          ...allFaults,
          "loseTwoBalancers",
          "splitAndKillBalancer",
        ]),
        (parameters) => {
          const world = new FleetWorld(parameters);
          world.run();
          assert.deepEqual(world.bounced, []);
        },
      ),
      { seed: 72, numRuns: 80 },
    );
  });

  it("have one answer for each key on a network that is in order, whichever balancer is lost", () => {
    fc.assert(
      fc.property(scenario(fc.constant(calm), fc.constant(1), balancerFaults), (parameters) => {
        const world = new FleetWorld(parameters);
        world.run();
        assert.deepEqual(world.bounced, []);
        for (const { key, answersInTime } of world.clients) {
          assert.ok(answersInTime.size <= 1, `${key} has ${answersInTime.size} answers`);
        }
      }),
      { seed: 73, numRuns: 60 },
    );
  });
});
