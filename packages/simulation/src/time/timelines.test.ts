import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ClockController, InputTimeline, ViewTimeline } from "./index.ts";
import { SampleWindow } from "./sample-window.ts";
import { TickRandom } from "../game/random.ts";

const tickMs = 1000 / 60;

describe("ClockController", () => {
  it("works off a small error within 2 % of the rate", () => {
    const clock = new ClockController({ tickMs });
    clock.start(100);
    let target = 101; // One tick ahead of where it is.
    for (let i = 0; i < 120; i++) {
      assert.equal(clock.advance(tickMs, target - clock.ticks), false);
      target += 1;
      assert.ok(Math.abs(clock.rate - 1) <= 0.02 + 1e-12);
    }
    assert.ok(Math.abs(target - clock.ticks) * tickMs < 1);
  });

  it("catches up within 10 % and jumps once above 250 ms", () => {
    const clock = new ClockController({ tickMs });
    clock.start(0);
    let target = 200 / tickMs;
    for (let i = 0; i < 240; i++) {
      clock.advance(tickMs, target - clock.ticks);
      target += 1;
      assert.ok(Math.abs(clock.rate - 1) <= 0.1 + 1e-12);
    }
    assert.ok(Math.abs(target - clock.ticks) * tickMs < 5);
    assert.equal(clock.jumps, 0);
    assert.equal(clock.advance(tickMs, 400 / tickMs), true);
    assert.equal(clock.jumps, 1);
  });
});

describe("SampleWindow", () => {
  it("finds the k-th smallest of the newest samples", () => {
    const window = new SampleWindow(100);
    assert.ok(Number.isNaN(window.low(0)));
    for (let i = 0; i < 250; i++) window.push((i * 37) % 101);
    const newest = Array.from({ length: 100 }, (_, k) => ((150 + k) * 37) % 101).sort((a, b) => a - b);
    assert.equal(window.low(0), newest[0]);
    assert.equal(window.low(0.05), newest[5]);
    assert.equal(window.high(), newest[99]);
  });

  it("notices a higher level, however many samples come between two looks, and forgets what was before", () => {
    for (const between of [1, 2, 3, 7]) {
      const window = new SampleWindow(100);
      const fill = (count: number, level: number): boolean => {
        let risen = false;
        for (let i = 0; i < count; i++) {
          window.push(level - ((i * 7) % 5));
          if (i % between === 0) risen ||= window.hasRisen(12, 2);
        }
        return risen;
      };
      assert.equal(fill(130, 10), false, "the same all the time");
      assert.equal(fill(60, 11), false, "within the margin");
      assert.equal(fill(9, 20), false, "too few");
      assert.equal(fill(between * 2 + 3, 20), true);
      window.keepNewest(12);
      assert.deepEqual([window.count, window.low(0), window.high()], [12, 16, 20]);
      assert.equal(fill(90, 15), false, "a lower level is no rise");
      assert.equal(window.low(0), 11);
    }
  });
});

/** A server that ticks and a client with a skewed clock, joined by delays only. */
function runInputTimeline(options: {
  upMs: (now: number) => number;
  downMs: (now: number) => number;
  skew: number;
  seconds: number;
}): { late: number; ticks: number; jumps: number; depth: number } {
  const timeline = new InputTimeline({ tickMs });
  timeline.start(0, 0);
  const arrivals: { at: number; tick: number }[] = [];
  const news: { at: number; tick: number; newest: number }[] = [];
  let serverTick = 0;
  let newest = -1;
  let sent = 0;
  let late = 0;
  let counted = 0;
  let frameAt = 0;
  for (let now = 0; now < options.seconds * 1000; now += 1) {
    if (now >= frameAt) {
      timeline.advance(tickMs);
      frameAt += tickMs * options.skew;
      for (const report of news.filter((n) => n.at <= now)) timeline.noteDepth(report.tick, report.newest);
      news.splice(0, news.length, ...news.filter((n) => n.at > now));
      while (sent < Math.floor(timeline.clock.ticks)) {
        sent = Math.max(sent + 1, Math.floor(timeline.clock.ticks) - 5);
        timeline.noteSent(sent);
        arrivals.push({ at: now + options.upMs(now), tick: sent });
      }
    }
    for (const arrival of arrivals) {
      if (arrival.at > now) continue;
      if (arrival.tick > newest) newest = arrival.tick;
    }
    arrivals.splice(0, arrivals.length, ...arrivals.filter((a) => a.at > now));
    if (now >= serverTick * tickMs) {
      serverTick++;
      if (now > 4000) {
        counted++;
        if (newest < serverTick) late++;
      }
      if (serverTick % 2 === 0) news.push({ at: now + options.downMs(now), tick: serverTick, newest });
    }
  }
  return { late, ticks: counted, jumps: timeline.clock.jumps, depth: timeline.depth };
}

