import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { StaticGeometry } from "../../game/statics/static-geometry.ts";
import { WorldTable } from "../../game/world-table.ts";
import { TickRandom } from "../../game/random.ts";
import type { InterpolationMode, ViewStamp } from "../../prediction/index.ts";
import { angle, bool, defineState, float, quaternion, uint } from "../../state/index.ts";
import type { StateDefinition } from "../../state/index.ts";
import type { Fields, RowIdentity } from "../../state/index.ts";
import { createSights } from "../create-sights.ts";
import type { LateNews } from "../late-news.ts";
import { HistoryRecorder } from "../history-recorder.ts";
import { defineHitboxes } from "../hitboxes/hitbox-set.ts";
import type { HitboxSet } from "../hitboxes/hitbox-set.ts";
import { HitRegistration } from "../registration/hit-registration.ts";
import type { RegistrationRules } from "../registration/hit-registration.ts";
import { HIT_REASONS } from "../registration/hit-validation.ts";
import { LagCompensationStats } from "../registration/lag-compensation-stats.ts";
import { weaponFields } from "../registration/weapon-fields.ts";
import { defineWeapons } from "../registration/weapon-kit.ts";
import { RewoundSight } from "../rewound-sight.ts";
import type { DrawnPicture, ViewResolver } from "../view-resolver.ts";
import { ReceiptDesk } from "./receipt-desk.ts";
import type { ReceiptOptions } from "./receipt-desk.ts";
import { ReceiptError } from "./receipt-limits.ts";
import { replayReceipt } from "./replay-receipt.ts";
import { readReceipt } from "./shot-receipt.ts";

const kit = defineWeapons({
  tickRate: 60,
  weapons: {
    rifle: { kind: "ray", range: 9, muzzle: [0.7, 0.1, 1.4], team: "stop", intervalTicks: 2, maxTurn: 3 },
    burst: { kind: "pellets", range: 30, pellets: 9, spread: 0.3, muzzle: [0, 0, 1.2], self: "hit" },
    comb: { kind: "pellets", range: 30, pellets: 4, spread: 0.2, pattern: "even", muzzle: [0, 0, 1], layers: ["head"] },
    ball: { kind: "sweep", range: 40, radius: 0.6, muzzle: [0, 0, 1.2], team: "hit" },
    dry: { kind: "ray", range: 60, magazine: 2 },
    axe: { kind: "melee", range: 4, radius: 1.5, muzzle: [0.2, 0, 1.1], self: "stop" },
  },
  validationBurst: 3,
  cutViews: "reject",
});
type WeaponName = (typeof kit)["weapons"][number]["name"];

const coordinate = float({ min: -100, max: 100, step: 1 / 512, teleport: 9 });
const curved = float({ min: -100, max: 100, step: 1 / 512, velocity: "vx" });
const guessed = float({ min: -100, max: 100, step: 1 / 512, velocity: "vy" });
const stepped = float({ min: -100, max: 100, step: 1 / 512, blend: "step" });
const speeds = {
  vx: float({ min: -90, max: 90, step: 1 / 64 }),
  vy: float({ min: -90, max: 90, step: 1 / 64, audience: "owner" }),
};
const common = { y: coordinate, team: uint({ max: 2 }), dead: bool(), frozen: uint({ max: 15 }), ...weaponFields(kit) };

const body = {
  head: { shape: "sphere", radius: 0.3, at: [0.1, 0, 1.7], layer: "head", multiplier: 4 },
  body: { shape: "capsule", radius: 0.4, from: [0, 0, 0.4], to: [0, 0, 1.3] },
  pack: { shape: "box", half: [0.2, 0.3, 0.3], at: [-0.5, 0, 1.1], turn: [0, 0, 0.3, 0.954] },
  hat: { shape: "hull", points: [[0, 0, 2.4], [0.3, 0.3, 1.9], [-0.3, 0.3, 1.9], [0, -0.4, 1.9], [0, 0, 1.8]] }, // prettier-ignore
} as const;
const flatBody = {
  body: { shape: "sphere", radius: 0.6 },
  head: { shape: "box", half: [0.3, 0.2], layer: "head" },
} as const;
const frame = (z: number) =>
  Array.from({ length: 4 }, () => ({ offset: [0, 0, z], turn: [0, 0, z, Math.sqrt(1 - z * z)] }) as const);

