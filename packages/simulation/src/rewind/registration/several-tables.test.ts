import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { defineGame, Match } from "../../game/index.ts";
import type { WorldOf } from "../../game/index.ts";
import { bool, circle, defineInput, defineState, float, uint } from "../../state/index.ts";
import { defineHitboxes } from "../hitboxes/hitbox-set.ts";
import { replayReceipt } from "../receipts/replay-receipt.ts";
import { HitRegistration } from "./hit-registration.ts";
import type { HitRequest } from "./hit-request.ts";
import type { HitValidation } from "./hit-validation.ts";
import type { HitAmong, RulesByTable } from "./registration-rules.ts";
import { defineWeapons } from "./weapon-kit.ts";

const kit = defineWeapons({
  tickRate: 60,
  weapons: {
    rifle: { kind: "ray", range: 40 },
    strict: { kind: "ray", range: 40, team: "stop", self: "stop" },
    savage: { kind: "ray", range: 40, team: "hit", self: "hit" },
    header: { kind: "ray", range: 40, layers: ["head"] },
    spoon: { kind: "ray", range: 40, layers: ["tail"] },
    comb: { kind: "pellets", range: 40, pellets: 5, spread: 0.4, pattern: "even" },
    ball: { kind: "sweep", range: 40, radius: 1 },
    axe: { kind: "melee", range: 3, radius: 0.5 },
    barrel: { kind: "ray", range: 40, muzzle: [2] },
  },
  validationBurst: 100,
});
type WeaponName = (typeof kit)["weapons"][number]["name"];

const coordinate = float({ min: -500, max: 500, step: 1 / 512 });
const place = { x: coordinate, y: coordinate, team: uint({ max: 7 }) };
const states = {
  players: defineState(
    { ...place, health: uint({ max: 100 }) },
    { capacity: 16, hitboxes: defineHitboxes({ head: { shape: "sphere", radius: 0.5, layer: "head" } }) },
  ),
  monsters: defineState({ ...place, rage: uint({ max: 9 }) }, { capacity: 16, hitbox: circle({ radius: 0.5 }) }),
  doors: defineState(place, { capacity: 16, hitbox: circle({ radius: 0.5 }), blocks: true }),
  turrets: defineState(place, { capacity: 16 }),
};

type Seen = readonly [table: string, index: number];

/** Whom it met. */
function seen({ hits }: { readonly hits: readonly { table: string; id: number }[] }): Seen[] {
  return hits.map(({ table, id }) => [table, id & 0xffff]);
}

/** A match whose step does what a test says. */
function range(boxes: readonly { x: number; y: number; width: number; height: number }[] = []) {
  let act: ((world: WorldOf<typeof game>) => void) | undefined;
  const game = defineGame({
    tickRate: 60,
    states,
    input: defineInput({ fire: bool() }),
    statics: { boxes },
    join: () => undefined,
    step: (world) => act?.(world),
  });
  const receipts: Uint8Array[] = [];
  const sink = { write: (bytes: Uint8Array): boolean => receipts.push(bytes.slice()) > 0 };
  const match = new Match(game, { receipts: { sink, keep: () => true } });
  const { players, monsters, doors, turrets } = match.world;
  type Tables = typeof players | typeof monsters | typeof doors | typeof turrets;
  const shooter = players.spawn(0, { x: 0, y: 0, health: 100, team: 1 });
  /** A verdict's copy; each has to replay from its receipt. */
  const judge = (
    targets: readonly Tables[],
    request: HitRequest<WeaponName, Tables["name"]>,
    rules: RulesByTable<Tables> = {},
    by: { readonly row: Parameters<HitRegistration["judge"]>[0]; readonly table: Tables } = {
      row: shooter,
      table: players,
    },
  ) => {
    // What has been placed since is seen as of the last tick.
    match.tick();
    let verdict: HitValidation<never, WeaponName, HitAmong<Tables>> | undefined;
    act = (world) => {
      const registration = HitRegistration.of(kit, targets, rules, by.table);
      const { hit, ...judged } = registration.judge(by.row, request, world);
      const hits = judged.hits.map((one) => ({ ...one }));
      verdict = { ...judged, hits, hit: hit && { ...hit } };
    };
    receipts.length = 0;
    match.tick();
    act = undefined;
    assert.ok(verdict !== undefined);
    const [receipt] = receipts;
    const { agrees, recorded, replayed } = replayReceipt(receipt);
    assert.deepEqual(replayed, recorded);
    assert.ok(agrees);
    assert.deepEqual(
      recorded.hits.map(({ table, id, reason }) => [table, id, reason]),
      verdict.hits.map(({ table, id, reason }) => [table, id, reason]),
    );
    return verdict;
  };
  match.tick();
  return { match, players, monsters, doors, turrets, shooter, judge };
}

