/** Random worlds for receipts: what can be hit, walls, doors and a history, of a seed; and shots in them. */
import { atan2, cos, sin } from "../src/math/index.ts";
import { StaticGeometry } from "../src/game/statics/static-geometry.ts";
import { WorldTable } from "../src/game/world-table.ts";
import { TickRandom } from "../src/game/random.ts";
import type { InterpolationMode, ViewStamp } from "../src/prediction/index.ts";
import { angle, bool, defineState, float, quaternion, uint } from "../src/state/index.ts";
import type { Fields, RowIdentity, StateDefinition } from "../src/state/index.ts";
import { createSights } from "../src/rewind/create-sights.ts";
import type { MovingCover } from "../src/rewind/fairness/cover-time.ts";
import { FairVictims } from "../src/rewind/fairness/fair-victims.ts";
import { FavorTheShooter } from "../src/rewind/fairness/favor-the-shooter.ts";
import { MovingDoors } from "../src/rewind/fairness/moving-doors.ts";
import type { LateNews } from "../src/rewind/late-news.ts";
import { HistoryRecorder } from "../src/rewind/history-recorder.ts";
import { defineHitboxes } from "../src/rewind/hitboxes/hitbox-set.ts";
import type { HitboxOptions, HitboxSet } from "../src/rewind/hitboxes/hitbox-set.ts";
import type { Vector } from "../src/rewind/hitboxes/vector.ts";
import { HitRegistration } from "../src/rewind/registration/hit-registration.ts";
import type { RegistrationRules } from "../src/rewind/registration/registration-rules.ts";
import { LagCompensationStats } from "../src/rewind/registration/lag-compensation-stats.ts";
import { weaponFields } from "../src/rewind/registration/weapon-fields.ts";
import { defineWeapons } from "../src/rewind/registration/weapon-kit.ts";
import { RewoundSight } from "../src/rewind/rewound-sight.ts";
import type { DrawnPicture, ViewResolver } from "../src/rewind/view-resolver.ts";
import { ReceiptDesk } from "../src/rewind/receipts/receipt-desk.ts";
import type { ReceiptOptions } from "../src/rewind/receipts/receipt-desk.ts";

export const kit = defineWeapons({
  tickRate: 60,
  weapons: {
    rifle: { kind: "ray", range: 9, muzzle: [0.7, 0.1, 1.4], team: "stop", intervalTicks: 2, maxTurn: 3 },
    burst: { kind: "pellets", range: 30, pellets: 9, spread: 0.3, muzzle: [0, 0, 1.2], self: "hit" },
    comb: { kind: "pellets", range: 30, pellets: 4, spread: 0.2, pattern: "even", muzzle: [0, 0, 1], layers: ["head"] },
    ball: { kind: "sweep", range: 40, radius: 0.6, muzzle: [0, 0, 1.2], team: "hit" },
    dry: { kind: "ray", range: 60, magazine: 2 },
    axe: { kind: "melee", range: 4, radius: 1.5, muzzle: [0.2, 0, 1.1], self: "stop" },
  },
  validationBurst: 2,
  cutViews: "reject",
});
export type WeaponName = (typeof kit)["weapons"][number]["name"];

const coordinate = float({ min: -100, max: 100, step: 1 / 512, teleport: 9 });
const curved = float({ min: -100, max: 100, step: 1 / 512, velocity: "vx" });
const guessed = float({ min: -100, max: 100, step: 1 / 512, velocity: "vy" });
const stepped = float({ min: -100, max: 100, step: 1 / 512, blend: "step" });
const speeds = {
  vx: float({ min: -90, max: 90, step: 1 / 64 }),
  vy: float({ min: -90, max: 90, step: 1 / 64, audience: "owner" }),
};
const common = { y: coordinate, team: uint({ max: 2 }), dead: bool(), frozen: uint({ max: 15 }), ...weaponFields(kit) };

