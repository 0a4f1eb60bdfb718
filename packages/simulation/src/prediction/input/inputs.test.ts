import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { angle, bool, bytes, defineInput, int } from "../../state/index.ts";
import { InputBuffer } from "./input-buffer.ts";
import { InputHistory } from "./input-history.ts";
import { InputReader, InputWriter, MAX_INPUTS } from "./input-message.ts";
import { createViewStamp as freshStamp } from "./player-input.ts";
import type { ViewStamp } from "./player-input.ts";
import { INTERPOLATION_MODES } from "../interpolation/interpolation-mode.ts";

const Input = defineInput({ x: int({ min: -100, max: 100 }), fire: bool(), aim: angle({ bits: 10 }) });
const words = Input.wordCount;

function drawn(viewTick: number, snapshotTick = Math.ceil(viewTick)): ViewStamp {
  return { viewTick, snapshotTick, receiptMask: 0, mode: "linear" };
}

/** The receipts of these ticks before `at`. */
function bits(at: number, ticks: readonly number[]): number {
  return ticks.reduce((mask, tick) => (tick < at && tick >= at - 32 ? mask | (1 << (at - 1 - tick)) : mask), 0);
}

describe("input messages", () => {
  it("carry records, and the stamp of each as it was when it was sampled", () => {
    const step = fc.record({
      x: fc.nat(200),
      fire: fc.nat(1),
      aim: fc.nat(1023),
      // Views move by about a tick, sometimes they leap, and sometimes nothing was drawn.
      moved: fc.oneof(
        { weight: 5, arbitrary: fc.constant(256) },
        { weight: 5, arbitrary: fc.integer({ min: 200, max: 300 }) },
        fc.integer({ min: -9000, max: 9000 }),
      ),
      dark: fc.nat(20).map((n) => n === 0),
      // Snapshots that arrive before this input, and how many ticks apart.
      arrivals: fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 2 }),
      mode: fc.oneof({ weight: 9, arbitrary: fc.constant("linear" as const) }, fc.constantFrom(...INTERPOLATION_MODES)),
    });
    let exact = 0;
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 100, max: 1 << 24 }),
        (steps, count, first) => {
          const history = new InputHistory(words, 64);
          const buffer = new Uint8Array(2000);
          let view = first * 256 + 128;
          const arrived = [first - 7, first - 5, first - 3];
          const given: { stamp: ViewStamp; received: readonly number[] }[] = [];
          for (let i = 0; i < steps.length; i++) {
            const { moved, dark, arrivals, mode, x, fire, aim } = steps[i];
            for (const apart of arrivals) arrived.push(arrived[arrived.length - 1] + apart);
            const received = arrived.slice();
            view = Math.max(0, view + moved);
            const stamp = { ...drawn(dark ? -1 : view / 256, received[received.length - 1]), mode };
            given.push({ stamp, received });
            history.words.set([x, fire, aim], history.add(first + i, stamp));
          }
          const newest = first + steps.length - 1;
          // One more comes between the last picture and the sending.
          const snapshot = arrived[arrived.length - 1] + 2;
          const mask = bits(snapshot, arrived);
          const length = new InputWriter(Input).write(history, newest, count, snapshot, mask, buffer);
          assert.ok(length > 0);
          const target = new InputBuffer({ wordCount: words });
          target.reset(newest - 40);
          const reader = new InputReader(Input);
          assert.equal(reader.read(buffer, 0, length, target), true);
          assert.deepEqual([reader.newestTick, reader.snapshotTick, reader.receiptMask], [newest, snapshot, mask]);
          const sent = Math.min(count, steps.length, MAX_INPUTS);
          const taken = new Int32Array(words);
          const stamp = freshStamp();
          for (let tick = newest - 39; tick <= newest; tick++) {
            const origin = target.take(tick, taken, 0, stamp);
            if (tick <= newest - sent) {
              assert.equal(origin, 2);
              continue;
            }
            const i = tick - first;
            assert.equal(origin, 0);
            assert.deepEqual([...taken], [steps[i].x, steps[i].fire, steps[i].aim]);
            const expected = given[i].stamp;
            // What is not among the receipts that a message has room for is not told at all.
            const told = expected.viewTick >= 0 && expected.snapshotTick >= snapshot - 32;
            assert.equal(stamp.viewTick, told ? expected.viewTick : -1);
            if (!told) continue;
            exact++;
            assert.equal(stamp.snapshotTick, expected.snapshotTick);
            assert.equal(stamp.mode, expected.mode);
            const known = given[i].received.filter((at) => at >= snapshot - 32);
            assert.equal(stamp.receiptMask, bits(expected.snapshotTick, known));
          }
        },
      ),
      { seed: 31, numRuns: 500 },
    );
    assert.ok(exact > 2000, `${exact} stamps`);
  });

  it("spend two bits on an input that is as the one before, seen as expected", () => {
    const history = new InputHistory(words, 64);
    for (let tick = 1000; tick < 1040; tick++) {
      // A snapshot comes with every second tick; the picture is 9 ticks back.
      history.words.fill(7, history.add(tick, drawn(tick - 9, (tick - 4) & ~1)), history.offsetOf(tick) + words);
    }
    const writer = new InputWriter(Input);
    const buffer = new Uint8Array(200);
    assert.ok(writer.write(history, 1039, 30, (1039 - 4) & ~1, 0xaaaaaaaa | 0, buffer) > 0);
    assert.equal(writer.sizes.stamps[1], 29);
    assert.equal(writer.sizes.records[1], 29);
  });

  it("repeat less of what is large", () => {
    const Large = defineInput({ drawing: bytes({ maxBytes: 400 }) });
    const history = new InputHistory(Large.wordCount, 64);
    for (let tick = 1; tick <= 10; tick++) {
      const at = history.add(tick, drawn(tick, tick));
      history.words.fill(0x1010101 * tick, at + 1, at + Large.wordCount);
      history.words[at] = 400;
    }
    const buffer = new Uint8Array(1100);
    for (const [room, fitting] of [
      [1100, 2],
      [500, 1],
      [300, 0],
    ]) {
      const length = new InputWriter(Large).write(history, 10, 5, 8, -1, buffer.subarray(0, room));
      assert.equal(length > 0, fitting > 0);
      if (length === 0) continue;
      const target = new InputBuffer({ wordCount: Large.wordCount });
      target.reset(5);
      assert.ok(new InputReader(Large).read(buffer, 0, length, target));
      const taken = new Int32Array(Large.wordCount);
      for (let tick = 6; tick <= 10; tick++) {
        if (target.take(tick, taken, 0, freshStamp()) !== 0) continue;
        assert.ok(tick > 10 - fitting);
        assert.equal(taken[1], 0x1010101 * tick);
      }
      assert.equal(target.newestTick, 10);
    }
  });

  it("that are garbage are refused, or give records in range", () => {
    const reader = new InputReader(Input);
    const taken = new Int32Array(words);
    let good = 0;
    fc.assert(
      fc.property(fc.nat(2000), fc.uint8Array({ maxLength: 120 }), (tick, rest) => {
        const message = Uint8Array.from([3, tick & 0xff, tick >> 8, 0, 0, ...rest]);
        const target = new InputBuffer({ wordCount: words });
        target.reset(Math.max(0, tick - 30));
        if (!reader.read(message, 0, message.length, target)) return;
        good++;
        const stamp = freshStamp();
        for (let at = Math.max(0, tick - 30) + 1; at <= tick; at++) {
          if (target.take(at, taken, 0, stamp) !== 0) continue;
          assert.ok(taken[0] >= 0 && taken[0] <= 200 && taken[1] >= 0 && taken[1] <= 1);
          assert.ok(taken[2] >= 0 && taken[2] <= 1023);
          assert.ok(Number.isFinite(stamp.viewTick) && stamp.viewTick >= -1);
        }
      }),
      { seed: 32, numRuns: 3000 },
    );
    assert.ok(good > 20);
  });
});

