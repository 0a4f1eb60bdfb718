/** Who is sent to whom when room is short and the game says who matters (docs/snapshots.md, "Who matters most"). */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  bool,
  defineGame,
  defineInput,
  defineState,
  float,
  GameClient,
  Match,
  outgoingMessage,
  uint,
} from "@riposte/simulation";
import type { EntityPriorities, InterestOptions } from "@riposte/simulation";

/** Units, of each of three teams. */
const COUNT = 6;
const SETTLING = 60;
const SNAPSHOTS = 900;
const SHORT = 60;
const PLENTY = 1000;

const coordinate = float({ min: -500, max: 500, step: 1 / 8 });
const Unit = defineState({ x: coordinate, y: coordinate, team: uint({ max: 3 }), noise: uint({ bits: 32 }) });
const Clock = defineState({ noise: uint({ bits: 32 }) });
type Priorities = EntityPriorities<{ units: typeof Unit; clocks: typeof Clock }>;

function noise(tick: number, index: number): number {
  return Math.imul(tick * 64 + index + 1, 0x9e3779b1) >>> 0;
}

/** A player at the origin, and units and a clock that change in every tick. */
function unitGame(priority: Priorities, encoder: "dense" | "shared" = "shared", interest: InterestOptions = {}) {
  return defineGame({
    tickRate: 60,
    snapshotRate: 60,
    states: { units: Unit, clocks: Clock },
    input: defineInput({ fire: bool() }),
    snapshots: { encoder },
    interest: { ...interest, priority },
    join(world, client) {
      world.units.spawn(client.id, { team: 3 });
    },
    step(world) {
      for (const table of [world.units, world.clocks])
        for (const row of table) row.noise = noise(world.tick, row.index);
    },
  });
}

interface Served {
  /** By team: how often its units came, and the longest that one of them had to wait, in snapshots. */
  readonly times: readonly number[];
  readonly waits: readonly number[];
}

function serve(game: ReturnType<typeof unitGame>, budgetBytes: number, eachTick = (_tick: number): void => {}): Served {
  const match = new Match(game, { snapshotBudgetBytes: budgetBytes });
  const client = new GameClient(game, { interpolationMode: "none" });
  const seat = match.join(1n);
  // Claims that are the same would always be picked in the same order.
  for (let n = 0; n < COUNT * 3; n++) match.world.units.spawn(-1, { x: 40 + n / 8, team: n % 3 });
  match.world.clocks.spawn(-1);
  const out = outgoingMessage();
  const buffer = new Uint8Array(1500);
  const times = [0, 0, 0];
  const waits = [0, 0, 0];
  const lastAt = new Map<number, number>();
  for (let tick = 1; tick <= SNAPSHOTS; tick++) {
    const now = tick * game.tickMs;
    match.tick();
    while (match.pollMessage(seat, out)) client.receive(out.buffer, out.offset, out.length, now);
    const length = match.writeSnapshot(seat, buffer);
    assert.ok(length > 0);
    client.receive(buffer, 0, length, now);
    client.advance(now, { fire: false });
    while (client.pollMessage(out)) match.receive(seat, out.buffer, out.offset, out.length);
    eachTick(tick);
    // The first ones are whole records: everybody has to become known.
    if (tick <= SETTLING) continue;
    for (const unit of client.view.units) {
      if (unit.owner === seat || unit.noise !== noise(tick, unit.index)) continue;
      times[unit.team]++;
      waits[unit.team] = Math.max(waits[unit.team], tick - (lastAt.get(unit.id) ?? SETTLING));
      lastAt.set(unit.id, tick);
    }
  }
  return { times, waits };
}

