import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MAX_BLOCK_SEATS, bitOfSeat, blockOfSeat, countSeats, fullMask } from "./exchange.ts";

describe("seat numbers", () => {
  it("have a block and a place in it, also beyond 32 bits", () => {
    const block = 2 ** 40 + 3;
    const seat = block * MAX_BLOCK_SEATS + 31;
    assert.equal(blockOfSeat(seat), block);
    assert.equal(bitOfSeat(seat), 31);
  });

  it("are counted in masks of any size", () => {
    for (let seats = 1; seats <= MAX_BLOCK_SEATS; seats++) assert.equal(countSeats(fullMask(seats)), seats);
    assert.equal(countSeats(0), 0);
    assert.equal(countSeats(1 << 31), 1);
    assert.equal(countSeats(0x5555_5555), 16);
  });
});
