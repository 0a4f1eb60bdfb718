import assert from "node:assert/strict";
import { test } from "node:test";
import { TickLoop } from "./tick-loop.ts";
import type { LoopClock } from "./loop-clock.ts";

/** A clock moved by hand; timers fire on whole milliseconds, like Node's. */
class HandClock implements LoopClock {
  time = 1000;
  cpu = 0;
  #callback: (() => void) | undefined;
  #at = 0;

  now(): number {
    return this.time;
  }

  cpuMs(): number {
    return this.cpu;
  }

  schedule(callback: () => void, delayMs: number): void {
    this.#callback = callback;
    this.#at = this.time + Math.max(1, Math.trunc(delayMs));
  }

  cancel(): void {
    this.#callback = undefined;
  }

  /** Runs to `until`, every timer at its time plus `late`. */
  run(until: number, late: () => number = () => 0): void {
    while (this.#callback !== undefined && this.#at <= until) {
      this.time = Math.max(this.time, this.#at + late());
      const callback = this.#callback;
      this.#callback = undefined;
      callback();
    }
    this.time = Math.max(this.time, until);
  }
}

test("sixty ticks a second for a minute are 3,600, however late the timers are", () => {
  const clock = new HandClock();
  const startedAt: number[] = [];
  let flushes = 0;
  const loop = new TickLoop({ tickRate: 60, tick: (now) => startedAt.push(now), flush: () => flushes++, clock });
  loop.start();
  let turn = 0;
  clock.run(61_000.5, () => [0, 0.4, 2.3, 0.9][turn++ % 4] ?? 0);
  assert.equal(startedAt.length, 3600);
  assert.equal(flushes, 3600);
  for (const [index, at] of startedAt.entries()) {
    const due = 1000 + (index + 1) * (1000 / 60);
    assert.ok(at >= due - 1 && at <= due + 3, `tick ${index} was due at ${due}, ran at ${at}`);
  }
  assert.equal(loop.stats.skippedTicks, 0);
  assert.equal(loop.stats.lateTicks, 0);
});

test("a short stall is made up with one flush, a long one is bounded and reported", () => {
  const clock = new HandClock();
  let ticks = 0;
  let flushes = 0;
  const overruns: [number, number][] = [];
  const loop = new TickLoop({
    tickRate: 50,
    maxCatchUpTicks: 5,
    tick: () => ticks++,
    flush: () => flushes++,
    overrun: (skipped, behindMs) => overruns.push([skipped, behindMs]),
    clock,
  });
  loop.start();
  clock.run(1020);
  assert.equal(ticks, 1);
  clock.time = 1085; // ticks due at 1040, 1060, 1080
  clock.run(1085);
  assert.equal(ticks, 4);
  assert.equal(flushes, 2);
  assert.deepEqual(overruns, []);

  clock.time = 2090; // five are made up, of the 45 due from 1200 to 2080 none is
  clock.run(2090);
  assert.equal(ticks, 9);
  assert.equal(flushes, 3);
  assert.equal(overruns.length, 1);
  assert.equal(overruns[0]?.[0], 45);
  assert.equal(loop.stats.skippedTicks, 45);
  assert.equal(loop.stats.lateTicks > 0, true);
  clock.run(2100 + 20 * 10);
  assert.equal(ticks, 9 + 11);
});

test("stop inside a tick ends the loop at once", () => {
  const clock = new HandClock();
  let ticks = 0;
  let flushes = 0;
  const loop: TickLoop = new TickLoop({
    tickRate: 100,
    tick: () => {
      ticks++;
      loop.stop();
    },
    flush: () => flushes++,
    clock,
  });
  loop.start();
  clock.run(2000);
  assert.equal(ticks, 1);
  assert.equal(flushes, 0);
});

test("nonsense rates are the caller's mistake", () => {
  for (const tickRate of [0, -1, Number.NaN, 1001]) {
    assert.throws(() => new TickLoop({ tickRate, tick() {}, flush() {} }), RangeError);
  }
});

test("a tick's CPU time is told apart from the time it took by the clock", () => {
  const clock = new HandClock();
  const tick = (): void => {
    clock.time += 9;
    clock.cpu += 2;
  };
  const loop = new TickLoop({ tickRate: 60, tick, flush: () => {}, clock });
  loop.start();
  clock.run(3000);
  const { duration, cpu } = loop.stats;
  assert.ok(Math.abs(duration.p99Ms - 9) < 1 && Math.abs(cpu.p99Ms - 2) < 0.3, `${duration.p99Ms}, ${cpu.p99Ms}`);
  loop.resetStats();
  assert.equal(loop.stats.cpu.p99Ms, 0);
});
