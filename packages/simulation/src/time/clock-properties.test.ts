/** What the clocks promise, over random conditions: how fast they may run, when errors are gone, and what jumps. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { TickRandom } from "../game/random.ts";
import { ClockController, InputTimeline, ViewTimeline } from "./index.ts";

const tickMs = 1000 / 60;
/** A fifth of a tick. */
const GONE_MS = 3;
/** Largest change of rate that an error of so many milliseconds may cause. */
const limitOf = (errorMs: number): number => (errorMs <= 25 ? 0.02 : Math.max(0.1, errorMs / 2000)) + 1e-9;

const frames = fc.array(fc.double({ min: 2, max: 60, noNaN: true }), { minLength: 1, maxLength: 12 });

describe("a clock", () => {
  it("has worked off any error up to 250 ms within two seconds, never past it and never by a jump", () => {
    fc.assert(
      fc.property(fc.double({ min: -249.9, max: 249.9, noNaN: true }), frames, (errorMs, lengths) => {
        const clock = new ClockController({ tickMs });
        clock.start(1000);
        let target = 1000 + errorMs / tickMs;
        let elapsed = 0;
        for (let i = 0; elapsed < 2000; i++) {
          const frameMs = lengths[i % lengths.length];
          const before = clock.ticks;
          target += frameMs / tickMs;
          elapsed += frameMs;
          assert.equal(clock.advance(frameMs, target - frameMs / tickMs - clock.ticks), false);
          assert.ok(Math.abs(clock.rate - 1) <= limitOf(Math.abs(errorMs)), `rate ${clock.rate}`);
          assert.ok(clock.ticks > before, "time goes on");
          const left = (target - clock.ticks) * tickMs;
          assert.ok(left * errorMs >= -1e-6, `past the target: ${left} of ${errorMs}`);
        }
        assert.ok(Math.abs(target - clock.ticks) * tickMs < GONE_MS, `${(target - clock.ticks) * tickMs} ms are left`);
      }),
      { seed: 61, numRuns: 500 },
    );
  });

  it("jumps once for more, in either direction, and says so", () => {
    fc.assert(
      fc.property(fc.double({ min: 250.001, max: 1e5, noNaN: true }), fc.boolean(), frames, (size, ahead, lengths) => {
        const clock = new ClockController({ tickMs });
        clock.start(0);
        let target = (ahead ? size : -size) / tickMs;
        let reported = 0;
        for (const frameMs of [...lengths, ...lengths]) {
          if (clock.advance(frameMs, target - clock.ticks)) reported++;
          target += frameMs / tickMs;
        }
        assert.deepEqual([reported, clock.jumps], [1, 1]);
        assert.ok(Math.abs(target - clock.ticks) * tickMs < GONE_MS);
      }),
      { seed: 62, numRuns: 300 },
    );
  });

  it("keeps within 2 % however noisy a small error is, and within 10 % where it is a large one", () => {
    const noise = fc.record({
      errorMs: fc.double({ min: 0, max: 200, noNaN: true }),
      noiseMs: fc.double({ min: 0, max: 18, noNaN: true }),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(noise, ({ errorMs, noiseMs, seed }) => {
        const random = new TickRandom();
        random.reseed(seed, 1);
        const clock = new ClockController({ tickMs });
        clock.start(0);
        let target = Math.max(0, errorMs - noiseMs) / tickMs;
        for (let i = 0; i < 600; i++) {
          const seen = target - clock.ticks + random.between(-noiseMs, noiseMs) / tickMs;
          assert.equal(clock.advance(tickMs, seen), false);
          assert.ok(Math.abs(clock.rate - 1) <= (errorMs <= 25 ? 0.02 : 0.1) + 1e-9);
          target += 1;
          // The noise is not in the clock: after three seconds nothing but some of it is left.
          if (i > 180) assert.ok(Math.abs(target - clock.ticks) * tickMs < noiseMs / 2 + GONE_MS);
        }
      }),
      { seed: 63, numRuns: 200 },
    );
  });
});

interface Route {
  /** One way, in milliseconds. */
  readonly beforeMs: number;
  readonly afterMs: number;
  readonly jitterMs: number;
  readonly lossRate: number;
  /** Of the client's clock. */
  readonly ppm: number;
  readonly seed: number;
}

const route = fc.record({
  beforeMs: fc.double({ min: 10, max: 130, noNaN: true }),
  afterMs: fc.double({ min: 10, max: 130, noNaN: true }),
  jitterMs: fc.constantFrom(0, 2, 8, 20),
  lossRate: fc.constantFrom(0, 0.01, 0.05),
  ppm: fc.constantFrom(-200, 0, 200),
  seed: fc.nat(1 << 20),
});

const CHANGE_AT = 10_000;
const END = 24_000;

/** One way with losses: what was sent, in order of arrival. */
class Way {
  readonly #queue: { at: number; a: number; b: number }[] = [];
  readonly #random = new TickRandom();
  readonly #route: Route;

  constructor(conditions: Route, seed: number) {
    this.#route = conditions;
    this.#random.reseed(conditions.seed, seed);
  }

  send(now: number, a: number, b: number): void {
    const { beforeMs, afterMs, jitterMs, lossRate } = this.#route;
    const jitter = this.#random.between(-1, 1) * Math.min(jitterMs, beforeMs, afterMs);
    if (this.#random.next() < lossRate) return;
    const at = now + (now < CHANGE_AT ? beforeMs : afterMs) + jitter;
    let place = this.#queue.length;
    while (place > 0 && this.#queue[place - 1].at > at) place--;
    this.#queue.splice(place, 0, { at, a, b });
  }

  receive(now: number, take: (a: number, b: number) => void): void {
    while (this.#queue.length > 0 && this.#queue[0].at <= now) {
      const { a, b } = this.#queue.shift()!;
      take(a, b);
    }
  }
}

/** A server of 60 ticks and 30 snapshots and a client of 60 frames, with both timelines, over a route that changes. */
function play(conditions: Route, check: (now: number, input: InputTimeline, view: ViewTimeline) => void) {
  const input = new InputTimeline({ tickMs });
  const view = new ViewTimeline({ tickMs });
  const up = new Way(conditions, 1);
  const down = new Way(conditions, 2);
  const skew = 1 + conditions.ppm / 1e6;
  input.start(0, conditions.beforeMs * 2);
  let newestInput = -1;
  let newestSnapshot = -1;
  let sent = 0;
  let tick = 0;
  let frame = 0;
  const counts = { late: 0, ticks: 0, starved: 0, frames: 0 };
  for (let now = 0; now < END; now += 1) {
    up.receive(now, (newest) => (newestInput = Math.max(newestInput, newest)));
    if (now >= tick * tickMs) {
      tick++;
      const steady = now > 5000 && (now < CHANGE_AT || now > CHANGE_AT + 4000);
      if (steady) counts.ticks++;
      if (steady && newestInput < tick) counts.late++;
      if (tick % 2 === 0) down.send(now, tick, newestInput);
    }
    const local = now * skew;
    if (local < frame * tickMs) continue;
    frame++;
    down.receive(now, (snapshot, newest) => {
      if (snapshot <= newestSnapshot) return;
      newestSnapshot = snapshot;
      input.noteDepth(snapshot, newest);
      view.noteSnapshot(snapshot);
    });
    input.advance(tickMs);
    view.advance(local, tickMs);
    for (; sent < Math.floor(input.clock.ticks) + 1; sent++) input.noteSent(sent + 1);
    up.send(now, sent, 0);
    if (view.clock.started) check(now, input, view);
    if (now <= 5000 || (now > CHANGE_AT && now < CHANGE_AT + 4000)) continue;
    counts.frames++;
    if (view.clock.ticks > view.newestTick) counts.starved++;
  }
  return { ...counts, input, view };
}

describe("the two timelines", () => {
  it("follow a route that gets better or worse at any time, within their rates, without a jump or a step back", () => {
    fc.assert(
      fc.property(route, (conditions) => {
        let lastInput = 0;
        let lastView = -Infinity;
        const {
          input,
          view,
          late,
          ticks,
          starved,
          frames: drawn,
        } = play(conditions, (now, mine, others) => {
          for (const { clock } of [mine, others]) {
            assert.ok(Math.abs(clock.rate - 1) <= 0.125 + 1e-9);
            if (Math.abs(clock.errorMs) < 1) assert.ok(Math.abs(clock.rate - 1) <= 0.02 + 1e-9);
          }
          assert.ok(now < 1000 || mine.clock.ticks > lastInput, "the own player never goes back");
          assert.ok(others.clock.ticks > lastView, "others never go back");
          lastInput = mine.clock.ticks;
          lastView = others.clock.ticks;
        });
        assert.deepEqual([input.clock.jumps, view.clock.jumps], [0, 0]);
        assert.ok(late / ticks <= 0.05, `${late} of ${ticks} ticks without input`);
        assert.ok(starved / drawn <= 0.02, `${starved} of ${drawn} frames without a newer snapshot`);
        const { afterMs, jitterMs, lossRate } = conditions;
        assert.ok(input.depth <= 4 + (jitterMs * 2 + lossRate * 500) / tickMs, `${input.depth} inputs in stock`);
        const delayMs = view.delayMs(END * (1 + conditions.ppm / 1e6));
        assert.ok(delayMs < 60 + jitterMs * 2 + (lossRate > 0 ? 50 : 0) + lossRate * 500, `${delayMs} ms, ${afterMs}`);
      }),
      { seed: 64, numRuns: 40 },
    );
  });

  it("know two snapshots for 99 % of all frames, whatever the jitter and the loss", () => {
    let starved = 0;
    let drawn = 0;
    for (const jitterMs of [0, 10, 30, 60, 100]) {
      for (const lossRate of [0, 0.02, 0.1, 0.2]) {
        const conditions = { beforeMs: 110, afterMs: 110, jitterMs, lossRate, ppm: 0, seed: 5 };
        const counts = play(conditions, () => {});
        starved += counts.starved;
        drawn += counts.frames;
        const share = counts.starved / counts.frames;
        // A thousand frames say a share of 1 % to within half of it.
        assert.ok(share <= 0.015, `${share} at ${jitterMs} ms and ${lossRate}`);
      }
    }
    assert.ok(starved / drawn <= 0.01, `${starved} of ${drawn}`);
  });
});
