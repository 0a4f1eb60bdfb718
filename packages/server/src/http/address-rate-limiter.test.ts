import assert from "node:assert/strict";
import { test } from "node:test";
import { AddressRateLimiter, networkOf } from "./address-rate-limiter.ts";

test("an address has its burst, then its rate, and others are not touched", () => {
  const limiter = new AddressRateLimiter({ burst: 3, perSec: 2 });
  const taken = [0, 0, 0, 0].map((now) => limiter.take("192.0.2.1", now));
  assert.deepEqual(taken, [true, true, true, false]);
  assert.equal(limiter.take("192.0.2.2", 0), true);
  assert.equal(limiter.take("192.0.2.1", 499), false);
  assert.equal(limiter.take("192.0.2.1", 1001), true);
  // A clock that steps back gives nothing and breaks nothing.
  assert.equal(limiter.take("192.0.2.1", 0), true);
  assert.equal(limiter.take("192.0.2.1", 0), false);
});

test("the table is bounded and forgets the address heard of longest ago", () => {
  const limiter = new AddressRateLimiter({ burst: 1, perSec: 0.001, maxAddresses: 3 });
  for (const address of ["10.0.0.1", "10.0.0.2", "10.0.0.3"]) assert.equal(limiter.take(address, 0), true);
  assert.equal(limiter.take("10.0.0.1", 0), false);
  assert.equal(limiter.take("10.0.0.4", 0), true);
  assert.equal(limiter.size, 3);
  assert.equal(limiter.take("10.0.0.1", 0), false, "used lately, still remembered");
  assert.equal(limiter.take("10.0.0.2", 0), true, "was forgotten");
});

test("IPv6 counts by /64, mapped IPv4 as IPv4", () => {
  assert.equal(networkOf("2001:db8:1:2:3:4:5:6"), networkOf("2001:db8:1:2::1"));
  assert.notEqual(networkOf("2001:db8:1:2::1"), networkOf("2001:db8:1:3::1"));
  assert.equal(networkOf("::ffff:192.0.2.7"), "192.0.2.7");
  assert.equal(networkOf("::1"), "0:0:0:0::/64");
  assert.equal(networkOf("fe80::1%eth0"), "fe80:0:0:0::/64");
});
