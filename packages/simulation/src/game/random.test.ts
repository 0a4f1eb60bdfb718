import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { chacha20Block } from "./chacha20-block.ts";
import { TickRandom } from "./random.ts";

describe("chacha20Block", () => {
  it("is that of RFC 8439, section 2.3.2", () => {
    const key = new Uint32Array(Uint8Array.from({ length: 32 }, (_, i) => i).buffer);
    const out = new Uint32Array(16);
    chacha20Block(key, 1, 0x09000000, 0x4a000000, 0, out);
    const hex = Array.from(out, (word) => word.toString(16).padStart(8, "0")).join(" ");
    assert.equal(
      hex,
      "e4e7f110 15593bd1 1fdd0f50 c47120a3 c7f4d1c7 0368c033 9aaa2204 4e6cd4c3 " +
        "466482d2 09aa9f07 05d7c214 a2028bd9 d19c12b5 b94e16de e883d0cb 4e3c50a2",
    );
  });
});

/** The first numbers of a secret sequence. */
function secret(key: readonly number[], tick: number, id: number): number[] {
  const random = new TickRandom();
  random.reseedSecretly(Uint32Array.from(key), tick, id);
  return Array.from({ length: 4 }, () => random.bits());
}

describe("TickRandom", () => {
  it("draws the same from the same secret, tick and entity, and something else from any other", () => {
    const key = [1, 2, 3, 4, 5, 6, 7, 8];
    assert.deepEqual(secret(key, 5, 9), secret(key, 5, 9));
    const others = [secret(key, 6, 9), secret(key, 5, 10), secret([1, 2, 3, 4, 5, 6, 7, 9], 5, 9), secret(key, 9, 5)];
    for (const other of others) for (const bits of other) assert.ok(!secret(key, 5, 9).includes(bits));
  });

  it("draws evenly", () => {
    const random = new TickRandom();
    const counts = new Uint32Array(10);
    for (let tick = 0; tick < 1000; tick++) {
      random.reseedSecretly(new Uint32Array(8), tick, 3);
      for (let i = 0; i < 10; i++) counts[random.integer(10)]++;
    }
    for (const count of counts) assert.ok(count > 850 && count < 1150, counts.join(" "));
  });
});
