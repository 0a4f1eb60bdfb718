/**
 * The server knows how each client drew each entity: what it derives from the view stamp of an input is what was on the
 * screen when that input was given, to the last bit, whatever the link does and however little fits into a snapshot.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bool, defineGame, defineInput, defineState, float, int, MessageKind, uint, vec3 } from "@riposte/simulation";
import { TestNetwork } from "./link.ts";
import type { LinkConditions } from "./link.ts";
import type { InterpolationMode, Vec3 } from "@riposte/simulation";
import { INTERPOLATION_MODES } from "../src/prediction/interpolation/interpolation-mode.ts";

const range = { min: -4096, max: 4096, step: 1 / 64 } as const;
const coordinate = float(range);
const speeds = { min: -4000, max: 4000, step: 1 / 64 } as const;
const speed = float(speeds);

/** Where entity `n` is at a tick: nowhere near where it was a tick ago, so that a wrong tick is a wrong place. */
function place(n: number, tick: number): number {
  return ((Math.imul(tick * 64 + n, 2_654_435_761) >>> 8) % 4000) - 2000;
}

/** What the position of the things is, by the rules that there are for how it is drawn. */
const POSITIONS = {
  plain: { x: coordinate, y: coordinate, z: coordinate },
  "with speeds": {
    x: float({ ...range, velocity: "vx" }),
    y: float({ ...range, velocity: "vy" }),
    z: float({ ...range, velocity: "vz" }),
    vx: speed,
    vy: speed,
    vz: speed,
  },
  "with a speed that nobody is told, and one that is": {
    x: float({ ...range, velocity: "vx" }),
    y: coordinate,
    z: float({ ...range, velocity: "vz" }),
    vx: float({ ...speeds, audience: "owner" }),
    vz: speed,
  },
  "as a vector whose speed nobody is told": {
    position: vec3(coordinate, { velocity: "speed" }),
    speed: vec3(speed, { audience: "server" }),
  },
  "with jumps": {
    x: float({ ...range, velocity: "vx", teleport: 1800 }),
    y: coordinate,
    z: coordinate,
    vx: float({ ...speeds, audience: "owner" }),
  },
  "as a vector with jumps": {
    position: vec3(coordinate, { velocity: "speed", teleport: 2300 }),
    speed: vec3(speed),
  },
  "on a grid": { x: int({ min: -4096, max: 4096 }), y: coordinate, z: int({ min: -4096, max: 4096 }) },
} as const;

/** Of any of these. */
type Placed = Partial<Vec3> & { readonly position?: Vec3 };

interface Picture {
  /** Where each entity is, by id. */
  readonly places: Map<number, readonly [x: number, y: number, z: number]>;
  /** On the server: those there were. */
  readonly alive?: ReadonlySet<number>;
}

/** What happened in one run. */
interface Journal {
  /** By tick of the input: what was on the client's screen, entity by entity; and what the server says of it. */
  readonly drawn: Map<number, Picture>;
  readonly derived: Map<number, Picture>;
}

function placeOf(thing: Placed): Vec3 {
  return thing.position ?? (thing as Vec3);
}

function play(options: {
  readonly link: LinkConditions;
  readonly entities: number;
  readonly budgetBytes: number;
  readonly snapshotRate?: number;
  readonly radius?: number;
  readonly frameMs?: number;
  readonly mode?: InterpolationMode;
  readonly position?: keyof typeof POSITIONS;
}): Journal & { clamped: number } {
  const journal: Journal = { drawn: new Map(), derived: new Map() };
  const pose = { x: 0, y: 0, z: 0, angle: 0 };
  let onScreen: Picture | undefined;
  let before: Picture | undefined;
  let newest = -1;
  let missed = 0;
  const game = defineGame({
    tickRate: 60,
    snapshotRate: options.snapshotRate ?? 30,
    // Without the slide that hides how a picture is rewritten by news: what is blended, and nothing besides.
    slideHalfLifeMs: 0,
    states: {
      players: defineState({ x: coordinate, y: coordinate }, { capacity: 4 }),
      things: defineState(
        { ...POSITIONS[options.position ?? "plain"], n: uint({ max: 63 }), pad: uint({ max: 65_535 }) },
        { capacity: 64 },
      ),
    },
    input: defineInput({ fire: bool() }),
    interest: options.radius === undefined ? {} : { radius: options.radius },
    join(world, client) {
      world.players.spawn(client.id);
    },
    step(world, inputs) {
      const me = world.players.firstOwnedBy(0);
      if (me === undefined) return;
      if (!world.isServer) return;
      // What the server says of the picture at this input; before anything moves.
      const { missedInputs = 0 } = network.match.seat(0)?.stats ?? {};
      const received = missedInputs === missed;
      missed = missedInputs;
      if (inputs.of(me).fire && received) {
        const sight = world.things.seenBy(me);
        const places: Picture["places"] = new Map();
        for (const thing of world.things) if (sight.poseOf(thing, pose)) places.set(thing.id, [pose.x, pose.y, pose.z]);
        if (sight.viewTick >= 0)
          journal.derived.set(world.tick, { places, alive: new Set(Array.from(world.things, ({ id }) => id)) });
      }
      // Things come and go, too.
      for (const thing of world.things) if ((world.tick + thing.n * 7) % 311 === 0) world.things.despawn(thing);
      while (world.things.count < options.entities) world.things.spawn(-1, { n: world.random.next() * 64 });
      for (const thing of world.things) {
        const at = placeOf(thing);
        at.x = place(thing.n, world.tick) / (options.radius === undefined ? 1 : 50);
        // In and out of sight, about once a second.
        at.y = options.radius === undefined ? 0 : options.radius * (1 + Math.sin((world.tick + thing.n * 9) / 10));
        at.z = place(thing.n + 2, world.tick);
        const moves: Partial<Vec3> & { speed?: Vec3; vx?: number; vy?: number; vz?: number } = thing;
        const [vx, vy, vz] = [3, 4, 5].map((n) => place(thing.n + n, world.tick));
        if (moves.speed !== undefined) moves.speed = { x: vx, y: vy, z: vz };
        if (moves.vx !== undefined) moves.vx = vx;
        if (moves.vy !== undefined) moves.vy = vy;
        if (moves.vz !== undefined) moves.vz = vz;
        thing.pad = place(thing.n + 1, world.tick) + 2000;
      }
    },
  });
  const network = new TestNetwork(game, { snapshotBudgetBytes: options.budgetBytes });
  const player = network.add(options.link, { fire: true }, { interpolationMode: options.mode ?? "linear" });
  player.frameMs = options.frameMs ?? 1000 / 60;
  player.onFrame = (): void => {
    const places: Picture["places"] = new Map();
    for (const thing of player.client.view.things) {
      const { x, y, z } = placeOf(thing);
      places.set(thing.id, [x, y, z]);
    }
    before = onScreen;
    onScreen = { places };
  };
  // The inputs of a frame are given at the sight of the frame before.
  const { up } = player;
  const send = up.send.bind(up);
  up.send = (bytes, ...rest): number => {
    if (bytes[0] === MessageKind.inputs) {
      const tick = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1, true);
      if (before !== undefined)
        for (let made = Math.max(newest + 1, tick - 20); made <= tick; made++) journal.drawn.set(made, before);
      newest = tick;
    }
    return send(bytes, ...rest);
  };
  network.run(8000);
  const { clampedViews = -1 } = network.match.seat(0)?.stats ?? {};
  return { ...journal, clamped: clampedViews };
}

