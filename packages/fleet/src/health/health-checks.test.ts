import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DEFAULT_CONFIG } from "../config/config-defaults.ts";
import { HealthChecks } from "./health-checks.ts";

describe("HealthChecks", () => {
  it("does not remember nodes that are gone", () => {
    let generation = 0;
    const checks = new HealthChecks({
      balancer: "a",
      config: () => DEFAULT_CONFIG.health,
      nodes: () =>
        Array.from({ length: 10 }, (_, i) => ({ id: `${generation}-${i}`, healthUrl: "http://127.0.0.1:1/" })),
      // Another one's.
      liveBalancers: () => ["b"],
      onResult: () => undefined,
    });
    for (let now = 0; now < 60_000; now += 10) {
      generation = Math.floor(now / 1000);
      checks.performHealthChecks(now);
    }
    assert.ok(checks.scheduled >= 10 && checks.scheduled <= 50, `${checks.scheduled}`);
  });
});