function record(value: number): Int32Array {
  return Int32Array.of(value);
}

function seen(viewTick: number): ViewStamp {
  return { ...drawn(viewTick), receiptMask: 1 };
}

/** What became of a tick, and its record. */
function take(buffer: InputBuffer, tick: number): [number, number] {
  const out = record(-1);
  const origin = buffer.take(tick, out, 0, freshStamp());
  return [origin, out[0]];
}

describe("InputBuffer", () => {
  it("tells a client that runs too far ahead how far, and stops telling when it is back", () => {
    const buffer = new InputBuffer({ wordCount: 1, maxLeadTicks: 8 });
    buffer.reset(100);
    buffer.put(102, record(1), 0, freshStamp());
    for (let tick = 101; tick <= 120; tick++) {
      buffer.put(tick + 50, record(1), 0, freshStamp());
      take(buffer, tick);
      assert.equal(buffer.depth, 50);
    }
    buffer.put(123, record(1), 0, freshStamp());
    assert.equal(buffer.depth, 3);
  });

  it("repeats the last input for a few ticks, then is neutral", () => {
    const buffer = new InputBuffer({ wordCount: 1, repeatTicks: 2 });
    buffer.reset(9);
    assert.deepEqual(take(buffer, 10), [2, -1]);
    assert.equal(buffer.missed, 0, "nothing is missed before the first input");
    buffer.put(11, record(5), 0, freshStamp());
    assert.deepEqual(take(buffer, 11), [0, 5]);
    assert.deepEqual(take(buffer, 12), [1, 5]);
    assert.deepEqual(take(buffer, 13), [1, 5]);
    assert.deepEqual(take(buffer, 14), [2, -1]);
    assert.equal(buffer.missed, 3);
  });

  it("lets the first input for a tick stand, and counts late and early ones", () => {
    const buffer = new InputBuffer({ wordCount: 1, maxLeadTicks: 8 });
    buffer.reset(0);
    buffer.put(3, record(1), 0, freshStamp());
    buffer.put(3, record(2), 0, freshStamp());
    buffer.put(9, record(3), 0, freshStamp());
    assert.equal(buffer.early, 1);
    assert.equal(buffer.depth, 9);
    for (let tick = 1; tick <= 2; tick++) take(buffer, tick);
    assert.deepEqual(take(buffer, 3), [0, 1]);
    take(buffer, 4);
    assert.equal(buffer.late, 0);
    buffer.put(3, record(7), 0, freshStamp());
    assert.equal(buffer.late, 0, "a repetition is not late");
    buffer.put(4, record(8), 0, freshStamp());
    buffer.put(4, record(8), 0, freshStamp());
    assert.equal(buffer.late, 1);
    assert.deepEqual(take(buffer, 5), [1, 8], "what came late is still the newest key state");
  });

  it("carries on the picture of the very input it repeats", () => {
    const buffer = new InputBuffer({ wordCount: 1, repeatTicks: 4 });
    buffer.reset(9);
    const stamp = freshStamp();
    const out = record(0);
    buffer.put(10, record(1), 0, seen(4));
    assert.equal(buffer.take(10, out, 0, stamp), 0);
    for (let tick = 11; tick <= 18; tick++) buffer.take(tick, out, 0, stamp);
    // Each input comes a tick too late from now on.
    buffer.put(18, record(2), 0, seen(11.5));
    assert.equal(buffer.take(19, out, 0, stamp), 1);
    assert.deepEqual(stamp, { viewTick: 12.5, snapshotTick: 12, receiptMask: 1, mode: "linear" });
    assert.equal(buffer.take(20, out, 0, stamp), 1);
    assert.equal(stamp.viewTick, 13.5);
    buffer.put(20, record(2), 0, freshStamp());
    assert.equal(buffer.take(21, out, 0, stamp), 1);
    assert.equal(stamp.viewTick, -1, "nothing was drawn");
  });

  it("gives what came late once, oldest first, with its own picture, up to a limit", () => {
    const buffer = new InputBuffer({ wordCount: 1, maxLeadTicks: 4, lateTicks: 5 });
    buffer.reset(0);
    for (let tick = 1; tick <= 20; tick++) take(buffer, tick);
    const out = record(0);
    const stamp = freshStamp();
    assert.equal(buffer.takeLate(out, 0, stamp), -1);
    for (const tick of [19, 17, 19, 18, 16, 15]) buffer.put(tick, record(tick), 0, seen(tick - 6));
    assert.equal(buffer.late, 5);
    assert.equal(buffer.tooLate, 1, "15 would be six ticks late with the next tick");
    take(buffer, 21);
    const taken = [16, 17].map(() => [buffer.takeLate(out, 0, stamp), out[0], stamp.viewTick]);
    assert.deepEqual(taken, [
      [16, 16, 10],
      [17, 17, 11],
    ]);
    // What was left waiting too long is counted, not given.
    for (let tick = 22; tick <= 24; tick++) take(buffer, tick);
    assert.equal(buffer.takeLate(out, 0, stamp), 19);
    assert.equal(buffer.tooLate, 2);
    assert.equal(buffer.takeLate(out, 0, stamp), -1);
    buffer.put(19, record(9), 0, freshStamp());
    assert.equal(buffer.takeLate(out, 0, stamp), -1, "a repetition is not given again");
  });

  it("loses no late input and gives none twice, whatever comes when", () => {
    const arrivals = fc.array(fc.tuple(fc.integer({ min: 0, max: 2 }), fc.array(fc.integer({ min: -12, max: 6 }))));
    fc.assert(
      fc.property(arrivals, (rounds) => {
        const buffer = new InputBuffer({ wordCount: 1, maxLeadTicks: 8, lateTicks: 7 });
        buffer.reset(50);
        let now = 50;
        let given = 0;
        const used = new Set<number>();
        const out = record(0);
        const stamp = freshStamp();
        for (const [ticks, offsets] of rounds) {
          for (const offset of offsets) buffer.put(now + offset, record(now + offset), 0, freshStamp());
          for (let i = 0; i < ticks; i++) {
            if (buffer.take(++now, out, 0, stamp) === 0) used.add(now);
            for (let tick = buffer.takeLate(out, 0, stamp); tick >= 0; tick = buffer.takeLate(out, 0, stamp)) {
              assert.equal(out[0], tick);
              assert.ok(!used.has(tick) && now - tick <= 7 && tick < now, `${tick} at ${now}`);
              used.add(tick);
              given++;
            }
          }
        }
        take(buffer, ++now);
        while (buffer.takeLate(out, 0, stamp) >= 0) given++;
        assert.equal(given + buffer.tooLate, buffer.late);
      }),
      { numRuns: 300, seed: 5 },
    );
  });
});