/** Kinds of worlds: in the plane and in space, turned or tumbling, animated, with parts that cannot be hit, on curves. */
const worlds: readonly (() => StateDefinition)[] = [
  () => defineState({ x: coordinate, ...common }, { capacity: 24, hitboxes: defineHitboxes(flatBody) }),
  () =>
    defineState(
      { ...common, x: curved, y: guessed, z: stepped, aim: angle({ bits: 12 }), ...speeds },
      { capacity: 24, hitboxes: defineHitboxes(body), turn: "aim", disabled: "frozen" },
    ),
  () =>
    defineState(
      { x: coordinate, z: coordinate, turn: quaternion(), frame: uint({ max: 3 }), ...common },
      { capacity: 24, hitboxes: animated(), turn: "turn", frame: "frame" },
    ),
];

function animated(): HitboxSet {
  return defineHitboxes(body, { pose: "palette", palette: [0, 0.1, 0.2, 0.3].map(frame) });
}

const Door = defineState(
  { x: coordinate, y: coordinate, z: coordinate },
  { capacity: 4, blocks: true, hitboxes: defineHitboxes({ leaf: { shape: "box", half: [0.2, 3, 3] } }) },
);
const modes: readonly InterpolationMode[] = ["linear", "hermite", "step", "extrapolation"];

function set(row: RowIdentity, name: string, value: unknown): void {
  Reflect.set(row, name, value);
}

