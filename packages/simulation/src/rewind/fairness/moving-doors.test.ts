import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defineGame, Match } from "../../game/index.ts";
import { angle, bool, defineInput, defineState, float, uint } from "../../state/index.ts";
import { defineHitboxes } from "../hitboxes/hitbox-set.ts";
import { FairVictims } from "./fair-victims.ts";
import type { FavorChange } from "./favor-settings.ts";

const coordinate = float({ min: -500, max: 500, step: 1 / 512 });
const place = { x: coordinate, y: coordinate };
/** The hinge is at the door's place. */
const leaf = defineHitboxes({ leaf: { shape: "box", half: [0.1, 1.2], at: [0, 1.5] } });
const closed = 0;
const open = Math.PI / 2;

const states = {
  people: defineState(place, { capacity: 8 }),
  doors: defineState(
    { ...place, swing: angle({ bits: 12 }), broken: uint({ max: 1 }) },
    { capacity: 64, hitboxes: leaf, turn: "swing", disabled: "broken", blocks: true },
  ),
  tanks: defineState(place, { capacity: 8, blocks: true }),
};

/** A shooter at the origin and a victim 10 m from it, with a closed door half way. */
function scene(change: FavorChange = { behindCoverMs: 100 }, rewindHistory: { maxBytes?: number } = {}) {
  let act: (() => void) | undefined;
  const game = defineGame({
    // A tick is 10 ms.
    tickRate: 100,
    states,
    input: defineInput({ fire: bool() }),
    statics: { boxes: [{ x: 5, y: 20, width: 1, height: 10 }] },
    join: () => undefined,
    step: () => act?.(),
  });
  const match = new Match(game, { favorTheShooter: change, rewindHistory });
  const { people, doors } = match.world;
  const shooter = people.spawn(0, { x: 0, y: 0 });
  const victim = people.spawn(1, { x: 10, y: 0 });
  const door = doors.spawn(-1, { x: 5, y: -1, swing: open });
  /** Ticks in which nothing but this happens. */
  const play = (ticks: number, step: () => void = () => undefined): void => {
    act = step;
    for (let i = 0; i < ticks; i++) match.tick();
  };
  /** In the next tick, after `before`. */
  const protection = (before: () => void = () => undefined, rewindMs = 400): string | undefined => {
    let said: string | undefined;
    play(1, () => {
      before();
      said = FairVictims.of(people).protects(victim.index, undefined, shooter, rewindMs);
    });
    return said;
  };
  return { match, shooter, victim, door, play, protection };
}

describe("a door", () => {
  it("is no cover while it is open", () => {
    const { play, protection } = scene();
    play(40);
    assert.equal(protection(), undefined);
  });

  it("is cover as soon as it has been closed for longer than is set", () => {
    const { door, play, protection } = scene();
    play(40);
    // Closed in this tick, and in nine before it.
    play(1, () => void (door.swing = closed));
    play(8);
    assert.equal(protection(), undefined, "100 ms");
    assert.equal(protection(), "behindCover", "110 ms");
    assert.equal(protection(undefined, 100), undefined, "it is only asked for as long as the shooter's picture is old");
  });

  it("is looked at as it was then, and as it is in the tick at hand", () => {
    const { door, play, protection } = scene();
    door.swing = closed;
    play(40);
    assert.equal(
      protection(() => void (door.swing = open)),
      undefined,
      "it has just been opened",
    );
    assert.equal(
      protection(() => void (door.swing = closed)),
      undefined,
      "it was open in the tick before",
    );
    play(20);
    assert.equal(protection(), "behindCover");
    assert.equal(
      protection(() => void (door.x = 100)),
      undefined,
      "it has just been moved away",
    );
  });

  it("is none once it is broken or gone, and somebody else's door in its place is another", () => {
    const { match, door, play, protection } = scene();
    const { doors } = match.world;
    door.swing = closed;
    play(40);
    assert.equal(
      protection(() => void (door.broken = 1)),
      undefined,
    );
    door.broken = 0;
    play(40);
    assert.equal(protection(), "behindCover");
    let next = door;
    const replace = (x: number) => (): void => {
      doors.despawn(next);
      next = doors.spawn(-1, { x, y: -1 });
      assert.equal(next.index, door.index);
    };
    assert.equal(protection(replace(100)), undefined, "the new one is far away");
    play(40);
    assert.equal(protection(replace(5)), undefined, "the new one is there for this tick only");
    play(8);
    assert.equal(protection(), undefined, "100 ms");
    assert.equal(protection(), "behindCover", "110 ms");
  });

  it("hides on with a wall, and is asked for the victim's own places", () => {
    const { door, victim, play, protection } = scene({ behindCoverMs: 150 });
    door.swing = closed;
    victim.y = 40;
    play(10);
    // Behind the door, which is then in its way, for 80 ms; then behind the wall.
    play(8, () => void (victim.y = 0));
    play(7, () => void (victim.y = 40));
    assert.equal(protection(), "behindCover", "160 ms");
    const other = scene({ behindCoverMs: 150 });
    other.victim.y = 40;
    other.play(10);
    other.play(8, () => void (other.victim.y = 0));
    other.play(7, () => void (other.victim.y = 40));
    assert.equal(other.protection(), undefined, "in between it was seen through the open door");
  });

  it("is cover no longer than it is remembered", () => {
    const { match, door, play, protection } = scene({ behindCoverMs: 150 }, { maxBytes: 30_000 });
    const kept = Object.fromEntries(match.rewindHistory().map(({ state, maxSnapshots }) => [state, maxSnapshots]));
    assert.ok(kept.people > 50 && kept.doors < 15, JSON.stringify(kept));
    door.swing = closed;
    play(40);
    assert.equal(protection(), undefined);
  });

  it("takes of a victim's budget, too", () => {
    const { door, play, protection } = scene({ coverBudgetMs: 120 });
    door.swing = closed;
    play(1);
    play(1, () => void (door.swing = open));
    play(1, () => void (door.swing = closed));
    assert.equal(protection(), undefined, "20 ms");
    play(9);
    assert.equal(protection(), "coverBudget", "120 ms more");
  });
});

describe("what blocks", () => {
  it("hides others of its own state, but not itself, and not from its own eyes", () => {
    const { match, shooter, play } = scene();
    const { people, tanks } = match.world;
    const [near, far] = [7, 12].map((x) => tanks.spawn(2, { x, y: 0 }));
    const said: unknown[] = [];
    play(40);
    play(1, () => {
      for (const { index } of [near, far])
        said.push(FairVictims.of(tanks, undefined, people).protects(index, undefined, shooter, 400));
    });
    assert.deepEqual(said, [undefined, "behindCover"]);
    said.length = 0;
    play(1, () => {
      const seen = FairVictims.of(people, undefined, tanks);
      said.push(seen.protects(0, undefined, near, 400), seen.protects(0, undefined, far, 400));
    });
    assert.deepEqual(said, [undefined, "behindCover"]);
  });

  it("leaves what the shooter sees as it was", () => {
    const { match, shooter, victim, door, play } = scene();
    const { people, doors } = match.world;
    door.swing = closed;
    play(40);
    play(1, () => {
      door.swing = open;
      const sight = people.seenBy(shooter);
      // As all were after the last tick.
      const look = () => [sight.raycast(0, 0, 0, 40)?.id, doors.seenBy(shooter).raycast(0, 0, 0, 40)?.distance];
      const before = look();
      assert.deepEqual(before, [undefined, 4.9]);
      FairVictims.of(people).protects(victim.index, undefined, shooter, 400);
      assert.deepEqual(look(), before);
    });
  });
});
