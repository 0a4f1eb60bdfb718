import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StaticGeometry } from "../../game/statics/static-geometry.ts";
import { WorldTable } from "../../game/world-table.ts";
import { defineState, float, uint } from "../../state/index.ts";
import type { Fields, StateTable } from "../../state/index.ts";
import { HistoryRecorder } from "../history-recorder.ts";
import { CoverBudget } from "./cover-budget.ts";
import { FairVictims } from "./fair-victims.ts";
import type { FavorChange } from "./favor-settings.ts";
import { FavorTheShooter } from "./favor-the-shooter.ts";

const coordinate = float({ min: -100, max: 100, step: 1 / 512 });
const inPlane = defineState({ x: coordinate, y: coordinate, shield: uint({ max: 9 }) }, { capacity: 4 });
const inSpace = defineState({ x: coordinate, y: coordinate, z: coordinate, shield: uint({ max: 9 }) }, { capacity: 4 });

/** A shooter at the origin, a wall in front of it on the upper side, and a victim that walks along it. */
function scene(change: FavorChange, state: typeof inPlane = inPlane) {
  const table = new WorldTable(state, true);
  const statics = new StaticGeometry({ boxes: [{ x: 5, y: 5, width: 1, height: 10, bottom: 0, top: 3 }] });
  const favor = new FavorTheShooter(500, change);
  const recorder = new HistoryRecorder(state, table as unknown as StateTable<Fields>, { tickMs: 10, windowMs: 1000 });
  let tick = 0;
  table.victims = { history: recorder.history, statics, blockers: [], favor, tickMs: 10, now: () => tick };
  const shooter = table.spawn(0, { x: 0, y: 0 });
  const victim = table.spawn(1, { x: 10, y: -1 });
  const rules = new FairVictims(table, { isInvulnerable: (row) => row.shield > 0, isDashing: (row) => row.shield > 1 });
  return {
    table,
    favor,
    shooter,
    victim,
    /** So many ticks with the victim at `y`. */
    stand: (y: number, ticks: number): void => {
      for (let i = 0; i < ticks; i++) {
        victim.y = y;
        recorder.record(tick++);
      }
    },
    protection: (rewindMs: number, weapon?: string) =>
      rules.protects(victim.index, undefined, shooter, rewindMs, weapon),
  };
}

describe("a victim", () => {
  it("is not spared in the open, however long ago it was seen", () => {
    const { stand, protection } = scene({ behindCoverMs: 0, coverBudgetMs: 0 });
    stand(-1, 40);
    assert.equal(protection(400), undefined);
  });

  it("is spared when it has been behind cover for longer than is set", () => {
    const { stand, protection } = scene({ behindCoverMs: 100 });
    stand(-1, 40);
    stand(2, 9);
    assert.equal(protection(400), undefined, "90 ms, and where it is now");
    stand(2, 1);
    assert.equal(protection(400), "behindCover");
    assert.equal(protection(100), undefined, "it is only asked for as long as the shooter's picture is old");
  });

  it("counts the time of its last stay behind cover", () => {
    const { stand, protection } = scene({ behindCoverMs: 100 });
    stand(2, 40);
    stand(-1, 1);
    stand(2, 5);
    assert.equal(protection(400), undefined);
  });

  it("may be spared by a weapon's own settings", () => {
    const { stand, protection, favor } = scene({ weapons: { rifle: { behindCoverMs: 50 } } });
    stand(2, 40);
    assert.equal(protection(400, "bow"), undefined);
    assert.equal(protection(400, "rifle"), "behindCover");
    favor.change({ behindCoverMs: 50, weapons: { rifle: { behindCoverMs: "off" } } });
    assert.equal(protection(400, "bow"), "behindCover");
    assert.equal(protection(400, "rifle"), undefined);
  });

  it("bears so much time behind cover, and no more", () => {
    const { stand, protection, favor } = scene({ coverBudgetMs: 250, coverWindowMs: 1000 });
    stand(-1, 40);
    stand(2, 10);
    assert.equal(protection(400), undefined, "110 ms");
    assert.equal(protection(400), undefined, "220 ms");
    assert.equal(protection(400), "coverBudget");
    stand(-1, 50);
    stand(2, 10);
    assert.equal(protection(400), undefined, "150 ms are forgotten");
    assert.equal(protection(400), "coverBudget");
    favor.change({ coverBudgetMs: "off" });
    assert.equal(protection(400), undefined);
  });

  it("is spared when the game says so and the settings agree", () => {
    const { stand, victim, protection, favor } = scene({});
    stand(-1, 1);
    victim.shield = 1;
    assert.equal(protection(0), "invulnerable");
    favor.change({ spareInvulnerable: false });
    assert.equal(protection(0), undefined);
    victim.shield = 2;
    assert.equal(protection(0), undefined);
    favor.change({ spareDashing: true });
    assert.equal(protection(0), "dashing");
  });

  it("is judged by where its shooter stands, of whatever state, and has one budget for all", () => {
    const { stand, victim, shooter, favor, table } = scene({ behindCoverMs: 50 });
    const turrets = new WorldTable(inPlane, true);
    turrets.spawn(0, { x: 10, y: 40 });
    const turret = turrets.spawn(0, { x: 10, y: -40 });
    // Behind the wall for the shooter; the turret, of another place and index, sees it.
    stand(2, 40);
    assert.notEqual(turret.index, shooter.index);
    const ask = (by: typeof turret, of: typeof turrets) =>
      FairVictims.of(table, undefined, of).protects(victim.index, undefined, by, 400);
    assert.equal(ask(shooter, table), "behindCover");
    assert.equal(ask(turret, turrets), undefined);
    assert.equal(FairVictims.of(table, undefined, turrets), FairVictims.of(table, undefined, turrets));
    favor.change({ behindCoverMs: "off", coverBudgetMs: 450 });
    turret.x = 0;
    turret.y = 0;
    assert.equal(ask(turret, turrets), undefined, "400 ms");
    assert.equal(ask(shooter, table), "coverBudget");
  });

  it("sees over walls that are lower than eyes", () => {
    const low = scene({ behindCoverMs: 50 }, inSpace);
    low.stand(2, 40);
    assert.equal(low.protection(400), "behindCover", "3 m");
    for (const row of [low.shooter, low.victim]) (row as unknown as { z: number }).z = 40;
    low.stand(2, 40);
    assert.equal(low.protection(400), undefined, "both stand on a roof");
  });
});

describe("a budget of cover", () => {
  it("is a victim's own, and that of a later one at its place", () => {
    const budget = new CoverBudget(2);
    assert.equal(budget.take(0, 100, 60, 0, 100, 1000), true);
    assert.equal(budget.take(0, 100, 60, 0, 100, 1000), false);
    assert.equal(budget.take(1, 101, 60, 0, 100, 1000), true);
    assert.equal(budget.take(0, 65_636, 60, 0, 100, 1000), true);
  });
});