/** A world of a seed after some history; every shot in it leaves a receipt. */
function createWorld(seed: number, kind: number, options: Partial<ReceiptOptions> = {}) {
  const random = new TickRandom();
  random.reseed(seed, 0);
  const state = worlds[kind]();
  const tables = [new WorldTable<Fields>(state, true), new WorldTable<Fields>(Door, true)];
  const [players, doors] = tables;
  const place = (row: RowIdentity, spread: number): void => {
    set(row, "x", random.between(-spread, spread));
    set(row, "y", random.between(-spread, spread));
    if (kind > 0) set(row, "z", random.next() < 0.7 ? 0 : random.between(0, 2));
  };
  const rows = Array.from({ length: 16 }, (_, i) => players.spawn(i % 6));
  for (const row of rows) {
    place(row, 12);
    set(row, "team", random.integer(3));
    set(row, "dead", random.next() < 0.15);
  }
  for (let i = 0; i < 2; i++) place(doors.spawn(), 10);
  const boxes = Array.from({ length: 3 }, () => ({
    x: random.between(-10, 10),
    y: random.between(-10, 10),
    width: random.between(0.2, 3),
    height: random.between(0.2, 3),
    top: random.between(0.5, 4),
  }));
  const circles = [{ x: random.between(-9, 9), y: random.between(-9, 9), radius: random.between(0.3, 1.5) }];
  const statics = new StaticGeometry({ boxes, circles, floor: kind > 0 ? -0.5 : 0 });
  const recorders = tables.map(
    (table) => new HistoryRecorder(table.state, table, { tickMs: 1000 / 60, windowMs: 400 }),
  );
  let tick = 0;
  const move = (): void => {
    tick++;
    for (const row of players) {
      const jump = random.next() < 0.03;
      set(row, "x", Number(Reflect.get(row, "x")) + random.between(-0.3, 0.3) + (jump ? 10 : 0));
      set(row, "y", Number(Reflect.get(row, "y")) + random.between(-0.3, 0.3));
      if (kind === 1) {
        set(row, "aim", random.between(0, 6));
        set(row, "vx", random.between(-20, 20));
        if (random.next() < 0.2) set(row, "frozen", random.integer(16));
      }
      if (kind === 2) {
        set(row, "frame", random.integer(4));
        const angleNow = random.between(0, 3);
        Object.assign(Reflect.get(row, "turn") as object, { x: 0, y: Math.sin(angleNow), z: 0, w: Math.cos(angleNow) });
      }
    }
    for (const table of tables) table.settle();
    recorders.forEach((recorder) => recorder.record(tick));
  };
  for (let i = 0; i < 30; i++) move();
  // One goes, and another takes its place.
  players.despawn(rows[5]);
  move();
  players.despawn(rows[6]);
  place(players.spawn(9), 10);
  move();

  const receipts: Uint8Array[] = [];
  const sink = { write: (bytes: Uint8Array): boolean => receipts.push(bytes.slice()) > 0 };
  const desk = {
    stats: new LagCompensationStats(),
    receipts: new ReceiptDesk({ sink, keep: () => true, ...options }, statics),
  };
  const stamp: ViewStamp = { viewTick: -1, snapshotTick: -1, receiptMask: 0, mode: "linear" };
  let moment = 0;
  let isCut = false;
  /** Draws each entity from other ticks, mixed, carried on or along a curve. */
  const resolver = {
    known: true,
    isCurved: true,
    carriesOn: () => true,
    resolve(_table: number, id: number, out: DrawnPicture): boolean {
      const { viewTick, mode } = stamp;
      const lag = (id * 7 + moment) % 4;
      out.toTick = Math.min(tick, Math.ceil(viewTick) + lag);
      out.fromTick = out.toTick - 1 - (id % 3);
      out.fraction = Math.max(0, viewTick - out.fromTick) / (out.toTick - out.fromTick);
      out.beyondTicks = Math.max(0, viewTick - out.toTick);
      out.earlierTick = out.fromTick - 2;
      out.earliestTick = id % 2 === 0 ? out.earlierTick - 2 : -1;
      out.mode = mode;
      return true;
    },
  } as unknown as ViewResolver;
  /** What was carried on too far is still fading. */
  const late = {
    resolve(_table: number, id: number, out: DrawnPicture): boolean {
      out.toTick = tick - (id % 3);
      out.fromTick = out.toTick - 2;
      out.fraction = 1 + (id % 5) / 4;
      out.beyondTicks = 1;
      out.mode = stamp.mode;
      return true;
    },
  };
  const news = {
    count: 2,
    weightOf: (i: number) => (i === 0 ? 0.5 : 0.25),
    at: () => ({ before: late, after: resolver }),
  } as unknown as LateNews;
  const stamps = {
    stampOf: () => (stamp.viewTick < 0 ? undefined : stamp),
    resolverOf: () => (seed % 2 === 0 ? undefined : resolver),
    wasCut: () => isCut,
    lateNewsOf: () => (seed % 4 === 1 ? news : undefined),
  };
  createSights(
    tables,
    statics,
    () => moment,
    (table, number) => {
      const { history, reader } = recorders[number];
      const prediction = { sharedRadius: seed % 3 === 0 ? 4 : 0, remoteRadius: 0 };
      const more = { stamps, maxExtrapolationTicks: 6, prediction, snapDistance: 4 };
      const source = new RewoundSight({ table, number, history, reader, ...more });
      return { history, source };
    },
    desk,
  );
  const world = { tick: tick + 1, isServer: true, dt: 1 / 60, randomOf: () => random };
  const rules: RegistrationRules = {
    accept: (row) => Reflect.get(row, "dead") !== true,
    teamOf: (row) => Number(Reflect.get(row, "team")),
    victims: { protects: (index) => (index % 5 === 4 ? "dash" : undefined) },
  };
  const registration = new HitRegistration(kit, players, rules);
  const shoot = (weapon: WeaponName, shooter: number, target: number, off: number, pitch: number) => {
    const toX = Number(Reflect.get(rows[target], "x")) - Number(Reflect.get(rows[shooter], "x"));
    const toY = Number(Reflect.get(rows[target], "y")) - Number(Reflect.get(rows[shooter], "y"));
    const turn = Math.atan2(toY, toX) + off;
    moment++;
    isCut = random.next() < 0.1;
    stamp.mode = modes[random.integer(modes.length)];
    stamp.viewTick = random.next() < 0.1 ? -1 : tick - random.between(0, 14);
    stamp.snapshotTick = tick - random.integer(8);
    stamp.receiptMask = random.bits() | 0;
    const isLate = random.next() < 0.2;
    const claim = random.next() < 0.4 ? { claim: rows[random.integer(rows.length)].id } : {};
    const request = { weapon, angle: turn, pitch, lastAngle: turn + random.between(-2, 4), ...claim };
    return registration.judge(
      rows[shooter],
      { ...request, tick: isLate ? tick - random.integer(20) : tick + 1 },
      world,
    );
  };
  const next = (): void => (world.tick++, moment++, move());
  return { shoot, receipts, desk, next };
}

const shots = fc.array(
  fc.record({
    weapon: fc.constantFrom(...kit.weapons.map(({ name }) => name)),
    shooter: fc.nat(4),
    target: fc.integer({ min: 7, max: 15 }),
    off: fc.double({ min: -0.1, max: 0.1, noNaN: true }),
    pitch: fc.double({ min: -0.15, max: 0.1, noNaN: true }),
  }),
  { minLength: 1, maxLength: 12 },
);

function someReceipts(): Uint8Array[] {
  return worlds.flatMap((_, kind) => {
    const world = createWorld(kind * 2 + 1, kind);
    for (const { name } of kit.weapons) world.shoot(name, 1, 9, 0, 0);
    return world.receipts;
  });
}

