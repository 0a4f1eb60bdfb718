/** What cheats try with their inputs, and what comes of it (docs/inputs.md, "What a cheat can gain"). */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bool, defineGame, defineInput, defineState, float, Match } from "@riposte/simulation";
import { createViewStamp, InputHistory, InputWriter } from "@riposte/simulation/prediction";
import type { ViewStamp } from "@riposte/simulation/prediction";
import { TestNetwork } from "./link.ts";

const Input = defineInput({ go: bool(), back: bool(), x: float({ min: -1, max: 1, step: 1 / 64 }) });

/** A walker: one unit for each tick with `go`. */
const game = defineGame({
  tickRate: 60,
  states: { players: defineState({ x: float({ min: 0, max: 4096, step: 1 }), y: float({ min: 0, max: 1, step: 1 }) }) },
  input: Input,
  join(world, client) {
    world.players.spawn(client.id);
  },
  step(world, inputs) {
    for (const player of world.players) if (inputs.of(player).go) player.x += 1;
  },
});

/** A client that sends what it likes. */
class Cheat {
  readonly match: Match<typeof game>;
  readonly seat: number;
  readonly #history = new InputHistory(Input.wordCount, 1024);
  readonly #writer = new InputWriter(Input);
  readonly #buffer = new Uint8Array(1000);
  readonly #snapshot = new Uint8Array(1400);

  constructor(match = new Match(game)) {
    this.match = match;
    this.seat = match.join(1n);
  }

  get x(): number {
    return this.match.world.players.firstOwnedBy(this.seat)?.x ?? Number.NaN;
  }

  get stats() {
    const seat = this.match.seat(this.seat);
    assert.ok(seat !== undefined);
    return seat.stats;
  }

