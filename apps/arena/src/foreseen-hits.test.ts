/** The rifle's hits that the shooter's client foresees, on a long line. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Table } from "../test/table.ts";
import { Hit } from "./messages.ts";
import { MAX_HEALTH, TICK_RATE } from "./rules.ts";
import { IDLE } from "./states.ts";
import { foreseenHitsOf } from "./weapons.ts";

const LATENCY_MS = 150;

/** Ada on a long line shoots at Grace, who runs across; returns what Ada's client foresaw and the ticks until word came. */
function duel(shoots: number) {
  const table = new Table();
  const ada = table.sit("Ada", LATENCY_MS);
  table.sit("Grace", 40);
  table.play(150, () => IDLE);
  Object.assign(table.row(0), { x: -5, y: 0 });
  Object.assign(table.row(1), { x: 3, y: -2 });
  table.play(60, () => IDLE);
  const hits = foreseenHitsOf(ada.world);
  const seenAt = new Map<number, number>();
  const waits: number[] = [];
  hits.listener = {
    predicted: ({ tick }) => void seenAt.set(tick, table.match.currentTick),
    confirmed: ({ tick }) => void waits.push(table.match.currentTick - (seenAt.get(tick) ?? 0)),
  };
  ada.router.onMessage(Hit, ({ tick, victim }) => hits.judge({ tick, hit: { target: victim, hitbox: "body" } }));
  table.onFrame = (seat) => {
    if (seat === 0) hits.advance(Math.floor(ada.view.predictedTick));
    // Grace must not fall: the dead are shot through.
    table.row(1).health = MAX_HEALTH;
  };
  table.play(shoots, (seat) => {
    if (seat === 1) return { ...IDLE, down: true };
    const [me, other] = [ada.view.players.mine, [...ada.view.players.all()].find(({ owner }) => owner === 1)];
    const aim = me === undefined || other === undefined ? 0 : Math.atan2(other.y - me.y, other.x - me.x);
    return { ...IDLE, fire: true, aim };
  });
  table.play(60, () => IDLE);
  return { hits, waits };
}

describe("a hit of the rifle", () => {
  it("is felt at once, and confirmed when the line has carried the word", () => {
    const { hits, waits } = duel(60);
    const { predicted, confirmed, revoked, surprised } = hits.stats;
    assert.ok(predicted >= 4, `${predicted} foreseen`);
    assert.equal(confirmed, predicted, `${revoked} were taken back`);
    assert.equal(surprised, 0);
    assert.equal(hits.waiting, 0);
    const ticks = (LATENCY_MS * TICK_RATE) / 1000;
    for (const wait of waits) assert.ok(wait >= ticks - 2 && wait < ticks + 12, `${wait} ticks until it was confirmed`);
  });
});