/** One way: 15 ms, and 100 ms from the eighth second on. */
function routeMs(now: number): number {
  return now < 8000 ? 15 : 100;
}

describe("InputTimeline", () => {
  it("brings inputs in time over 150 ms with 20 ms of jitter", () => {
    const random = new TickRandom();
    random.reseed(1, 1);
    const delay = (): number => 75 + random.between(-20, 20);
    const result = runInputTimeline({ upMs: delay, downMs: delay, skew: 1, seconds: 20 });
    assert.equal(result.jumps, 0);
    assert.ok(result.late / result.ticks < 0.02, `late ${result.late} of ${result.ticks}`);
    assert.ok(result.depth >= 0 && result.depth <= 4, `depth ${result.depth}`);
  });

  it("stays in step with a clock that is 200 ppm off", () => {
    const result = runInputTimeline({ upMs: () => 40, downMs: () => 40, skew: 1.0002, seconds: 60 });
    assert.equal(result.jumps, 0);
    assert.ok(result.late <= 3, `late ${result.late}`);
    assert.ok(result.depth >= 0 && result.depth <= 3, `depth ${result.depth}`);
  });

  it("follows a route change from 30 to 200 ms without a jump", () => {
    const result = runInputTimeline({ upMs: routeMs, downMs: routeMs, skew: 1, seconds: 20 });
    assert.equal(result.jumps, 0);
    assert.ok(result.late < 120, `late ${result.late}: a second or so of catching up`);
    assert.ok(result.depth >= 0 && result.depth <= 4, `depth ${result.depth}`);
  });
});

function runViewTimeline(options: { lossRate: number; jitterMs: number; seconds: number; outage?: [number, number] }): {
  starved: number;
  frames: number;
  delayMs: number;
  jumps: number;
  backwards: number;
} {
  const random = new TickRandom();
  random.reseed(7, 7);
  const view = new ViewTimeline({ tickMs });
  const arrivals: { at: number; tick: number }[] = [];
  for (let tick = 2; tick * tickMs < options.seconds * 1000; tick += 2) {
    const sentAt = tick * tickMs;
    if (random.next() < options.lossRate) continue;
    if (options.outage !== undefined && sentAt > options.outage[0] && sentAt < options.outage[1]) continue;
    arrivals.push({ at: sentAt + 50 + random.between(-options.jitterMs, options.jitterMs), tick });
  }
  let starved = 0;
  let frames = 0;
  let backwards = 0;
  let at = 0;
  let last = -Infinity;
  for (let now = 0; now < options.seconds * 1000; now += tickMs) {
    for (; at < arrivals.length && arrivals[at].at <= now; at++) view.noteSnapshot(arrivals[at].tick);
    view.advance(now, tickMs);
    if (!view.clock.started) continue;
    if (view.clock.ticks < last) backwards++;
    last = view.clock.ticks;
    if (now < 5000) continue;
    frames++;
    if (view.clock.ticks > view.newestTick) starved++;
  }
  const end = options.seconds * 1000;
  return { starved, frames, delayMs: view.delayMs(end), jumps: view.clock.jumps, backwards };
}

