import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { SharedHouse, houseMemory } from "./shared-house.ts";

function tag(seed: number): Uint8Array {
  return Uint8Array.from({ length: 16 }, (_, i) => (Math.imul(seed + 1, 2_654_435_761 + i * 40_503) >>> (i % 4)) & 255);
}

/** Tags of one place, for they begin alike. */
function alike(i: number): Uint8Array {
  return Uint8Array.from({ length: 16 }, (_, at) => (at < 4 ? 7 : i));
}

test("seats of all threads count together", () => {
  const memory = houseMemory(3);
  const houses = [0, 1].map((thread) => new SharedHouse(memory, thread, 3));
  assert.ok(houses[0].takeSeat() && houses[1].takeSeat() && houses[0].takeSeat());
  assert.ok(houses[0].isFull && houses[1].isFull);
  assert.ok(!houses[1].takeSeat());
  houses[1].releaseSeat();
  assert.ok(!houses[0].isFull && houses[1].takeSeat());
});

test("a token is one thread's until it expires, whatever else is claimed", () => {
  fc.assert(
    fc.property(fc.array(fc.record({ token: fc.nat(40), thread: fc.nat(2), wait: fc.nat(5) })), (steps) => {
      const memory = houseMemory(8);
      const houses = [0, 1, 2].map((thread) => new SharedHouse(memory, thread, 8));
      const owners = new Map<number, { thread: number; expiresAt: number }>();
      let now = 1000;
      for (const { token, thread, wait } of steps) {
        now += wait;
        const owner = owners.get(token);
        const isLive = owner !== undefined && owner.expiresAt > now;
        const expiresAt = isLive ? owner.expiresAt : now + 10;
        assert.equal(houses[thread].claimToken(tag(token), expiresAt, now), !isLive || owner.thread === thread);
        if (!isLive) owners.set(token, { thread, expiresAt });
      }
    }),
    { seed: 4, numRuns: 300 },
  );
});

test("more tokens than places: the one that expires first is forgotten", () => {
  for (let asked = 0; asked < 9; asked++) {
    const memory = houseMemory(8);
    const [own, other] = [0, 1].map((thread) => new SharedHouse(memory, thread, 8));
    for (let i = 0; i < 9; i++) assert.ok(own.claimToken(alike(i), 2000 + ((i + 5) % 9), 1000));
    assert.equal(other.claimToken(alike(asked), 3000, 1000), asked === 4, "number 4 would have expired first");
  }
});