/** How many pictures of entities were the same on both sides; throws at the first that was not. */
function agreement({ drawn, derived }: Journal): number {
  let same = 0;
  for (const [tick, { places, alive }] of derived) {
    const picture = drawn.get(tick);
    if (picture === undefined) continue;
    for (const [id, at] of places) {
      assert.deepEqual(picture.places.get(id), at, `entity ${id} in the picture of input ${tick}`);
      same++;
    }
    for (const id of picture.places.keys())
      if (alive?.has(id)) assert.ok(places.has(id), `entity ${id} was drawn at input ${tick}`);
  }
  return same;
}

describe("the picture that the server derives", () => {
  const cases: Record<string, Parameters<typeof play>[0]> = {
    "on a good line": { link: { latencyMs: 60 }, entities: 10, budgetBytes: 1000 },
    "with loss, jitter and overtaken snapshots": {
      link: { latencyMs: 120, jitterMs: 40, lossRate: 0.15 },
      entities: 10,
      budgetBytes: 1000,
    },
    "when not all fits into a snapshot": { link: { latencyMs: 80, jitterMs: 10 }, entities: 40, budgetBytes: 100 },
    "with loss when not all fits": {
      link: { latencyMs: 100, jitterMs: 30, lossRate: 0.1 },
      entities: 40,
      budgetBytes: 160,
    },
    "at 144 frames and 60 snapshots a second": {
      link: { latencyMs: 70, jitterMs: 15, lossRate: 0.05 },
      entities: 20,
      budgetBytes: 200,
      snapshotRate: 60,
      frameMs: 1000 / 144,
    },
    "at 25 frames a second": {
      link: { latencyMs: 70, jitterMs: 15, lossRate: 0.05 },
      entities: 10,
      budgetBytes: 300,
      frameMs: 40,
    },
    "of things that go out of sight and come back": {
      link: { latencyMs: 80, jitterMs: 10 },
      entities: 30,
      budgetBytes: 1000,
      radius: 100,
    },
    "of things that go out of sight, with loss, when not all fits": {
      link: { latencyMs: 120, jitterMs: 30, lossRate: 0.1 },
      entities: 40,
      budgetBytes: 120,
      radius: 100,
    },
  };
  for (const mode of INTERPOLATION_MODES) {
    if (mode === "linear") continue;
    cases[`in the mode "${mode}"`] = { link: { latencyMs: 80, jitterMs: 10 }, entities: 10, budgetBytes: 1000, mode };
    cases[`in the mode "${mode}", with loss, when not all fits and things go out of sight`] = {
      link: { latencyMs: 120, jitterMs: 40, lossRate: 0.15 },
      entities: 40,
      budgetBytes: 140,
      radius: 100,
      mode,
    };
  }
  for (const position of Object.keys(POSITIONS) as (keyof typeof POSITIONS)[]) {
    if (position === "plain") continue;
    for (const mode of ["linear", "hermite", "extrapolation"] as const) {
      const link = { latencyMs: 120, jitterMs: 40, lossRate: 0.15 };
      cases[`in the mode "${mode}", of positions ${position}`] = {
        link: { latencyMs: 80, jitterMs: 10 },
        entities: 10,
        budgetBytes: 1000,
        mode,
        position,
      };
      cases[
        `in the mode "${mode}", of positions ${position}, with loss, when not all fits and things go out of sight`
      ] = { link, entities: 30, budgetBytes: 140, radius: 100, mode, position };
    }
  }
  for (const [name, options] of Object.entries(cases)) {
    it(`is the one that was drawn ${name}`, () => {
      const journal = play(options);
      const same = agreement(journal);
      assert.ok(same > 1000, `${same} pictures of entities compared`);
      assert.equal(journal.clamped, 0);
    });
  }
});
