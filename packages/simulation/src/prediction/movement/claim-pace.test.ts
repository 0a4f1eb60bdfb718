import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ClaimPace } from "./claim-pace.ts";

/** A client that claims every third tick, and its line. */
class Line {
  readonly pace: ClaimPace;
  readonly tickMs: number;
  faults = 0;
  withheld = 0;
  #ms = 0;

  constructor(tickRate = 60) {
    this.tickMs = 1000 / tickRate;
    this.pace = new ClaimPace(this.tickMs);
  }

  /** Goes on for so long with a clock so fast; what is sent comes after the delay, or at the moment it is kept until. */
  go(seconds: number, { clock = 1, delayMs = 20, heapMs = 0 } = {}): void {
    const from = this.#ms;
    for (let ms = from; ms < from + seconds * 1000; ms += 3 * this.tickMs) {
      this.#ms += 3 * this.tickMs;
      const sentAt = heapMs === 0 ? ms : from + Math.ceil((ms - from + 1) / heapMs) * heapMs;
      this.claim((ms + (ms - from) * (clock - 1)) / this.tickMs, sentAt + delayMs);
    }
  }

  claim(tick: number, arrivesMs: number): number {
    const overMs = this.pace.note(Math.floor(tick), Math.ceil(arrivesMs / this.tickMs));
    if (overMs > 0) this.faults++;
    if (this.pace.isLate) this.withheld++;
    return overMs;
  }
}

describe("ClaimPace", () => {
  for (const tickRate of [20, 30, 60, 128])
    it(`takes no rounding and no drift of 200 ppm for a fast clock, at ${tickRate} Hz`, () => {
      const line = new Line(tickRate);
      line.go(900, { clock: 1 + 200e-6 });
      assert.equal(line.faults, 0);
    });

  it("lets claims come as early again as they once did, when a queue is gone", () => {
    const line = new Line();
    line.go(10);
    line.go(20, { delayMs: 220 });
    for (let delayMs = 190; delayMs > 20; delayMs -= 30) line.go(0.05, { delayMs });
    line.go(10);
    assert.deepEqual([line.faults, line.withheld], [0, 0]);
    line.go(2, { clock: 1.06 });
    assert.ok(line.faults >= 2, "nothing is left to make up for");
  });

  it("keeps no more than a path may change by for a client that lost time", () => {
    const line = new Line();
    line.go(10);
    line.go(10, { delayMs: 600 });
    // Of the 580 ms 330 are forgotten, and it comes 300 earlier.
    line.go(1, { delayMs: 540 });
    line.go(1, { delayMs: 480 });
    line.go(1, { delayMs: 420 });
    line.go(1, { delayMs: 360 });
    assert.equal(line.faults, 0);
    line.go(1, { delayMs: 300 });
    assert.ok(line.faults > 0);
  });

  it("tells how far ahead, so that what was lost in between can count", () => {
    const line = new Line();
    line.go(10);
    const { tickMs } = line;
    const onTime = 10_000 / tickMs + 10;
    assert.equal(line.claim(onTime + 2, 10_000 + 10 * tickMs + 20), 0, "two ticks are rounding");
    const overMs = line.claim(onTime + 7, 10_000 + 13 * tickMs + 20);
    assert.ok(overMs > tickMs && overMs < 3 * tickMs, `${overMs} ms`);
  });

  it("knows heaps that follow each other for withheld", () => {
    const line = new Line();
    line.go(10);
    line.go(1.6, { heapMs: 800 });
    assert.equal(line.withheld, 0, "twice may be an accident");
    line.go(2);
    line.go(1.6, { heapMs: 800 });
    assert.equal(line.withheld, 0, "so may two others");
    line.go(2);
    line.go(2.4, { heapMs: 800 });
    assert.equal(line.withheld, 1);
    line.go(0.8, { heapMs: 800 });
    assert.deepEqual([line.withheld, line.faults], [2, 0]);
  });

  it("takes neither a longer way nor rare claims nor shorter stalls for withheld", () => {
    const longer = new Line();
    longer.go(10);
    longer.go(10, { delayMs: 820 });
    const rare = new Line();
    for (let ms = 0; ms < 30_000; ms += 800) rare.claim(ms / rare.tickMs, ms + 20);
    const bunched = new Line();
    bunched.go(10);
    bunched.go(10, { heapMs: 500 });
    assert.deepEqual([longer.withheld, rare.withheld, bunched.withheld], [0, 0, 0]);
  });
});