  send(tick: number, count: number, go = true, view: ViewStamp = createViewStamp()): void {
    for (let t = Math.max(1, tick - count + 1); t <= tick; t++)
      if (!this.#history.has(t)) this.#history.words[this.#history.add(t, view)] = go ? 1 : 0;
    const length = this.#writer.write(this.#history, tick, count, view.snapshotTick, view.receiptMask, this.#buffer);
    this.match.receive(this.seat, this.#buffer, 0, length);
  }

  /** Simulates a tick, and hears of it. */
  tick(): void {
    this.match.tick();
    this.match.writeSnapshot(this.seat, this.#snapshot);
  }
}

describe("a cheat", () => {
  it("that sends twice as many inputs moves no faster", () => {
    const cheat = new Cheat();
    let newest = 0;
    for (let tick = 0; tick < 300; tick++) {
      newest += 2;
      cheat.send(newest, 4);
      cheat.tick();
    }
    // Its inputs are soon too far ahead to be taken: it has shot itself in the foot.
    assert.ok(cheat.x < 120, `${cheat.x} steps in 300 ticks`);
    assert.ok(cheat.stats.earlyInputs > 200);
    assert.ok(cheat.stats.inputBufferDepth > 250);
  });

  it("that holds its inputs back and sends them all at once has the ticks it missed lost", () => {
    const cheat = new Cheat(new Match(game, { inputs: { repeatInputMs: 0 } }));
    for (let tick = 1; tick <= 600; tick++) {
      // A second of nothing, then its 32 newest at once; then a second as it should be.
      if (tick % 120 === 60) cheat.send(tick, 32);
      else if (tick % 120 > 60) cheat.send(tick + 2, 3);
      cheat.tick();
    }
    const had = 600 - cheat.stats.missedInputs;
    assert.ok(cheat.x <= had + 1 && cheat.x < 310, `${cheat.x} steps, ${had} inputs in time`);
    assert.ok(cheat.stats.lateInputs > 100);
  });

  it("that sends in bursts as far ahead as it can gets no more than half a second ahead", () => {
    const cheat = new Cheat();
    let farthest = 0;
    for (let tick = 0; tick < 1200; tick++) {
      // 60 ticks at once, then silence for as long.
      if (tick % 60 === 0) for (let newest = tick + 20; newest <= tick + 60; newest += 20) cheat.send(newest, 32);
      cheat.tick();
      // What is in stock: nobody can send for a tick that is farther ahead than that.
      farthest = Math.max(farthest, 30 - (tick % 60));
    }
    assert.ok(cheat.x <= 1200);
    // Beyond 30 ticks nothing was taken, and the rest of each second was missed.
    assert.ok(cheat.stats.missedInputs >= 1200 / 2 - 40, `${cheat.stats.missedInputs}`);
  });

  it("that stays a third of a second ahead to shoot into the past is held to the commanded lead", () => {
    const cheat = new Cheat();
    let had = 0;
    for (let tick = 1; tick <= 1200; tick++) {
      const before = cheat.stats.missedInputs;
      cheat.send(tick + 20, 2);
      cheat.tick();
      if (tick > 300 && cheat.stats.missedInputs === before) had++;
    }
    assert.equal(had, 0, "after the bank is empty, not one input that far ahead is taken");
    assert.equal(cheat.stats.leadBankTicks, 0);
  });

  it("cannot change an input once it was sent", () => {
    const cheat = new Cheat();
    const other = new Cheat(cheat.match);
    assert.equal(other.seat, cheat.seat, "the same client, from another program");
    cheat.send(3, 3, false);
    other.send(3, 3, true);
    for (let tick = 0; tick < 3; tick++) cheat.tick();
    assert.equal(cheat.x, 0);
  });

  it("cannot load the server: of a flood no more is read than the limits", () => {
    let now = 0;
    const match = new Match(game, { now: () => (now += 1) });
    const cheat = new Cheat(match);
    for (let tick = 0; tick < 120; tick++) {
      for (let i = 0; i < 30; i++) cheat.send(tick + 1 + (i % 25), 20);
      cheat.tick();
    }
    assert.ok(match.inputDecoding.messages <= 2 * 60 * (2 + 2));
    assert.ok(match.inputDecoding.inputs <= 4 * 60 * (2 + 2) + 32);
    assert.ok(cheat.stats.limitedInputMessages > 2500);
    assert.equal(cheat.stats.malformed, 0);
  });

  it("cannot take back what it said to have received", () => {
    const cheat = new Cheat();
    for (let tick = 1; tick < 40; tick++) cheat.tick();
    // It had every snapshot; then it says that it had none of them but the newest.
    const honest: ViewStamp = { viewTick: 35, snapshotTick: 39, receiptMask: -1, mode: "linear" };
    cheat.send(41, 1, true, honest);
    cheat.send(42, 1, true, { ...honest, receiptMask: 1 << 20 });
    cheat.tick();
    const history = cheat.match.inputHistory(cheat.seat);
    assert.ok(history.length > 30);
    assert.equal(cheat.stats.clampedViews, 0);
  });
});

describe("what a match remembers of a player", () => {
  it("are its inputs as they were used, and its own entities after each", () => {
    const network = new TestNetwork(game, { inputs: { inputHistoryMs: 500 } });
    const player = network.add({ latencyMs: 50 }, { go: true, back: false, x: 0.5 });
    network.add({ latencyMs: 50 }, { go: false, back: false, x: 0 });
    network.run(3000);
    const { match } = network;
    const inputs = match.inputHistory(player.seat);
    const states = match.stateHistory(player.seat);
    assert.equal(inputs.length, 30);
    assert.deepEqual(
      inputs.map(({ tick }) => tick),
      states.map(({ tick }) => tick),
    );
    assert.equal(inputs.at(-1)?.tick, match.currentTick);
    for (const { source, values, view } of inputs) {
      assert.equal(source, "received");
      assert.deepEqual(values, { go: true, back: false, x: 0.5 });
      assert.ok(view.viewTick > 0 && view.snapshotTick >= view.viewTick - 6);
    }
    states.forEach(({ entities }, i) => {
      assert.equal(entities.length, 1);
      assert.equal(entities[0].table, "players");
      if (i > 0) assert.equal(entities[0].values.x, Number(states[i - 1].entities[0].values.x) + 1);
    });
    const { historyTicks, historyBytes } = match.seat(player.seat)?.stats ?? {};
    assert.equal(historyTicks, 30);
    assert.ok(historyBytes !== undefined && historyBytes < 65_536);
    assert.deepEqual(match.inputHistory(9), []);
  });
});

describe("a game", () => {
  /** Moves by `x`, but never backwards. */
  const strict = defineGame({
    ...game,
    sanitize(input) {
      if (input.x < 0) input.x = 0;
    },
    step(world, inputs) {
      for (const player of world.players) {
        const { go, x } = inputs.of(player);
        if (go) player.x += Math.round(x * 4);
      }
    },
  });

  it("may say what inputs are, on both sides alike", () => {
    const network = new TestNetwork(strict);
    const player = network.add({ latencyMs: 80, jitterMs: 10 }, { go: true, back: false, x: -1 });
    network.run(2000);
    assert.equal(network.match.world.players.firstOwnedBy(player.seat)?.x, 0);
    player.input = { go: true, back: false, x: 1 };
    network.run(2000);
    assert.ok((network.match.world.players.firstOwnedBy(player.seat)?.x ?? 0) > 300);
    assert.equal(player.client.stats.mispredictions, 0);
  });

  it("may make up what is missing", () => {
    const match = new Match(
      defineGame({
        ...game,
        idle(input, missed) {
          input.go = missed <= 2;
          input.x = 1 / missed;
        },
      }),
    );
    const cheat = new Cheat(match);
    const { seat } = cheat;
    cheat.send(1, 1);
    for (let tick = 0; tick < 5; tick++) match.tick();
    const used = match.inputHistory(seat).map(({ source, values }) => [source, values.go, values.x]);
    assert.deepEqual(used, [
      ["received", true, -1],
      ["repeated", true, 1],
      ["repeated", true, 0.5],
      ["repeated", false, 21 / 64],
      ["repeated", false, 0.25],
    ]);
  });
});