/** A head, a body, a pack on its back and a hat, of sizes of their own. */
function bodyOf(random: TickRandom): Record<string, HitboxOptions> {
  const about = (x: number): number => x * random.between(0.8, 1.25);
  const corner = (x: number, y: number, z: number): Vector => [about(x), about(y), about(z)];
  return {
    head: { shape: "sphere", radius: about(0.3), at: corner(0.1, 0, 1.7), layer: "head", multiplier: 4 },
    body: { shape: "capsule", radius: about(0.4), from: corner(0.1, 0, 0.4), to: corner(0, 0.1, 1.3) },
    pack: { shape: "box", half: corner(0.2, 0.3, 0.3), at: corner(-0.5, 0, 1.1), turn: [0, 0, 0.3, 0.954] },
    hat: {
      shape: "hull",
      points: [
        [0, 0, 3],
        [0.8, 0.8, 1.9],
        [-0.8, 0.8, 1.9],
        [0.1, -0.9, 1.9],
        [0.1, -0.1, 1.6],
      ].map(([x, y, z]) => corner(x, y, z)),
    },
  };
}

const flatBody = {
  body: { shape: "sphere", radius: 0.6 },
  head: { shape: "box", half: [0.3, 0.2], layer: "head" },
} as const;
const frame = (z: number) =>
  Array.from({ length: 4 }, () => ({ offset: [0, 0, z], turn: [0, 0, z, Math.sqrt(1 - z * z)] }) as const);

/**
 * Kinds of worlds: in the plane and in space, turned or tumbling, animated or posed by the game, with parts that cannot be
 * hit, on curves.
 */
export const worlds: readonly ((random: TickRandom) => StateDefinition)[] = [
  () => defineState({ x: coordinate, ...common }, { capacity: 24, hitboxes: defineHitboxes(flatBody) }),
  (random) =>
    defineState(
      { ...common, x: curved, y: guessed, z: stepped, aim: angle({ bits: 12 }), ...speeds },
      { capacity: 24, hitboxes: defineHitboxes(bodyOf(random)), turn: "aim", disabled: "frozen" },
    ),
  (random) =>
    defineState(
      { x: coordinate, z: coordinate, turn: quaternion(), frame: uint({ max: 3 }), ...common },
      { capacity: 24, hitboxes: animated(random), turn: "turn", frame: "frame" },
    ),
  (random) =>
    defineState(
      { x: coordinate, z: coordinate, turn: quaternion(), lean: float({ min: -1, max: 1, step: 1 / 64 }), ...common },
      {
        capacity: 24,
        hitboxes: defineHitboxes(bodyOf(random), { pose: "posed", extent: { radius: 2.5, low: -1, high: 4 } }),
        turn: "turn",
        pose({ lean }, place) {
          place("head", lean / 4, lean / 2, -Math.abs(lean) / 4);
          place("body", 0, lean / 4, 0, lean / 2, 0, 0, Math.sqrt(1 - (lean * lean) / 4));
          place("pack", 0, lean / 4, 0, 0, 0, lean, Math.sqrt(1 - lean * lean));
          place("hat", lean / 4, lean / 2, 0, 0, lean, 0, Math.sqrt(1 - lean * lean));
        },
      },
    ),
];

function animated(random: TickRandom): HitboxSet {
  return defineHitboxes(bodyOf(random), { pose: "palette", palette: [0, 0.1, 0.2, 0.3].map(frame) });
}

const Door = defineState(
  { x: coordinate, y: coordinate, z: coordinate },
  { capacity: 4, blocks: true, hitboxes: defineHitboxes({ leaf: { shape: "box", half: [0.2, 3, 3] } }) },
);
/** What is shot at, too: in the plane and in space. */
const beasts = [{}, { z: coordinate }, { z: coordinate }, { z: coordinate }].map((height) =>
  defineState(
    { x: coordinate, y: coordinate, ...height, team: uint({ max: 2 }) },
    { capacity: 8, hitboxes: defineHitboxes({ head: { shape: "sphere", radius: 1.2, at: [0, 0, 1], layer: "head" } }) },
  ),
);
const thickFurred = { protects: (index: number) => (index === 3 ? "fur" : undefined) };
const modes: readonly InterpolationMode[] = ["linear", "hermite", "step", "extrapolation"];

function set(row: RowIdentity, name: string, value: unknown): void {
  Reflect.set(row, name, value);
}

