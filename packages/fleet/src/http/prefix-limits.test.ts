import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { LimitConfig } from "../config/load-balancer-config.ts";
import { PrefixLimits, prefixOf } from "./prefix-limits.ts";

const limits: LimitConfig = {
  requestsPerSec: 10,
  requestBurst: 4,
  connectionsPerPrefix: 8,
  connections: 16,
  challengeAbovePerSec: Infinity,
  proofBits: 8,
};

describe("PrefixLimits", () => {
  it("takes the /24 of IPv4 and the /48 of IPv6 for one", () => {
    assert.equal(prefixOf("10.1.2.3"), prefixOf("::ffff:10.1.2.200"));
    assert.notEqual(prefixOf("10.1.2.3"), prefixOf("10.1.3.3"));
    assert.equal(prefixOf("2001:db8:1:2::1"), prefixOf("2001:0db8:0001:ffff:1:2:3:4"));
    assert.notEqual(prefixOf("2001:db8:1::1"), prefixOf("2001:db8:2::1"));
    assert.equal(prefixOf("::1"), "0:0:0::");
  });

  it("refuses a prefix over its rate, blocks it when it goes on, and forgives it when it is quiet", () => {
    const prefixes = new PrefixLimits({ limits: () => limits });
    const verdicts = Array.from({ length: 9 }, () => prefixes.take("a", 0));
    assert.deepEqual(verdicts, ["pass", "pass", "pass", "pass", "refuse", "refuse", "refuse", "blocked", "blocked"]);
    assert.ok(prefixes.isBlocked("a", 0));
    assert.equal(prefixes.take("b", 0), "pass");
    assert.equal(prefixes.take("a", 399), "blocked");
    assert.ok(prefixes.isBlocked("a", 399));
    assert.ok(!prefixes.isBlocked("a", 400));
    assert.equal(prefixes.take("a", 500), "pass");
  });

  it("charges more for a request that passed, also more than there is, but not into debt twice", () => {
    const prefixes = new PrefixLimits({ limits: () => limits });
    assert.ok(prefixes.charge("a", 63, 0), "nothing is known of it");
    assert.equal(prefixes.take("a", 0), "pass");
    assert.ok(prefixes.charge("a", 63, 0));
    assert.ok(!prefixes.charge("a", 1, 0));
    assert.equal(prefixes.take("a", 0), "blocked", "a burst of debt");
    assert.equal(prefixes.take("a", 600), "pass");
  });

  it("obeys limits that change", () => {
    let now: LimitConfig = limits;
    const prefixes = new PrefixLimits({ limits: () => now });
    for (let i = 0; i < 4; i++) assert.equal(prefixes.take("a", 0), "pass");
    assert.equal(prefixes.take("a", 0), "refuse");
    now = { ...limits, requestBurst: 1000, requestsPerSec: 1000, connections: 0 };
    assert.equal(prefixes.take("a", 100), "pass");
    assert.ok(!prefixes.openConnection("a"));
  });

  it("limits connections of a prefix and in all, and more strictly when few places are left", () => {
    const prefixes = new PrefixLimits({ limits: () => limits });
    const opened = (key: string): number =>
      Array.from({ length: 20 }, () => prefixes.openConnection(key)).indexOf(false);
    assert.equal(opened("a"), 8);
    assert.equal(opened("b"), 4);
    assert.equal(opened("c"), 1);
    assert.equal(opened("d"), 1);
    for (let i = 0; i < 8; i++) prefixes.closeConnection("a");
    prefixes.closeConnection("unknown");
    assert.equal(prefixes.open, 6);
    assert.ok(prefixes.openConnection("a"));
  });

  it("counts an address that has authenticated alone", () => {
    const prefixes = new PrefixLimits({ limits: () => limits, trustMs: 1000 });
    prefixes.trust("10.0.0.1", 0);
    assert.equal(prefixes.keyOf("10.0.0.1", 999), "=10.0.0.1");
    assert.equal(prefixes.keyOf("10.0.0.2", 0), "10.0.0.");
    assert.equal(prefixes.keyOf("10.0.0.1", 1000), "10.0.0.");
  });

  it("forgets the prefix heard of longest ago when its table is full", () => {
    const prefixes = new PrefixLimits({ limits: () => limits, maxPrefixes: 2 });
    for (let i = 0; i < 8; i++) prefixes.take("a", 0);
    prefixes.take("b", 0);
    prefixes.take("a", 0);
    prefixes.take("c", 0);
    assert.equal(prefixes.size, 2);
    assert.ok(prefixes.isBlocked("a", 0));
  });
});
