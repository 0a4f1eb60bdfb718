/** Orbs and shots as those see them who shoot, who watch and who are hit, on lines of some length. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { GameClient } from "@riposte/simulation/game";
import { Table } from "../test/table.ts";
import type { ArenaGame } from "./game.ts";
import { Blast, Kill, Launch } from "./messages.ts";
import { ORB_SPEED, TICK_RATE } from "./rules.ts";
import { IDLE } from "./states.ts";
import type { Wish } from "./states.ts";

const LATENCY_MS = 150;
const ORB: Wish = { ...IDLE, orb: true };
/** How far an orb flies in a tick. */
const WAY = ORB_SPEED / TICK_RATE;

/** Launches and bursts as a client hears them; "!" stands before what it foresaw, "no" before what was revoked. */
function heardBy(client: GameClient<ArenaGame>): string[] {
  const heard: string[] = [];
  for (const event of [Launch, Blast]) {
    client.events.on(
      event,
      (_, { predicted }) => heard.push(`${predicted ? "!" : ""}${event.name}`),
      () => heard.push(`no ${event.name}`),
    );
  }
  return heard;
}

/** Ada on a long line and Grace on a short one, both near the middle of the field, Grace out of the way of Ada's aim. */
function duel() {
  const table = new Table();
  const ada = table.sit("Ada", LATENCY_MS);
  const grace = table.sit("Grace", 40);
  table.play(150, () => IDLE);
  Object.assign(table.row(0), { x: -5, y: 0 });
  Object.assign(table.row(1), { x: 3, y: 5 });
  table.play(60, () => IDLE);
  const drawn: { ids: number[]; xs: number[] }[][] = [[], []];
  table.onFrame = (seat) => {
    const orbs = [...(seat === 0 ? ada : grace).view.orbs.all()];
    drawn[seat].push({ ids: orbs.map(({ id }) => id), xs: orbs.map(({ x }) => x) });
  };
  const adaShoots = (ticks = 1): void => table.play(ticks, (seat) => (seat === 0 ? ORB : IDLE));
  const wait = (ticks: number): void => table.play(ticks, () => IDLE);
  return { table, ada, grace, drawn, adaShoots, wait, heard: [heardBy(ada), heardBy(grace)] };
}

describe("an orb", () => {
  it("flies for who shoots it from the frame of the key on, and is the server's later without a pop or a double", () => {
    const { table, ada, grace, drawn, adaShoots, wait, heard } = duel();
    const { mispredictions } = ada.stats;
    adaShoots();
    wait(1);
    assert.equal(ada.view.orbs.count, 1);
    assert.deepEqual(heard[0], ["!launch"]);
    assert.equal(table.match.world.orbs.count, 0, "the server does not know yet");
    wait(20);
    assert.deepEqual(ada.stats.prediction.spawns, { predicted: 1, matched: 1, unmatched: 0, refused: 0 });
    const [server] = table.match.world.orbs.all();
    assert.deepEqual(drawn[0].at(-1)?.ids, [server.id], "the server's entity, in the present");
    assert.ok(ada.view.orbs.rowAt(server.index).x > server.x, "ahead of the server's");
    assert.deepEqual(drawn[1].at(-1)?.ids, [server.id]);
    assert.ok(grace.view.orbs.rowAt(server.index).x < server.x, "others see it in the past");
    wait(140);
    for (const frames of drawn) {
      const xs = frames.filter((frame) => frame.xs.length > 0).map((frame) => frame.xs);
      assert.ok(xs.length > 30);
      assert.ok(
        xs.every(({ length }) => length === 1),
        "never two",
      );
      for (let i = 1; i < xs.length; i++) {
        const step = xs[i][0] - xs[i - 1][0];
        assert.ok(step > -1e-6 && step < WAY * 2.1, `${step} m in frame ${i}`);
      }
    }
    assert.equal(ada.view.orbs.count + grace.view.orbs.count + table.match.world.orbs.count, 0);
    // It ends at a wall, which its owner knows, too; both hear each thing once.
    assert.deepEqual(heard, [["!launch", "!blast"], ["blast"]]);
    assert.equal(ada.stats.mispredictions, mispredictions);
    assert.equal(ada.stats.prediction.events.revoked, 0);
    assert.equal(grace.stats.prediction.spawns.predicted, 0);
  });

  it("never was when the server refuses it", () => {
    const { table, ada, drawn, adaShoots, wait, heard } = duel();
    // Gone, as the server knows and she does not yet.
    table.row(0).energy = 0;
    adaShoots();
    wait(1);
    assert.equal(ada.view.orbs.count, 1);
    wait(40);
    assert.equal(ada.view.orbs.count, 0);
    assert.ok(drawn[0].every(({ ids }) => ids.length <= 1));
    assert.deepEqual(heard, [["!launch", "no launch"], []]);
    assert.equal(ada.stats.prediction.spawns.unmatched, 1);
  });

  it("bursts on a player when the server says so, for both alike, and the kill is the shooter's", () => {
    const { table, ada, adaShoots, wait, heard } = duel();
    const kills: string[] = [];
    ada.router.onMessage(Kill, ({ killerName, victimName }) => void kills.push(`${killerName} > ${victimName}`));
    Object.assign(table.row(1), { x: 3, y: 0, health: 20 });
    wait(30);
    adaShoots();
    wait(60);
    assert.deepEqual(kills, ["Ada > Grace"]);
    assert.equal(table.row(0).kills, 1);
    assert.deepEqual(heard, [["!launch", "blast"], ["blast"]]);
    assert.equal(ada.view.orbs.count, 0);
  });

  it("goes with who shot it: whoever has the seat next kills nobody", () => {
    const { table, adaShoots, wait } = duel();
    Object.assign(table.row(1), { x: 3, y: 0, health: 20 });
    wait(30);
    adaShoots();
    while (table.match.world.orbs.count === 0) wait(1);
    table.match.remove(0);
    assert.equal(table.match.join(99n), 0);
    wait(60);
    assert.equal(table.row(0).kills, 0);
    assert.ok(table.row(1).health >= 20);
  });
});

describe("a rifle shot", () => {
  it("flashes in the frame of its key and once, however often its tick is replayed", () => {
    const { table, ada, wait } = duel();
    const { mispredictions } = ada.stats;
    let last = ada.view.players.mine?.shots ?? assert.fail();
    let flashes = 0;
    table.onFrame = (seat) => {
      const shots = ada.view.players.mine?.shots ?? assert.fail();
      if (seat !== 0) return;
      // As `Picture` does.
      const fired = (shots - last) & 255;
      if (fired > 0 && fired < 8) flashes++;
      if (fired < 200) last = shots;
    };
    table.play(1, (seat) => (seat === 0 ? { ...IDLE, fire: true } : IDLE));
    wait(1);
    assert.equal(flashes, 1);
    assert.equal(table.row(0).shots, 0);
    for (let i = 0; i < 60; i++) {
      // Something pushes her, which she cannot know.
      table.row(0).y += 0.05;
      table.play(2, (seat) => (seat === 0 ? { ...IDLE, fire: true } : IDLE));
    }
    wait(60);
    assert.ok(ada.stats.mispredictions > mispredictions + 20);
    assert.ok(table.row(0).shots >= 13);
    assert.equal(flashes, table.row(0).shots);
  });
});
