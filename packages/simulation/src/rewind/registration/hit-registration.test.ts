import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { defineGame, Match } from "../../game/index.ts";
import type { WorldOf } from "../../game/index.ts";
import { bool, circle, defineInput, defineState, float, uint } from "../../state/index.ts";
import { defineHitboxes } from "../hitboxes/hitbox-set.ts";
import { HitRegistration } from "./hit-registration.ts";
import type { RegistrationRules } from "./registration-rules.ts";
import type { HitRequest } from "./hit-request.ts";
import type { HitReason } from "./hit-validation.ts";
import { weaponFields } from "./weapon-fields.ts";
import { defineWeapons } from "./weapon-kit.ts";

const kit = defineWeapons({
  tickRate: 60,
  weapons: {
    rifle: { kind: "ray", range: 40 },
    slow: { kind: "ray", range: 40, intervalMs: 100 },
    revolver: { kind: "ray", range: 40, magazine: 6 },
    cannon: { kind: "ray", range: 40, ammunition: "shells", roundsPerShot: 2 },
    sniper: { kind: "ray", range: 40, maxTurn: 0.5 },
    barrel: { kind: "ray", range: 40, muzzle: [2] },
    strict: { kind: "ray", range: 40, team: "stop", self: "stop" },
    savage: { kind: "ray", range: 40, team: "hit", self: "hit" },
    shotgun: { kind: "pellets", range: 40, pellets: 12, spread: 0.2 },
    comb: { kind: "pellets", range: 40, pellets: 5, spread: 0.4, pattern: "even" },
    ball: { kind: "sweep", range: 40, radius: 1 },
    axe: { kind: "melee", range: 2, radius: 0.5 },
  },
  validationBurst: 5,
  validationsPerSec: 60,
});

const coordinate = float({ min: -500, max: 500, step: 1 / 512 });
const Player = defineState(
  { x: coordinate, y: coordinate, team: uint({ max: 7 }), shells: uint({ max: 99 }), ...weaponFields(kit) },
  { capacity: 64, hitbox: circle({ radius: 0.5 }) },
);

interface Placed {
  readonly x: number;
  readonly y: number;
  readonly owner?: number;
  readonly team?: number;
}

/** A match whose step does what a test says; the first one placed shoots. */
function range(
  placed: readonly Placed[],
  boxes: readonly { x: number; y: number; width: number; height: number }[] = [],
) {
  let act: ((world: WorldOf<typeof game>) => void) | undefined;
  const game = defineGame({
    tickRate: 60,
    states: { players: Player },
    input: defineInput({ fire: bool() }),
    statics: { boxes },
    join: () => undefined,
    step: (world) => act?.(world),
  });
  const match = new Match(game);
  const { players } = match.world;
  const rows = placed.map(({ owner, team = 0, x, y }, i) => players.spawn(owner ?? i, { x, y, team }));
  match.tick();
  const shoot = (
    request: HitRequest<(typeof kit)["weapons"][number]["name"]>,
    rules: RegistrationRules<(typeof Player)["fields"]> = {},
  ) => {
    let verdict: ReturnType<HitRegistration<(typeof Player)["fields"]>["judge"]> | undefined;
    act = (world) => {
      // Nothing of a verdict is kept: each test looks at a copy.
      verdict = structuredCloneOf(HitRegistration.of(kit, world.players, rules).judge(rows[0], request, world));
    };
    match.tick();
    assert.ok(verdict !== undefined);
    return verdict;
  };
  return { match, rows, shoot, reset: () => HitRegistration.of(kit, players).reset(rows[0]) };
}

function structuredCloneOf<T extends object>(verdict: T): T {
  return { ...verdict };
}

