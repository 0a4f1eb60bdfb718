/** What the network lab draws of a shot: the server's account of it beside what was on the shooter's screen. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readPlaces, readShots } from "@riposte/simulation/debug";
import { Table } from "../test/table.ts";
import { MAX_HEALTH, PLAYER_RADIUS } from "./rules.ts";
import { IDLE } from "./states.ts";

describe("the account of a shot", () => {
  it("has the target where the shooter saw it, and where it is now, on a long line", () => {
    const table = new Table();
    const ada = table.sit("Ada", 200);
    table.sit("Grace", 40);
    table.play(150, () => IDLE);
    Object.assign(table.row(0), { x: -5, y: 0 });
    Object.assign(table.row(1), { x: 3, y: -3 });
    table.play(60, () => IDLE);
    table.onFrame = () => {
      table.row(1).health = MAX_HEALTH;
    };
    table.play(40, (seat) => {
      if (seat === 1) return { ...IDLE, down: true };
      const [me, other] = [ada.view.players.mine, [...ada.view.players.all()].find(({ owner }) => owner === 1)];
      const aim = me === undefined || other === undefined ? 0 : Math.atan2(other.y - me.y, other.x - me.x);
      return { ...IDLE, fire: true, aim };
    });
    const grace = table.row(1);
    const shots = readShots(table.match.debugOf(0)?.shots()) ?? [];
    const hits = shots.filter(({ view }) => view.verdict.outcome === "hit");
    assert.ok(hits.length >= 2, `${hits.length} hits`);
    for (const { view, agrees, now } of shots) {
      assert.ok(agrees, "judged again it is the same");
      const target = view.entities.find(({ id }) => id === grace.id);
      if (target === undefined) continue;
      const drawn = ada.pictures
        .at(view.verdict.tick)
        ?.find(({ table: of, id }) => of === "players" && id === grace.id);
      assert.ok(drawn !== undefined);
      const off = Math.hypot(target.place[0] - drawn.x, target.place[1] - drawn.y);
      assert.ok(off < 0.02, `rewound to ${off.toFixed(3)} m from where it was drawn`);
      const [box] = target.hitboxes;
      assert.deepEqual([box.shape, box.radius, box.points[0]], ["sphere", PLAYER_RADIUS, target.place]);
      assert.deepEqual(
        now.find(({ id }) => id === grace.id),
        { table: "players", id: grace.id, x: grace.x, y: grace.y },
      );
    }
    const [{ view }] = hits;
    const [{ x, y }] = view.verdict.hits;
    const target = view.entities.find(({ id }) => id === grace.id);
    assert.ok(target !== undefined);
    assert.ok(Math.abs(Math.hypot(x - target.place[0], y - target.place[1]) - PLAYER_RADIUS) < 0.001, "on the hitbox");
    assert.deepEqual([view.to[0], view.to[1]], [x, y], "where the ray ends");
    assert.ok(Math.hypot(grace.x - target.place[0], grace.y - target.place[1]) > 0.5, "and she has moved on");
  });

  it("is no list of shots when somebody makes it up", () => {
    assert.equal(readShots(null), undefined);
    assert.equal(readShots([{ receipt: "00ff", now: [] }]), undefined);
    assert.equal(readShots([{ receipt: 5, now: [] }]), undefined);
    assert.deepEqual(readShots([]), []);
    assert.equal(readPlaces([{ table: "orbs", id: 1, x: "2", y: 3 }]), undefined);
    assert.equal(readPlaces([{ id: 1, x: 2, y: 3 }]), undefined);
    const place = { table: "orbs", id: 1, x: 2, y: 3 };
    assert.deepEqual(readPlaces([place]), [place]);
  });
});