describe("ViewTimeline", () => {
  it("has two snapshots to blend in 98 % of frames at 20 ms jitter and 3 % loss", () => {
    const result = runViewTimeline({ lossRate: 0.03, jitterMs: 20, seconds: 60 });
    assert.ok(result.starved / result.frames < 0.02, `starved ${result.starved} of ${result.frames}`);
    assert.ok(result.delayMs < 110, `delay ${result.delayMs}`);
    assert.equal(result.backwards, 0);
    assert.equal(result.jumps, 0);
  });

  it("keeps the delay short on a clean link", () => {
    const result = runViewTimeline({ lossRate: 0, jitterMs: 0, seconds: 20 });
    assert.ok(result.delayMs < 55, `delay ${result.delayMs}`);
  });

  it("comes back from a silent server without running backwards", () => {
    const result = runViewTimeline({ lossRate: 0, jitterMs: 4, seconds: 30, outage: [10_000, 20_000] });
    assert.equal(result.backwards, 0);
    assert.ok(result.jumps <= 1);
    assert.ok(result.delayMs < 80, `delay ${result.delayMs}`);
  });
});

/** Runs on for `seconds`; returns how far ahead of the freshest news it is, and its rates. */
function runAhead(view: ViewTimeline, from: number, seconds: number) {
  const rates: number[] = [];
  let jumps = 0;
  let frame = from;
  for (; frame < from + seconds * 60; frame++) {
    if (frame % 8 === 0) view.noteSnapshot(frame);
    if (view.latestTick < Infinity) view.latestTick = frame + 8;
    if (view.advance(frame * tickMs, tickMs)) jumps++;
    rates.push(view.clock.rate);
  }
  return { frame, jumps, rates, aheadMs: -view.delayMs((frame - 1) * tickMs) };
}

describe("ViewTimeline ahead of the news", () => {
  it("is as far as it is told, and gets there and back at a tenth more or less of real time", () => {
    const view = new ViewTimeline({ tickMs });
    const past = runAhead(view, 1, 10);
    assert.ok(past.aheadMs < -110, `${past.aheadMs} ms`);
    view.atPresent = true;
    view.aheadMs = 200;
    const there = runAhead(view, past.frame, 6);
    assert.ok(Math.abs(there.aheadMs - 200) < 3, `${there.aheadMs} ms`);
    view.atPresent = false;
    view.aheadMs = 0;
    const back = runAhead(view, there.frame, 6);
    assert.ok(Math.abs(back.aheadMs - past.aheadMs) < 3, `${back.aheadMs} ms`);
    for (const { jumps, rates } of [there, back]) {
      assert.equal(jumps, 0);
      for (const rate of rates) assert.ok(rate > 0.89 && rate < 1.11, `${rate}`);
    }
  });

  it("ends at the latest tick, steadily", () => {
    const view = new ViewTimeline({ tickMs });
    view.atPresent = true;
    view.aheadMs = 200;
    view.latestTick = 0;
    const { aheadMs, rates } = runAhead(view, 1, 10);
    assert.ok(Math.abs(aheadMs - 8 * tickMs) < 20, `${aheadMs} ms`);
    for (const rate of rates.slice(-60)) assert.ok(Math.abs(rate - 1) < 0.005, `${rate}`);
  });
});

describe("ViewTimeline on a link that lets snapshots through in bursts", () => {
  it("does not aim to be farther back than its limit", () => {
    const view = new ViewTimeline({ tickMs, maxDelayMs: 150 });
    for (let frame = 1; frame < 900; frame++) {
      if (frame % 17 === 0) view.noteSnapshot(frame);
      view.advance(frame * tickMs, tickMs);
      if (frame > 300) assert.ok(view.delayMs(frame * tickMs) < 152, `${view.delayMs(frame * tickMs)} ms`);
    }
  });
});

describe("ViewTimeline after a stall", () => {
  it("runs on when it was stalled before its first measurement", () => {
    const timeline = new ViewTimeline({ tickMs });
    timeline.noteSnapshot(600);
    // The first frame of a page that was busy: the driver forgets before anything was measured.
    timeline.forget(1000);
    timeline.advance(1000, 0);
    for (let frame = 1; frame <= 120; frame++) {
      timeline.noteSnapshot(600 + frame);
      timeline.advance(1000 + frame * tickMs, tickMs);
    }
    assert.ok(timeline.clock.ticks > 690 && timeline.clock.ticks < 720, `at ${timeline.clock.ticks}`);
  });
});
