import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bool, defineInput, int } from "../../state/index.ts";
import { ClientPredictionHandler, createInputCounters } from "./client-prediction-handler.ts";
import type { InputPolicy } from "./client-prediction-handler.ts";
import { InputDecoder, SAMPLED_MESSAGES } from "./input-decoder.ts";
import { InputHistory } from "./input-history.ts";
import { InputWriter } from "./input-message.ts";
import { PlayerRecords } from "./player-records.ts";
import { createViewStamp } from "./player-input.ts";

const Input = defineInput({ x: int({ min: -100, max: 100 }), fire: bool() });
const RATE = 60;

/** One client: what it sends, and the server's side of it at 60 ticks a second. */
class Line {
  readonly counters = createInputCounters();
  readonly handler: ClientPredictionHandler;
  readonly #history = new InputHistory(Input.wordCount, 256);
  readonly #writer = new InputWriter(Input);
  readonly #buffer = new Uint8Array(1000);
  tick = 1000;

  constructor(policy: InputPolicy = {}, decoder = new InputDecoder(Input)) {
    this.handler = new ClientPredictionHandler(Input, RATE, decoder, policy, this.counters);
    this.handler.reset(this.tick);
  }

  /** Sends the input of the tick `ahead` ticks from now, and `count - 1` older ones. */
  send(ahead: number, count = 1, x = ahead): void {
    for (let i = count - 1; i >= 0; i--) {
      const tick = this.tick + ahead - i;
      if (!this.#history.has(tick)) this.#history.words.set([100 + x, 0], this.#history.add(tick, createViewStamp()));
    }
    const length = this.#writer.write(this.#history, this.tick + ahead, count, -1, 0, this.#buffer);
    assert.ok(this.handler.receive(this.#buffer, 0, length));
  }

  /** The next tick; what its input was, and where it came from. */
  take(): [number, number] {
    this.handler.take(++this.tick);
    return [this.handler.origin, this.handler.words[0] - 100];
  }
}

describe("ClientPredictionHandler", () => {
  it("gives each tick its input, repeats a missing one as long as it is told, and is neutral then", () => {
    for (const [repeatInputMs, origins] of [
      [50, [0, 1, 1, 1, 2, 2]],
      [0, [0, 2, 2, 2, 2, 2]],
      [Infinity, [0, 1, 1, 1, 1, 1]],
    ] as const) {
      const line = new Line({ repeatInputMs });
      line.send(1, 1, 7);
      assert.deepEqual(
        origins.map(() => line.take()[0]),
        origins,
      );
      assert.equal(line.counters.missedInputs, 5);
      assert.equal(line.handler.missedInARow, 5);
    }
  });

  it("refuses what cannot be", () => {
    const decoder = new InputDecoder(Input);
    for (const policy of [{ inputLeadMs: -1 }, { repeatInputMs: Number.NaN }, { maxInputLeadMs: 1e9 }])
      assert.throws(() => new ClientPredictionHandler(Input, RATE, decoder, policy), RangeError);
  });

  it("lets nobody run ahead of the commanded lead for long", () => {
    const line = new Line();
    // 25 ticks are 417 ms: beyond the lead of 100 ms, within the limit of 500.
    let had = 0;
    let ticks = 0;
    for (; ticks < 600; ticks++) {
      line.send(25);
      if (line.take()[0] === 0) had++;
    }
    // The bank pays for one second, after another in which the stock is watched.
    assert.ok(had > 100 && had < 190, `${had} inputs of ${ticks} ticks`);
    assert.equal(line.counters.leadBankTicks, 0);
    assert.ok(line.counters.earlyInputs > 350);
    assert.equal(line.handler.depth, 24, "the client hears how far ahead it is");
    // It comes back: everything is taken at once.
    had = 0;
    for (let i = 0; i < 60; i++) {
      line.send(3);
      if (line.take()[0] === 0) had++;
    }
    assert.ok(had >= 58, `${had}`);
  });

  it("takes an input from the bank once, however often it is repeated", () => {
    const line = new Line();
    for (let ticks = 0; ticks < 90; ticks++) {
      if (ticks !== 85) line.send(25);
      line.take();
    }
    const before = line.counters.leadBankTicks;
    assert.ok(before > 10 && before < 50, `${before}`);
    // Ten inputs, of which the newest and the one that was left out are news.
    line.send(25, 10);
    line.take();
    assert.equal(line.counters.leadBankTicks, before - 2);
  });

  it("takes nothing beyond the limit", () => {
    const line = new Line();
    line.send(31);
    line.send(30);
    assert.equal(line.counters.earlyInputs, 1);
    for (let i = 0; i < 29; i++) assert.equal(line.take()[0], 2);
    assert.deepEqual(line.take(), [0, 30]);
  });

  it("takes every input of an honest client whose link is unsteady, and of one that comes nearer", () => {
    const links: readonly ((tick: number) => number)[] = [
      // Twice a second nothing comes for 200 ms, then everything at once: between 13 ticks ahead and 1.
      (tick) => (tick % 30 < 12 ? -1 : 13),
      // 9 ticks ahead from a better route on, worked off by 5 %: the bank pays for the first second of it.
      (tick) => (tick < 1300 ? 1 : Math.max(1, 9 - Math.floor((tick - 1300) / 20))),
    ];
    for (const ahead of links) {
      const line = new Line();
      for (let i = 0; i < 1200; i++) {
        const lead = ahead(line.tick);
        if (lead > 0) line.send(lead, 17);
        const [origin] = line.take();
        if (i > 40) assert.equal(origin, 0, `tick ${i}`);
      }
      assert.equal(line.counters.earlyInputs, 0);
    }
  });

  it("reads no more messages and inputs than its limits, and all of an honest client's", () => {
    const decoder = new InputDecoder(Input);
    const flood = new Line({}, decoder);
    for (let tick = 0; tick < 300; tick++) {
      for (let i = 0; i < 40; i++) flood.send(1 + (i % 20), 20);
      flood.take();
    }
    assert.ok(decoder.stats.messages <= 2 * RATE * (5 + 2), `${decoder.stats.messages} messages in 5 s`);
    assert.ok(decoder.stats.inputs <= 4 * RATE * (5 + 2) + 32, `${decoder.stats.inputs} inputs in 5 s`);
    assert.ok(flood.counters.limitedInputMessages > 11_000);
    const honest = new Line();
    for (let tick = 0; tick < 300; tick++) {
      honest.send(2, 32);
      honest.take();
    }
    // After a stall of the server of 1.5 s.
    for (let i = 0; i < 90; i++) honest.send(2 + (i % 20), 32);
    assert.equal(honest.counters.limitedInputMessages, 0);
  });

  it("measures the codec by every 16th message", () => {
    let now = 0;
    const decoder = new InputDecoder(Input, () => (now += 3));
    const line = new Line({}, decoder);
    for (let i = 0; i < 64; i++) {
      line.send(1);
      line.take();
    }
    assert.equal(decoder.stats.messages, 64);
    assert.equal(decoder.stats.inputs, 64);
    assert.ok(Math.abs(decoder.stats.codecSeconds - (64 / SAMPLED_MESSAGES) * SAMPLED_MESSAGES * 0.003) < 1e-9);
  });
});

describe("PlayerRecords", () => {
  const view = { viewTick: 1234.625, snapshotTick: 1236, receiptMask: -5, mode: "hermite" as const };

  it("gives back what it was told, until it is too old or there is no room", () => {
    const records = new PlayerRecords({ bytes: 4 * 128, ttlTicks: 10, inputWordCount: 2 });
    const words = Int32Array.of(9, 1, 2, 3);
    for (let tick = 1; tick <= 500; tick++) {
      const entities = tick % 4;
      assert.ok(records.begin(tick, 1, view, words, 1));
      for (let e = 0; e < entities; e++) records.add(e, 77 + e, Int32Array.of(tick, e), 0, 2);
      const read = [...records.read()];
      assert.equal(read.length, records.ticks);
      assert.ok(records.bytes <= 512 && read.length <= 10);
      if (tick > 20) assert.ok(read.length >= 5);
      read.forEach((at, i) => {
        assert.equal(at.tick, tick - read.length + 1 + i);
        assert.deepEqual([at.origin, at.view, [...at.input]], [1, view, [1, 2]]);
        assert.deepEqual(
          at.entities.map(({ table, id, words: record }) => [table, id, ...record]),
          Array.from({ length: at.tick % 4 }, (_, e) => [e, 77 + e, at.tick, e]),
        );
      });
    }
    assert.ok(records.evicted > 100);
    assert.equal(records.truncated, 0);
    records.clear();
    assert.deepEqual([...records.read()], []);
  });

  it("leaves out what does not fit at all, and is off without memory", () => {
    const records = new PlayerRecords({ bytes: 4 * 32, ttlTicks: 10, inputWordCount: 2 });
    records.begin(1, 0, createViewStamp(), new Int32Array(2), 0);
    records.add(0, 1, new Int32Array(50), 0, 50);
    records.add(0, 2, new Int32Array(5), 0, 5);
    assert.equal(records.truncated, 1);
    const [only] = records.read();
    assert.deepEqual(
      only.entities.map(({ id }) => id),
      [2],
    );
    assert.equal(only.view.viewTick, -1);
    const none = new PlayerRecords({ bytes: 0, ttlTicks: 10, inputWordCount: 2 });
    assert.equal(none.begin(1, 0, createViewStamp(), new Int32Array(2), 0), false);
    none.add(0, 1, new Int32Array(5), 0, 5);
    assert.deepEqual([...none.read()], []);
  });
});