describe("receipts", () => {
  worlds.forEach((_, kind) => {
    it(`replay to the same verdict, bit for bit, in random worlds of kind ${kind}`, (t) => {
      const seen = { hit: 0, miss: 0, rejected: 0 };
      const reasons = new Set<string>();
      let bytes = 0;
      fc.assert(
        fc.property(fc.nat(100_000), fc.boolean(), shots, (seed, together, list) => {
          const world = createWorld(seed, kind);
          for (const { weapon, shooter, target, off, pitch } of list) {
            const { outcome } = world.shoot(weapon, shooter, target, off, pitch);
            seen[outcome]++;
            if (!together) world.next();
          }
          assert.equal(world.receipts.length, list.length);
          for (const receipt of world.receipts) {
            bytes += receipt.length;
            const { agrees, recorded, replayed } = replayReceipt(receipt);
            assert.deepEqual(replayed, recorded);
            assert.ok(agrees);
            recorded.reasons.forEach((reason) => reasons.add(reason));
          }
        }),
        { numRuns: 150, seed: 11 + kind },
      );
      const count = seen.hit + seen.miss + seen.rejected;
      t.diagnostic(`${JSON.stringify(seen)}, ${Math.round(bytes / count)} bytes each; ${[...reasons].join(" ")}`);
      assert.ok(seen.hit > 50 && seen.miss > 50 && seen.rejected > 50);
      // In space a claimed target is seldom in line, and too far.
      const never = HIT_REASONS.filter((reason) => !reasons.has(reason));
      assert.deepEqual(never, kind === 0 ? [] : ["range"]);
    });
  });

  it("tell what was looked at", () => {
    const [bytes] = someReceipts();
    const { shot, histories, verdict, shapes } = readReceipt(bytes);
    assert.equal(shot.weapon.name, "rifle");
    assert.equal(verdict.weapon, "rifle");
    assert.ok(histories[0].entities.length > 0 && histories.length === 2 && shapes.length <= 4);
  });

  it("never throw anything but a ReceiptError when their bytes are damaged", () => {
    const receipts = someReceipts();
    const damaged = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.tuple(fc.nat(receipts.length - 1), fc.nat(5000)).map(([which, at]) => receipts[which].slice(0, at)),
      fc
        .tuple(
          fc.nat(receipts.length - 1),
          fc.array(fc.tuple(fc.nat(5000), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        )
        .map(([which, changes]) => {
          const bytes = receipts[which].slice();
          for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
          return bytes;
        }),
    );
    assert.throws(() => readReceipt(new Uint8Array(70_000)), ReceiptError);
    let refused = 0;
    let differed = 0;
    fc.assert(
      fc.property(damaged, (bytes) => {
        try {
          if (!replayReceipt(bytes).agrees) differed++;
        } catch (error) {
          assert.ok(error instanceof ReceiptError, String(error));
          refused++;
        }
      }),
      { numRuns: 3000, seed: 3 },
    );
    assert.ok(refused > 500 && differed > 100, `${refused} refused, ${differed} with another verdict`);
  });

  it("differ when an entity stood elsewhere: the replay can fail", () => {
    const world = createWorld(3, 0);
    let found = 0;
    for (let i = 0; i < 40; i++) {
      world.shoot("ball", i % 5, 7 + (i % 9), 0, 0);
      world.next();
    }
    for (const bytes of world.receipts) {
      const { verdict, histories } = readReceipt(bytes);
      if (verdict.hits.length === 0 || verdict.hits[0].distance === 0) continue;
      const index = histories[0].entities.findIndex(({ id }) => id === verdict.hits[0].id);
      const entries = histories[0].entities[index].entries.filter((entry) => entry !== undefined);
      // Wherever they are in the bytes.
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      for (let at = 0; at + 8 <= bytes.length; at++) {
        if (!entries.some((entry) => view.getInt32(at, true) === entry[0] && view.getInt32(at + 4, true) === entry[1]))
          continue;
        view.setFloat32(at + 4, view.getFloat32(at + 4, true) + 0.25, true);
        found++;
      }
      assert.equal(replayReceipt(bytes).agrees, false);
    }
    assert.ok(found > 3);
  });

  it("are kept as the game wants, and counted when there is no room", () => {
    const kept = createWorld(1, 0, { keep: ({ weapon }, seat) => weapon === "axe" && seat === 1 });
    for (const { name } of kit.weapons) for (const shooter of [0, 1]) kept.shoot(name, shooter, 9, 0, 0);
    assert.equal(kept.receipts.length, 1);
    assert.deepEqual(kept.desk.receipts.counters, { kept: 1, dropped: 0 });
    const full = createWorld(1, 0, { sink: { write: () => false } });
    full.shoot("axe", 1, 9, 0, 0);
    assert.deepEqual(full.desk.receipts.counters, { kept: 0, dropped: 1 });
  });
});