describe("HitRegistration", () => {
  it("hits the first in the way", () => {
    const { shoot, rows } = range([
      { x: 0, y: 0 },
      { x: 20, y: 0 },
      { x: 10, y: 0.25 },
    ]);
    const verdict = shoot({ weapon: "rifle", angle: 0 });
    assert.equal(verdict.outcome, "hit");
    assert.deepEqual(verdict.reasons, []);
    assert.equal(verdict.hit?.id, rows[2].id);
    assert.equal(verdict.hits.length, 1);
    assert.ok(Math.abs(verdict.distance - (10 - Math.sqrt(0.25 - 0.0625))) < 1e-6, `${verdict.distance}`);
    assert.equal(shoot({ weapon: "rifle", angle: Math.PI }).outcome, "miss");
  });

  it("keeps the rate of fire", () => {
    const { shoot, match } = range([
      { x: 0, y: 0 },
      { x: 20, y: 0 },
    ]);
    const fired: number[] = [];
    for (let i = 0; i < 20; i++) {
      const { outcome, reasons } = shoot({ weapon: "slow", angle: 0 });
      if (outcome === "hit") fired.push(match.currentTick);
      else assert.deepEqual(reasons, ["fireRate"]);
    }
    assert.deepEqual(fired, [2, 8, 14, 20]);
  });

  it("never fires faster, whatever ticks are claimed", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 60 }), (ages) => {
        const { shoot, match } = range([
          { x: 0, y: 0 },
          { x: 20, y: 0 },
        ]);
        const fired: number[] = [];
        for (const age of ages) {
          const tick = Math.max(1, match.currentTick + 1 - age);
          if (shoot({ weapon: "slow", angle: 0, tick }).outcome !== "rejected") fired.push(tick);
        }
        for (let i = 1; i < fired.length; i++) assert.ok(fired[i] - fired[i - 1] >= 6, fired.join(" "));
      }),
      { numRuns: 50, seed: 1 },
    );
  });

  it("counts rounds, of a magazine and of a field of the game's", () => {
    const { shoot, rows, reset } = range([
      { x: 0, y: 0 },
      { x: 20, y: 0 },
    ]);
    assert.deepEqual(shoot({ weapon: "revolver", angle: 0 }).reasons, ["ammunition"]);
    reset();
    assert.equal(rows[0].revolverRounds, 6);
    for (let i = 0; i < 6; i++) assert.equal(shoot({ weapon: "revolver", angle: 0 }).outcome, "hit");
    assert.deepEqual(shoot({ weapon: "revolver", angle: 0 }).reasons, ["ammunition"]);
    rows[0].shells = 5;
    const outcomes = [1, 2, 3].map(() => shoot({ weapon: "cannon", angle: 0 }).outcome);
    assert.deepEqual(outcomes, ["hit", "hit", "rejected"]);
    assert.equal(rows[0].shells, 1);
  });

  it("limits how fast the view turns, around the circle", () => {
    const { shoot } = range([{ x: 0, y: 0 }]);
    const reasons = (angle: number, lastAngle?: number): readonly HitReason[] =>
      shoot({ weapon: "sniper", angle, ...(lastAngle === undefined ? {} : { lastAngle }) }).reasons;
    assert.deepEqual(reasons(1), []);
    assert.deepEqual(reasons(0.2, 2 * Math.PI - 0.2), []);
    assert.deepEqual(reasons(0.3, -0.3), ["angle"]);
    assert.deepEqual(reasons(Number.NaN, 0), ["angle"]);
  });

  it("says all reasons at once", () => {
    const { shoot, rows } = range([{ x: 0, y: 0 }]);
    void rows;
    const verdict = shoot({ weapon: "revolver", angle: 0, tick: -100 });
    assert.deepEqual(verdict.reasons, ["ammunition", "tooLate"]);
    assert.equal(verdict.outcome, "rejected");
  });

  it("starts where the shooter was at the tick of its input", () => {
    const { shoot, rows } = range([
      { x: 0, y: 0 },
      { x: 20, y: 0 },
    ]);
    shoot({ weapon: "rifle", angle: 0 });
    rows[0].y = 10;
    assert.equal(shoot({ weapon: "rifle", angle: 0 }).outcome, "miss");
    const verdict = shoot({ weapon: "rifle", angle: 0, tick: 2 });
    assert.equal(verdict.outcome, "hit");
    assert.equal(verdict.y, 0);
    // Nobody knows any more, or it is longer ago than what is judged.
    for (let i = 0; i < 16; i++) shoot({ weapon: "rifle", angle: 0 });
    assert.deepEqual(shoot({ weapon: "rifle", angle: 0, tick: 2 }).reasons, ["tooLate"]);
    assert.throws(() => shoot({ weapon: "rifle", angle: 0, tick: 1000 }), RangeError);
  });

  it("is stopped by walls, also by one between the shooter and the muzzle", () => {
    const { shoot } = range(
      [
        { x: 0, y: 0 },
        { x: 20, y: 0 },
        { x: 0, y: 20 },
      ],
      [{ x: 1, y: 0, width: 0.5, height: 4 }],
    );
    const verdict = shoot({ weapon: "rifle", angle: 0 });
    assert.equal(verdict.outcome, "miss");
    assert.deepEqual(verdict.reasons, ["blocked"]);
    assert.equal(verdict.distance, 0.75);
    const inWall = shoot({ weapon: "barrel", angle: 0 });
    assert.deepEqual([inWall.outcome, ...inWall.reasons], ["miss", "blocked"]);
    const free = shoot({ weapon: "barrel", angle: Math.PI / 2 });
    assert.equal(free.outcome, "hit");
    assert.ok(Math.abs(free.y - 2) < 1e-9 && Math.abs(free.distance - 17.5) < 1e-6);
  });

  it("goes through friends, is stopped by them, or hits them", () => {
    const { shoot, rows } = range([
      { x: 0, y: 0, team: 1 },
      { x: 10, y: 0, team: 1 },
      { x: 20, y: 0, team: 2 },
    ]);
    const rules: RegistrationRules<(typeof Player)["fields"]> = { teamOf: (row) => row.team };
    assert.equal(shoot({ weapon: "rifle", angle: 0 }, rules).hit?.id, rows[2].id);
    const stopped = shoot({ weapon: "strict", angle: 0 }, rules);
    assert.deepEqual([stopped.outcome, ...stopped.reasons], ["miss", "team"]);
    assert.equal(stopped.hits[0].id, rows[1].id);
    assert.equal(shoot({ weapon: "savage", angle: 0 }, rules).hit?.id, rows[1].id);
  });

  it("treats the shooter's own entities as the weapon says, and never hits the shooter", () => {
    const { shoot, rows } = range([
      { x: 0, y: 0 },
      { x: 10, y: 0, owner: 0 },
      { x: 20, y: 0, owner: 2 },
    ]);
    assert.equal(shoot({ weapon: "rifle", angle: 0 }).hit?.id, rows[2].id);
    assert.deepEqual(shoot({ weapon: "strict", angle: 0 }).reasons, ["self"]);
    assert.equal(shoot({ weapon: "savage", angle: 0 }).hit?.id, rows[1].id);
  });

  it("is not stopped by a shooter that stops the shots of others", () => {
    const tank = defineState({ x: coordinate, y: coordinate }, { blocks: true, capacity: 4 });
    let act: ((world: WorldOf<typeof game>) => void) | undefined;
    const game = defineGame({
      tickRate: 60,
      states: { players: Player, tanks: tank },
      input: defineInput({ fire: bool() }),
      join: () => undefined,
      step: (world) => act?.(world),
    });
    const match = new Match(game);
    const { players, tanks } = match.world;
    const shooter = tanks.spawn(0, { x: 0, y: 0 });
    const target = players.spawn(1, { x: 10, y: 0 });
    match.tick();
    const guns = defineWeapons({ tickRate: 60, weapons: { gun: { kind: "ray", range: 40 } } });
    const hit = (): number | undefined => {
      let id: number | undefined;
      act = (world) =>
        (id = HitRegistration.of(guns, world.players, {}, world.tanks).judge(
          shooter,
          { weapon: "gun", angle: 0 },
          world,
        ).hit?.id);
      match.tick();
      return id;
    };
    assert.equal(hit(), target.id);
    tanks.spawn(2, { x: 5, y: 0 });
    match.tick();
    assert.equal(hit(), undefined, "another one does");
  });

  it("asks the victim's rule, once for each entity", () => {
    const { shoot, rows } = range([
      { x: 0, y: 0 },
      { x: 3, y: 0 },
    ]);
    const asked: number[] = [];
    const rules: RegistrationRules<(typeof Player)["fields"]> = {
      victims: {
        protects: (place, hit, shooter, rewindMs) => {
          assert.equal(hit.id, rows[1].id);
          assert.equal(shooter, rows[0]);
          assert.equal(rewindMs, 0);
          asked.push(place);
          return "dash";
        },
      },
    };
    const verdict = shoot({ weapon: "shotgun", angle: 0 }, rules);
    assert.deepEqual([verdict.outcome, ...verdict.reasons], ["miss", "protected"]);
    assert.deepEqual(asked, [rows[1].index]);
    assert.ok(verdict.hits.length > 1 && verdict.hits.every(({ protection }) => protection === "dash"));
  });

  it("says that who was seen has gone", () => {
    const { shoot, rows, match } = range([
      { x: 0, y: 0 },
      { x: 10, y: 0 },
    ]);
    match.world.players.despawn(rows[1]);
    // What has just gone is still in the last recorded tick, which a player without a picture sees.
    const verdict = shoot({ weapon: "rifle", angle: 0, claim: rows[1].id });
    assert.deepEqual([verdict.outcome, ...verdict.reasons], ["miss", "gone"]);
    assert.ok(verdict.hits[0].isGone);
  });

  it("compares what the client claims, and says why it is not so", () => {
    const { shoot, rows } = range(
      [
        { x: 0, y: 0 },
        { x: 10, y: 0 },
        { x: 60, y: 0 },
        { x: 0, y: 10 },
        { x: 0, y: -10, owner: 0 },
      ],
      [{ x: 0, y: 5, width: 3, height: 1 }],
    );
    const claim = (weapon: "rifle", angle: number, id: number) => {
      const verdict = shoot({ weapon, angle, claim: id });
      return [verdict.claim, verdict.outcome, ...verdict.reasons];
    };
    assert.deepEqual(claim("rifle", 0, rows[1].id), ["agrees", "hit"]);
    // Behind the first one, out of range.
    assert.deepEqual(claim("rifle", 0, rows[2].id), ["differs", "hit", "range"]);
    assert.deepEqual(claim("rifle", Math.PI / 2, rows[3].id), ["differs", "miss", "blocked"]);
    assert.deepEqual(claim("rifle", -Math.PI / 2, rows[4].id), ["differs", "miss", "self"]);
    assert.deepEqual(claim("rifle", Math.PI, rows[0].id), ["differs", "miss", "self"]);
    assert.deepEqual(claim("rifle", Math.PI, rows[1].id), ["differs", "miss"]);
    assert.deepEqual(claim("rifle", Math.PI, 0x7f0003), ["differs", "miss", "gone"]);
  });

  it("judges no more of a player than its budget, and others all the same", () => {
    const { match, rows } = range([
      { x: 0, y: 0 },
      { x: 10, y: 0 },
    ]);
    const registration = new HitRegistration(kit, match.world.players);
    const judge = (shooter: number): string => {
      const { outcome, reasons } = registration.judge(rows[shooter], { weapon: "rifle", angle: 0 }, match.world);
      return reasons[0] ?? outcome;
    };
    const first = Array.from({ length: 8 }, () => judge(0));
    assert.deepEqual(first, [...Array.from({ length: 5 }, () => "hit"), "budget", "budget", "budget"]);
    assert.equal(judge(1), "miss");
    match.tick();
    assert.deepEqual([judge(0), judge(0)], ["hit", "budget"]);
    // What is not allowed anyway costs nothing of it.
    for (let i = 0; i < 9; i++) match.tick();
    for (let i = 0; i < 100; i++)
      assert.equal(registration.judge(rows[0], { weapon: "revolver", angle: 0 }, match.world).reasons[0], "ammunition");
    assert.equal(judge(0), "hit");
  });

  it("draws pellets from the shooter's own numbers, or from a seed, within the cone", () => {
    const { shoot } = range([
      { x: 0, y: 0 },
      { x: 5, y: 0 },
    ]);
    const one = shoot({ weapon: "shotgun", angle: 0 });
    assert.ok(one.hits.length > 0);
    for (const hit of one.hits) assert.ok(Math.abs(Math.atan2(hit.y, hit.x)) <= 0.2 + 1e-9);
    const places = (seed: number): number[] => shoot({ weapon: "shotgun", angle: 0, seed }).hits.map(({ y }) => y);
    assert.deepEqual(places(7), places(7));
    assert.notDeepEqual(places(7), places(8));
    assert.equal(
      shoot({ weapon: "comb", angle: 0 })
        .hits.map(({ pellet }) => pellet)
        .join(),
      "2",
    );
  });

  it("sweeps a ball past what a ray misses, and strikes whom a blow touches and no wall hides", () => {
    const swept = range([
      { x: 0, y: 0 },
      { x: 10, y: 1.2 },
    ]);
    assert.equal(swept.shoot({ weapon: "rifle", angle: 0 }).outcome, "miss");
    assert.equal(swept.shoot({ weapon: "ball", angle: 0 }).hit?.id, swept.rows[1].id);
    const struck = range(
      [
        { x: 0, y: 0 },
        { x: 1.5, y: 0.6 },
        { x: 1, y: -0.9 },
        { x: 9, y: 0 },
      ],
      [{ x: 0.6, y: -0.6, width: 0.4, height: 0.4 }],
    );
    const verdict = struck.shoot({ weapon: "axe", angle: 0 });
    assert.equal(verdict.hit?.id, struck.rows[1].id);
    const reasons = new Map(verdict.hits.map(({ id, reason }) => [id, reason]));
    assert.equal(reasons.size, 2);
    assert.equal(reasons.get(struck.rows[2].id), "blocked");
  });

  it("agrees with plain geometry in random scenes", () => {
    const place = fc.record({
      x: fc.integer({ min: -40, max: 40 }),
      y: fc.integer({ min: -40, max: 40 }),
      team: fc.integer({ min: 0, max: 1 }),
    });
    fc.assert(
      fc.property(
        fc.array(place, { minLength: 2, maxLength: 30 }),
        fc.double({ min: 0, max: 6.28, noNaN: true }),
        fc.constantFrom("rifle", "strict", "savage"),
        (placed, angle, weapon) => {
          const { shoot, rows } = range(placed);
          const verdict = shoot({ weapon, angle }, { teamOf: (row) => row.team });
          let nearest = 40;
          let expected = -1;
          for (let i = 1; i < rows.length; i++) {
            if (weapon === "rifle" && placed[i].team === placed[0].team) continue;
            const toX = placed[i].x - placed[0].x;
            const toY = placed[i].y - placed[0].y;
            const along = toX * Math.cos(angle) + toY * Math.sin(angle);
            const off = toX * toX + toY * toY - along * along;
            const distance = toX === 0 && toY === 0 ? 0 : along - Math.sqrt(0.25 - off);
            if (!(off <= 0.25 && along >= 0 && distance < nearest)) continue;
            // On the edge of a hitbox the rounding of angles decides, and of two in one place either is right.
            if (Math.abs(off - 0.25) < 1e-6) return;
            nearest = distance;
            expected = i;
          }
          if (expected < 0) return assert.equal(verdict.hits.length, 0);
          assert.ok(Math.abs(verdict.hits[0].distance - nearest) < 1e-5, `${verdict.hits[0].distance} for ${nearest}`);
          const isFriend = verdict.hits[0].entity.team === placed[0].team;
          assert.equal(verdict.outcome, weapon === "strict" && isFriend ? "miss" : "hit");
        },
      ),
      { numRuns: 300, seed: 2 },
    );
  });

  it("tells the match, and nobody when there is none", () => {
    const { shoot, match, rows } = range([
      { x: 0, y: 0 },
      { x: 3, y: 0 },
    ]);
    shoot({ weapon: "shotgun", angle: 0, seed: 1 });
    shoot({ weapon: "revolver", angle: 0 });
    shoot({ weapon: "rifle", angle: 0, tick: match.currentTick, claim: 99 });
    const { verdicts, hits, rejected, lateVerdicts, rays, examined, reasons, claimsDiffered } =
      match.lagCompensation.report();
    assert.deepEqual([verdicts, hits, rejected, lateVerdicts, claimsDiffered], [3, 2, 1, 1, 1]);
    assert.deepEqual([rays, examined, reasons.ammunition, reasons.gone], [13, 2, 1, 1]);
    assert.equal(match.lagCompensation.playerReport(rows[0].owner).verdicts, 3);
    assert.equal(match.lagCompensation.playerReport(rows[1].owner).verdicts, 0);
  });

  it("makes its objects once", () => {
    const { match, rows } = range([
      { x: 0, y: 0 },
      { x: 2, y: 0 },
    ]);
    const registration = new HitRegistration(kit, match.world.players);
    for (const weapon of ["rifle", "shotgun", "ball", "axe"] as const) {
      const parts = () => {
        match.tick();
        const verdict = registration.judge(rows[0], { weapon, angle: 0, seed: 1 }, match.world);
        assert.ok(verdict.hits.length > 0);
        return [verdict, verdict.reasons, verdict.hits, ...verdict.hits, verdict.hit];
      };
      const first = parts();
      parts().forEach((part, i) => assert.equal(part, first[i]));
    }
  });

  it("refuses fields that are not there, layers and weapons that nobody has", () => {
    const bare = defineState({ x: coordinate, y: coordinate });
    const match = new Match(
      defineGame({
        tickRate: 60,
        states: { things: bare },
        input: defineInput({ fire: bool() }),
        join: () => undefined,
        step: () => undefined,
      }),
    );
    assert.throws(() => new HitRegistration(kit, match.world.things), TypeError);
    const { shoot } = range([{ x: 0, y: 0 }]);
    // @ts-expect-error no such weapon
    assert.throws(() => shoot({ weapon: "spoon", angle: 0 }), RangeError);
    for (const weapon of [{ range: 0 }, { range: 10, intervalTicks: 1.5 }, { range: 10, maxTurn: -1 }])
      assert.throws(() => defineWeapons({ tickRate: 60, weapons: { gun: { kind: "ray", ...weapon } } }), RangeError);
    assert.throws(() => defineWeapons({ tickRate: 60, weapons: {} }), RangeError);
    const pellets = { kind: "pellets", range: 10, pellets: 65, spread: 0.1 } as const;
    assert.throws(() => defineWeapons({ tickRate: 60, weapons: { gun: pellets } }), RangeError);
  });

  it("shoots in space, at layers", () => {
    const hitboxes = defineHitboxes({
      head: { shape: "sphere", radius: 0.2, at: [0, 0, 1.7], layer: "head", multiplier: 4 },
      body: { shape: "capsule", radius: 0.3, from: [0, 0, 0.4], to: [0, 0, 1.3] },
    });
    const state = defineState({ x: coordinate, y: coordinate, z: coordinate }, { hitboxes });
    const guns = defineWeapons({
      tickRate: 60,
      weapons: {
        pistol: { kind: "ray", range: 40, muzzle: [0, 0, 1.7] },
        header: { kind: "ray", range: 40, muzzle: [0, 0, 1.7], layers: ["head"] },
        spray: { kind: "pellets", range: 40, pellets: 40, spread: 0.3, muzzle: [0, 0, 1.7] },
      },
    });
    let verdicts: unknown[] = [];
    const game = defineGame({
      tickRate: 60,
      states: { players: state },
      input: defineInput({ fire: bool() }),
      statics: { boxes: [{ x: 5, y: 0, width: 1, height: 4, top: 1 }] },
      join: () => undefined,
      step: (world) => {
        const me = world.players.rowAt(0);
        const judge = (weapon: "pistol" | "header" | "spray", pitch: number) => {
          const verdict = HitRegistration.of(guns, world.players).judge(me, { weapon, angle: 0, pitch }, world);
          return [verdict.outcome, ...verdict.reasons, verdict.hit?.hitbox, verdict.hit?.multiplier];
        };
        const down = -Math.atan2(0.8, 10);
        verdicts = [judge("pistol", 0), judge("pistol", down), judge("header", down), judge("pistol", -0.2)];
        const spray = HitRegistration.of(guns, world.players).judge(me, { weapon: "spray", angle: 0 }, world);
        for (const { x, y, z } of spray.hits) assert.ok(Math.atan2(Math.hypot(y, z - 1.7), x) <= 0.3 + 1e-9);
      },
    });
    const match = new Match(game);
    match.world.players.spawn(0);
    match.world.players.spawn(1, { x: 10 });
    match.tick();
    match.tick();
    assert.deepEqual(verdicts, [
      ["hit", "head", 4],
      ["hit", "body", 1],
      // The floor is below.
      ["miss", "blocked", undefined, undefined],
      ["miss", "blocked", undefined, undefined],
    ]);
  });
});