/** A world of a seed after some history; every shot in it leaves a receipt. */
export function createWorld(seed: number, kind: number, options: Partial<ReceiptOptions> = {}) {
  const random = new TickRandom();
  random.reseed(seed, 0);
  const state = worlds[kind](random);
  const tables = Object.entries({ players: state, doors: Door, beasts: beasts[kind] }).map(
    ([name, definition]) => new WorldTable<Fields>(definition as StateDefinition, true, definition.capacity, name),
  );
  const [players, doors, herd] = tables;
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
  for (let i = 0; i < 6; i++) {
    const beast = herd.spawn(i - 2);
    place(beast, 12);
    set(beast, "team", random.integer(3));
  }
  const gates = [0, 1].map(() => doors.spawn());
  for (const gate of gates) place(gate, 10);
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
      if (kind === 2) set(row, "frame", random.integer(4));
      if (kind === 3) set(row, "lean", random.between(-1, 1));
      if (kind >= 2) {
        const angleNow = random.between(0, 3);
        Object.assign(Reflect.get(row, "turn") as object, { x: 0, y: sin(angleNow), z: 0, w: cos(angleNow) });
      }
    }
    for (const beast of herd) set(beast, "x", Number(Reflect.get(beast, "x")) + random.between(-0.3, 0.3));
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
  const contexts = createSights(
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
  const favor = new FavorTheShooter(500, { behindCoverMs: 60, coverBudgetMs: 45 });
  const cover = new MovingDoors(doors, recorders[1].reader, contexts[1]);
  let coveredByDoors = 0;
  const isInWay: MovingCover["isInWay"] = (...line) => {
    const covers = cover.isInWay(...line);
    coveredByDoors += Number(covers);
    return covers;
  };
  const { history } = recorders[0];
  players.victims = { history, statics, blockers: [{ isInWay }], favor, tickMs: 1000 / 60, now: () => tick };
  const fair = FairVictims.of(players);
  const world = { tick: tick + 1, isServer: true, dt: 1 / 60, randomOf: () => random };
  const ofTeam: RegistrationRules = { teamOf: (row) => Number(Reflect.get(row, "team")) };
  const rules: RegistrationRules = {
    accept: (row) => Reflect.get(row, "dead") !== true,
    ...ofTeam,
    victims: {
      protects: (index, hit, shooter, rewindMs) =>
        index % 5 === 4 ? "dash" : fair.protects(index, hit, shooter, rewindMs),
    },
  };
  // Of some worlds all shots are at both states.
  const isAtBoth = seed % 5 < 3;
  const registration = isAtBoth
    ? HitRegistration.of(kit, [players, herd], { players: rules, beasts: { ...ofTeam, victims: thickFurred } })
    : new HitRegistration(kit, players, rules);
  const next = (): void => (world.tick++, moment++, move());
  /** A door slides between two, and some ticks pass: in older pictures it was elsewhere. */
  const part = (shooter: number, target: number): void => {
    const gate = gates[random.integer(gates.length)];
    for (const axis of ["x", "y"]) {
      const [from, to] = [shooter, target].map((row) => Number(Reflect.get(rows[row], axis)));
      set(gate, axis, (from + to) / 2);
    }
    for (let i = random.integer(6); i > 0; i--) next();
  };
  const shoot = (weapon: WeaponName, shooter: number, target: number, off: number, pitch: number) => {
    if (random.next() < 0.3) part(shooter, target);
    const toX = Number(Reflect.get(rows[target], "x")) - Number(Reflect.get(rows[shooter], "x"));
    const toY = Number(Reflect.get(rows[target], "y")) - Number(Reflect.get(rows[shooter], "y"));
    const turn = atan2(toY, toX) + off;
    moment++;
    isCut = random.next() < 0.1;
    stamp.mode = modes[random.integer(modes.length)];
    stamp.viewTick = random.next() < 0.1 ? -1 : tick - random.between(0, 14);
    stamp.snapshotTick = tick - random.integer(8);
    stamp.receiptMask = random.bits() | 0;
    const isLate = random.next() < 0.2;
    const claimTable = isAtBoth && random.next() < 0.5 ? { claimTable: "beasts" } : {};
    const claim = random.next() < 0.4 ? { claim: rows[random.integer(rows.length)].id, ...claimTable } : {};
    const request = { weapon, angle: turn, pitch, lastAngle: turn + random.between(-2, 4), ...claim };
    return registration.judge(
      rows[shooter],
      { ...request, tick: isLate ? tick - random.integer(20) : tick + 1 },
      world,
    );
  };
  return { shoot, receipts, desk, next, coveredByDoors: () => coveredByDoors };
}