describe("a shot at several tables", () => {
  it("hits the nearest of all, and says of which table it is", () => {
    const { players, monsters, judge } = range();
    const monster = monsters.spawn(-1, { x: 10, y: 0 });
    const player = players.spawn(1, { x: 20, y: 0, health: 7 });
    const both = [players, monsters];
    const near = judge(both, { weapon: "rifle", angle: 0 });
    assert.deepEqual([near.outcome, seen(near), near.distance], ["hit", [["monsters", 0]], 9.5]);
    // The types follow from the name.
    if (near.hit?.table === "monsters") assert.equal(near.hit.entity.rage, 0);
    else assert.fail("no monster");
    assert.equal(
      judge([players], { weapon: "rifle", angle: 0 }).distance,
      19.5,
      "the monster stops nothing that is not at it",
    );
    monster.x = 30;
    const far = judge(both, { weapon: "rifle", angle: 0 });
    assert.deepEqual(seen(judge(both, { weapon: "rifle", angle: 0 })), [["players", player.index]]);
    if (far.hit?.table === "players") assert.equal(far.hit.entity.health, 7);
    assert.equal(judge(both, { weapon: "rifle", angle: Math.PI }).outcome, "miss");
  });

  it("is the same registration every time, for the same tables in the same order", () => {
    const { players, monsters, turrets } = range();
    const one = HitRegistration.of(kit, [players, monsters]);
    assert.equal(HitRegistration.of(kit, [players, monsters], { monsters: { accept: () => false } }), one);
    assert.notEqual(HitRegistration.of(kit, [monsters, players]), one);
    assert.notEqual(HitRegistration.of(kit, [players]), one);
    assert.notEqual(HitRegistration.of(kit, [players, monsters], {}, turrets), one);
    assert.throws(() => HitRegistration.of(kit, [players, players]), /different tables of one world/);
    const tall = new Match(
      defineGame({
        tickRate: 60,
        states: { birds: defineState({ x: coordinate, y: coordinate, z: coordinate }), worms: states.monsters },
        input: defineInput({ fire: bool() }),
        join: () => undefined,
        step: () => undefined,
      }),
    );
    const { birds, worms } = tall.world;
    assert.throws(() => HitRegistration.of(kit, [birds, worms]), /of birds, worms some have heights/);
  });

  it("has types that follow from the tables", () => {
    const { match, shooter, monsters, turrets } = range();
    monsters.spawn(-1, { x: 5, y: 0, rage: 3 });
    match.tick();
    const { world } = match;
    const registration = HitRegistration.of(kit, [world.players, world.monsters], {
      players: { accept: (player) => player.health >= 0 },
      monsters: { accept: (monster) => monster.rage < 9, teamOf: (monster) => monster.team },
    });
    const { hit } = registration.judge(shooter, { weapon: "rifle", angle: 0, claimTable: "monsters" }, world);
    assert.equal(hit?.table === "monsters" && hit.entity.rage, 3);
    // @ts-expect-error of a player there is no rage
    assert.equal(hit?.entity.rage, 3);
    const wrong = { weapon: "rifle", angle: 0, claimTable: "doors" } as const;
    // @ts-expect-error no shots are at doors
    assert.throws(() => registration.judge(shooter, wrong, world), RangeError);
    // @ts-expect-error nobody shoots from a turret
    HitRegistration.of(kit, [world.players], { turrets: { teamOf: () => 1 } });
    HitRegistration.of(kit, [world.players], { turrets: { teamOf: ({ team }) => team } }, turrets);
    const single = HitRegistration.of(kit, world.monsters, { accept: (monster) => monster.rage < 9 }, world.players);
    const { hit: monster } = single.judge(shooter, { weapon: "rifle", angle: 0 }, world);
    assert.deepEqual([monster?.table satisfies "monsters" | undefined, monster?.entity.rage], ["monsters", 3]);
  });

  it("goes through those whom a table's own rules do not accept, and through what is in none of its layers", () => {
    const { players, monsters, judge } = range();
    monsters.spawn(-1, { x: 10, y: 0, rage: 1 });
    players.spawn(1, { x: 20, y: 0 });
    const both = [players, monsters];
    const calm = { monsters: { accept: ({ rage }: { rage: number }) => rage === 0 } };
    assert.deepEqual(seen(judge(both, { weapon: "rifle", angle: 0 }, calm)), [["players", 1]]);
    assert.deepEqual(seen(judge(both, { weapon: "header", angle: 0 })), [["players", 1]]);
    assert.throws(() => judge(both, { weapon: "spoon", angle: 0 }), /layer "tail"/);
  });

  it("spares friends of another state, and those of their own shooters", () => {
    const { players, monsters, turrets, shooter, judge } = range();
    const tame = monsters.spawn(-1, { x: 10, y: 0, team: 1 });
    players.spawn(1, { x: 20, y: 0, team: 2 });
    const both = [players, monsters];
    const ofTeam = { teamOf: ({ team }: { team: number }) => team };
    const teams = { players: ofTeam, monsters: ofTeam };
    assert.deepEqual(seen(judge(both, { weapon: "rifle", angle: 0 }, teams)), [["players", 1]]);
    const strict = judge(both, { weapon: "strict", angle: 0 }, teams);
    assert.deepEqual([strict.outcome, strict.reasons, seen(strict)], ["miss", ["team"], [["monsters", 0]]]);
    assert.deepEqual(seen(judge(both, { weapon: "savage", angle: 0 }, teams)), [["monsters", 0]]);
    assert.deepEqual(
      seen(judge(both, { weapon: "rifle", angle: 0 }, { monsters: ofTeam })),
      [["monsters", 0]],
      "nobody's friend",
    );
    tame.team = 2;
    assert.deepEqual(seen(judge(both, { weapon: "rifle", angle: 0 }, teams)), [["monsters", 0]]);
    // A turret that nobody owns shoots back.
    tame.team = 1;
    const turret = turrets.spawn(-1, { x: 30, y: 0, team: 2 });
    const by = { row: turret, table: turrets };
    const back = judge(both, { weapon: "rifle", angle: Math.PI }, { ...teams, turrets: ofTeam }, by);
    assert.deepEqual(seen(back), [["monsters", 0]], "through the player of its team");
    assert.deepEqual(seen(judge(both, { weapon: "rifle", angle: Math.PI }, teams, by)), [["players", 1]]);
    // And one of a player's own.
    turret.team = 0;
    turret.x = 5;
    turrets.setOwner(turret, shooter.owner);
    const all = [players, monsters, turrets];
    assert.deepEqual(seen(judge(all, { weapon: "rifle", angle: 0 })), [["monsters", 0]]);
    assert.deepEqual(judge(all, { weapon: "strict", angle: 0 }).reasons, ["self"]);
    assert.deepEqual(seen(judge(all, { weapon: "savage", angle: 0 })), [["turrets", 0]]);
    turrets.setOwner(turret, 3);
    assert.deepEqual(seen(judge(all, { weapon: "strict", angle: 0 })), [["turrets", 0]]);
  });

  it("strikes all whom a blow touches, the nearest first", () => {
    const { players, monsters, judge } = range([{ x: 1.2, y: 0.4, width: 0.2, height: 0.2 }]);
    monsters.spawn(-1, { x: 1, y: 0.9 });
    monsters.spawn(-1, { x: 2, y: -0.6 });
    players.spawn(1, { x: 2, y: -0.7 });
    players.spawn(2, { x: 2.4, y: 0.8 });
    const verdict = judge([players, monsters], { weapon: "axe", angle: 0 });
    assert.deepEqual(seen(verdict), [
      ["monsters", 1],
      ["players", 1],
      ["players", 2],
      ["monsters", 0],
    ]);
    assert.deepEqual(
      verdict.hits.map(({ reason }) => reason),
      [undefined, undefined, "blocked", undefined],
    );
  });

  it("asks the victims' rules of the table, once for each entity", () => {
    const { players, monsters, judge } = range();
    const monster = monsters.spawn(-1, { x: 3, y: 0 });
    const player = players.spawn(1, { x: 3, y: 1.2 });
    assert.notEqual(monster.index, player.index);
    const asked: string[] = [];
    const victims = (name: string) => ({
      protects: (index: number): string => {
        asked.push(`${name} ${index}`);
        return name;
      },
    });
    const verdict = judge(
      [players, monsters],
      { weapon: "comb", angle: 0 },
      {
        players: { victims: victims("players") },
        monsters: { victims: victims("monsters") },
      },
    );
    assert.deepEqual([verdict.outcome, verdict.reasons], ["miss", ["protected"]]);
    assert.deepEqual(asked.sort(), ["monsters 0", "players 1"]);
    assert.ok(verdict.hits.length > 2 && verdict.hits.every(({ table, protection }) => table === protection));
  });

  it("meets a door that blocks as a target of its own, and is stopped by it at the others", () => {
    const { players, doors, monsters, judge } = range();
    doors.spawn(-1, { x: 10, y: 0 });
    doors.spawn(-1, { x: 12, y: 0 });
    players.spawn(1, { x: 20, y: 0 });
    const shot = { weapon: "rifle", angle: 0 } as const;
    assert.deepEqual(judge([players, monsters], shot).reasons, ["blocked"]);
    const hit = judge([players, doors], shot);
    assert.deepEqual([hit.outcome, hit.reasons, seen(hit), hit.distance], ["hit", [], [["doors", 0]], 9.5]);
    const stopped = judge([players, doors], shot, { doors: { accept: () => false } });
    assert.deepEqual([stopped.outcome, stopped.reasons, stopped.distance], ["miss", ["blocked"], 9.5]);
    doors.spawn(-1, { x: 1, y: 0 });
    assert.deepEqual(
      judge([players, doors], { weapon: "barrel", angle: 0 }).reasons,
      ["blocked"],
      "up to the muzzle, too",
    );
    assert.deepEqual(judge([doors, players], { weapon: "barrel", angle: 0 }).reasons, ["blocked"], "in any order");
  });

  it("compares what the client claims in the table that it names", () => {
    const { match, players, monsters, judge } = range([{ x: 0, y: 5, width: 3, height: 1 }]);
    monsters.spawn(-1, { x: 0, y: -9 });
    const monster = monsters.spawn(-1, { x: 10, y: 0 });
    const player = players.spawn(1, { x: 0, y: 10 });
    monsters.spawn(-1, { x: 60, y: 0 });
    assert.equal(monster.id, player.id);
    const both = [players, monsters];
    const claim = (angle: number, id: number, table?: "players" | "monsters") => {
      const verdict = judge(both, { weapon: "rifle", angle, claim: id, ...(table && { claimTable: table }) });
      return [verdict.claim, verdict.outcome, ...verdict.reasons];
    };
    assert.deepEqual(claim(0, monster.id, "monsters"), ["agrees", "hit"]);
    assert.deepEqual(claim(0, monster.id, "players"), ["differs", "hit"]);
    assert.deepEqual(claim(0, monster.id), ["differs", "hit"], "the first table");
    assert.deepEqual(claim(0, 2, "monsters"), ["differs", "hit", "range"]);
    assert.deepEqual(claim(Math.PI / 2, player.id), ["differs", "miss", "blocked"]);
    assert.deepEqual(claim(0, 0, "players"), ["differs", "hit", "self"]);
    assert.deepEqual(claim(Math.PI, 0, "monsters"), ["differs", "miss"], "a monster with the shooter's id");
    assert.deepEqual(claim(0, 5, "monsters"), ["differs", "hit", "gone"]);
    assert.throws(
      () =>
        HitRegistration.of(kit, both).judge(
          players.rowAt(0),
          { weapon: "rifle", angle: 0, claimTable: "doors" as "players" },
          match.world,
        ),
      /no shots are at "doors"/,
    );
  });

  it("counts hits by table", () => {
    const { match, players, monsters, judge } = range();
    monsters.spawn(-1, { x: 10, y: 0 });
    players.spawn(1, { x: -10, y: 0 });
    const both = [players, monsters];
    for (const angle of [0, 0, Math.PI, 1]) judge(both, { weapon: "rifle", angle });
    const { hits, hitsByTable, rays } = match.lagCompensation.report();
    assert.deepEqual([hits, hitsByTable, rays], [3, { monsters: 2, players: 1 }, 8]);
    assert.deepEqual(match.lagCompensation.playerReport(0).hitsByTable, { monsters: 2, players: 1 });
    assert.deepEqual(match.lagCompensation.playerReport(1).hitsByTable, {});
  });

  it("is what shots at each table would be, the nearest first", () => {
    const placed = fc.array(
      fc.record({
        table: fc.nat(2),
        x: fc.integer({ min: -7, max: 7 }),
        y: fc.integer({ min: -7, max: 7 }),
        owner: fc.integer({ min: -1, max: 2 }),
        team: fc.nat(2),
      }),
      { minLength: 3, maxLength: 24 },
    );
    const weapons = fc.constantFrom(...kit.weapons.map(({ name }) => name).filter((name) => name !== "spoon"));
    let several = 0;
    fc.assert(
      fc.property(placed, weapons, (all, weapon) => {
        const angle = Math.atan2(all[0].y, all[0].x);
        const { players, monsters, doors, judge } = range([{ x: 6, y: 6, width: 2, height: 2 }]);
        const tables = [players, monsters, doors] as const;
        for (const { table, owner, ...where } of all) tables[table].spawn(owner, where);
        const ofTeam = { teamOf: ({ team }: { team: number }) => team };
        const rules = { players: ofTeam, monsters: ofTeam, doors: ofTeam };
        const shot = { weapon, angle };
        const together = judge(tables, shot, rules);
        const alone = tables.map((table) =>
          weapon === "header" && table !== players ? undefined : judge([table], shot, rules),
        );
        const met = alone.flatMap((verdict) => verdict?.hits ?? []);
        if (new Set(met.map(({ table }) => table)).size > 1) several++;
        const isMelee = weapon === "axe";
        const expected = isMelee
          ? met.toSorted((a, b) => a.distance - b.distance)
          : Array.from(
              { length: 5 },
              (_, pellet) => met.filter((hit) => hit.pellet === pellet).toSorted((a, b) => a.distance - b.distance)[0],
            ).filter((hit) => hit !== undefined);
        // With a wall before the muzzle for one of them nothing leaves it.
        const isShut =
          weapon === "barrel" && alone.some((verdict) => verdict?.distance === 0 && verdict.hits.length === 0);
        assert.deepEqual(
          together.hits.map(({ table, id, distance, reason }) => [table, id, distance, reason]),
          isShut ? [] : expected.map(({ table, id, distance, reason }) => [table, id, distance, reason]),
        );
      }),
      { numRuns: 300, seed: 4 },
    );
    assert.ok(several > 20, `${several} shots at what is in several tables`);
  });

  it("makes its objects once", () => {
    const { match, players, monsters, shooter } = range();
    monsters.spawn(-1, { x: 2, y: 0 });
    players.spawn(1, { x: 2, y: 0.25 });
    match.tick();
    const registration = HitRegistration.of(kit, [players, monsters]);
    for (const weapon of ["rifle", "comb", "ball", "axe"] as const) {
      const parts = () => {
        match.tick();
        const verdict = registration.judge(shooter, { weapon, angle: 0 }, match.world);
        assert.ok(verdict.hits.length > 0);
        return [verdict, verdict.reasons, verdict.hits, ...verdict.hits, verdict.hit];
      };
      const first = parts();
      parts().forEach((part, i) => assert.equal(part, first[i]));
    }
  });
});