for (const encoder of ["dense", "shared"] as const) {
  describe(`${encoder} snapshots that are too small for everything`, () => {
    it("bring what the game calls more important more often, in that proportion, and leave nobody out for ever", () => {
      const factors = [0.5, 1, 4];
      const { times, waits } = serve(
        unitGame({ units: (_world, { entity }) => factors[entity.team] ?? assert.fail() }, encoder),
        SHORT,
      );
      const plain = times[1];
      assert.ok(times[0] / plain > 0.4 && times[0] / plain < 0.6, `half: ${times.join(", ")}`);
      assert.ok(times[2] / plain > 3.3 && times[2] / plain < 4.7, `four times: ${times.join(", ")}`);
      for (const [team, wait] of waits.entries()) {
        const mean = ((SNAPSHOTS - SETTLING) * COUNT) / times[team];
        assert.ok(wait <= mean * 2 + 8, `team ${team} waited for ${wait} snapshots, ${mean} on average`);
      }
    });

    it("bring everybody as often where the game says nothing, or the same of all", () => {
      for (const priority of [{}, { units: () => 7, clocks: () => 7 }]) {
        const { times } = serve(unitGame(priority, encoder), SHORT);
        for (const n of times) assert.ok(Math.abs(n / times[0] - 1) < 0.1, times.join(", "));
      }
    });

    it("bring what has 0 only when there is room left", () => {
      const { times } = serve(unitGame({ units: (_world, { entity }) => Number(entity.team !== 0) }, encoder), SHORT);
      assert.ok(times[0] < times[1] / 20, times.join(", "));
      const roomy = serve(unitGame({ units: () => 0 }, encoder), PLENTY);
      assert.deepEqual(
        roomy.times,
        [1, 1, 1].map(() => (SNAPSHOTS - SETTLING) * COUNT),
      );
    });
  });
}

describe("interest.priority", () => {
  it("is asked once for a viewer, entity and snapshot, not about its own, and only when room is short", () => {
    const asked = new Map<string, number>();
    let own = 0;
    const count = (_world: unknown, sight: Parameters<NonNullable<Priorities["units"]>>[1]): number => {
      const key = `${sight.state} ${sight.entity.id}`;
      asked.set(key, (asked.get(key) ?? 0) + 1);
      if (sight.entity.owner >= 0) own++;
      return 1;
    };
    const game = unitGame({ units: count });
    let most = 0;
    let asks = 0;
    const eachTick = (): void => {
      most = Math.max(most, ...asked.values());
      asks += asked.size;
      asked.clear();
    };
    serve(game, SHORT, eachTick);
    assert.equal(most, 1);
    assert.equal(own, 0);
    assert.ok(asks > SNAPSHOTS * COUNT, `${asks} questions`);
    asks = 0;
    serve(game, PLENTY, eachTick);
    assert.equal(asks, 0);
  });

  it("is told where the viewer looks from and where the entity is; what has no place is at the eye", () => {
    const told = new Set<string>();
    const { times } = serve(
      unitGame({
        units(world, { fromX, toX, toY, state, eye, entity }) {
          const known = world.units.get(entity.id) === entity && toX === entity.x;
          told.add(`${state}: from ${fromX}, y ${toY}, eye of ${eye?.owner}, ${known}`);
          return 1;
        },
        clocks(_world, { fromX, toX, toY, state }) {
          told.add(`${state}: ${fromX} to ${toX}, ${toY}`);
          return 1;
        },
      }),
      SHORT,
    );
    assert.ok(times[0] > 0);
    assert.deepEqual([...told].toSorted(), ["clocks: 0 to 0, 0", "units: from 0, y 0, eye of 0, true"]);
  });

  it("throws for a factor that is none, and the next snapshot is whole again", () => {
    for (const bad of [Number.NaN, -1, Infinity]) {
      let factor = 1;
      const game = unitGame({ units: () => factor });
      const match = new Match(game, { snapshotBudgetBytes: SHORT });
      const seat = match.join(1n);
      for (let n = 0; n < COUNT * 3; n++) match.world.units.spawn(-1, { x: 40, team: n % 3 });
      const buffer = new Uint8Array(1500);
      match.tick();
      factor = bad;
      assert.throws(() => match.writeSnapshot(seat, buffer), {
        name: "RangeError",
        message: `interest.priority.units must give a finite number from 0, got ${bad}`,
      });
      factor = 1;
      assert.ok(match.writeSnapshot(seat, buffer) > 0);
    }
  });

  it("is refused for what is no state", () => {
    const nobodies: Record<string, () => number> = { nobodies: () => 1 };
    assert.throws(() => unitGame(nobodies), /there is no state "nobodies"/);
  });

  it("knows a state's fields", () => {
    unitGame({
      // @ts-expect-error: clocks have no team
      clocks: (_world, { entity }) => entity.team,
    });
  });
});
