/** What flies and was shot late: the server flies it through the past that it has missed, and it hits whom it hit in the picture. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  angle,
  bool,
  circle,
  defineGame,
  defineInput,
  defineState,
  float,
  ProjectileRewind,
} from "@riposte/simulation";
import type { Fields, InputOf, ProjectileRewindOptions, SeenOptions, World } from "@riposte/simulation";
import { cos, sin } from "@riposte/simulation/math";
import { TestNetwork } from "./link.ts";

const TICK_RATE = 60;
const LATENCY_MS = 150;
const TARGET_SPEED = 9;
const LIFE_TICKS = 30;
/** How far a clock rises in a tick, and the radius of its hitbox. */
const CLOCK_STEP = 1 / 4;
const CLOCK_RADIUS = 0.5;
/** So seldom that the client does not run farther ahead for it. */
const STALL_EVERY_MS = 12_000;

const coordinate = float({ min: -50, max: 50, step: 1 / 512 });
const states = {
  shooters: defineState({ x: coordinate, y: coordinate }),
  targets: defineState({ x: coordinate, y: coordinate }, { hitbox: circle({ radius: 0.4 }) }),
  // The place where it is seen says at which moment.
  clocks: defineState(
    { x: coordinate, y: float({ min: 0, max: 8192, step: 1 / 64 }) },
    { hitbox: circle({ radius: CLOCK_RADIUS }) },
  ),
};
type Look = Pick<SeenOptions<Fields>, "laterTicks" | "towardsNow">;

/** A shot, on the server or in the picture of the client that fired it. */
interface Arrow {
  /** The tick of its input, and how late the server heard of that. */
  readonly tick: number;
  readonly lateTicks: number;
  readonly startX: number;
  readonly startY: number;
  readonly angle: number;
  x: number;
  y: number;
  age: number;
  /** As old as it was, and where, when it began to fly tick by tick. */
  begun: { readonly age: number; readonly x: number; readonly y: number };
  hit: boolean;
  /** On the server: at which moments it saw the world, and what time it was, by its age. */
  readonly moments: number[];
  readonly times: number[];
}

interface Conditions extends Omit<ProjectileRewindOptions, "tickRate"> {
  readonly seconds: number;
  /** Of the arrows, in metres a second. */
  readonly speed: number;
  /** From the shooter to the line along which the target runs. */
  readonly distance: number;
  readonly fastForwards?: boolean;
  readonly strafes?: boolean;
}

/**
 * A shooter whose line now and then holds back for 230 ms what it sends shoots at a target that runs by, leading it as it is
 * drawn. Returns the shots of its client and those of the server, by the tick of their input.
 */
function play({ seconds, speed, distance, fastForwards = true, strafes = false, ...options }: Conditions) {
  const rewind = new ProjectileRewind({ tickRate: TICK_RATE, ...options });
  const way = speed / TICK_RATE;
  const drawn = new Map<number, Arrow>();
  const flown = new Map<number, Arrow>();
  const flying: Record<"client" | "server", Arrow[]> = { client: [], server: [] };
  /** Where the server had the shooter after each tick. */
  const places: { readonly x: number; readonly y: number }[] = [];
  const from = { x: 0, y: 0, angle: 0 };

  /** The shot of the input of `tick`. */
  function shoot(world: World<typeof states>, tick: number, x: number, y: number, direction: number): Arrow {
    const start = { startX: x, startY: y, angle: direction, x, y, age: 0, begun: { age: 0, x, y } };
    const arrow: Arrow = { ...start, tick, lateTicks: world.tick - tick, hit: false, moments: [], times: [] };
    (world.isServer ? flown : drawn).set(tick, arrow);
    return arrow;
  }

  /** Flies it one tick; false when that was its last. */
  function fly(world: World<typeof states>, arrow: Arrow, look: Look): boolean {
    const shooter = world.shooters.firstOwnedBy(0) ?? assert.fail();
    const { x, y, age } = arrow;
    if (world.isServer) {
      const everywhere = { ax: 0, ay: 0, az: 0, bx: 0, by: 0, bz: 0, radius: 10_000 };
      const [clock] = world.clocks.seenBy(shooter).performOverlap(everywhere, look);
      arrow.moments[age] = (clock.distance + CLOCK_RADIUS) / CLOCK_STEP;
      arrow.times[age] = world.tick - 1;
    }
    const ball = { ax: x, ay: y, az: 0, bx: x, by: y, bz: 0, radius: 0.1 };
    const [dx, dy] = [cos(arrow.angle), sin(arrow.angle)];
    arrow.hit = world.targets.seenBy(shooter).performSweep(ball, dx, dy, 0, way, look) !== undefined;
    arrow.x += dx * way;
    arrow.y += dy * way;
    arrow.age++;
    return !arrow.hit && arrow.age < LIFE_TICKS;
  }

  const game = defineGame({
    tickRate: TICK_RATE,
    states,
    input: defineInput({
      moveY: float({ min: -1, max: 1, step: 1 / 64 }),
      fire: bool(),
      aim: angle({ bits: 16 }),
    }),
    join(world, client) {
      world.shooters.spawn(client.id);
      world.targets.spawn(-1, { x: distance });
      world.clocks.spawn(-1);
    },
    // What is made up fires nothing.
    idle: (input) => void (input.fire = false),
    late(world, { fire, aim }, seat, tick) {
      const shooter = world.shooters.firstOwnedBy(seat);
      if (!fire || shooter === undefined || !world.shooters.seenBy(shooter).stoodAt(shooter, tick, from)) return;
      const arrow = shoot(world, tick, from.x, from.y, aim);
      let flies = true;
      if (fastForwards)
        rewind.fastForward(
          world.tick - tick,
          (_, laterTicks, towardsNow) => (flies = fly(world, arrow, { laterTicks, towardsNow })),
        );
      arrow.begun = { age: arrow.age, x: arrow.x, y: arrow.y };
      if (flies) flying.server.push(arrow);
    },
    step(world, inputs) {
      const shooter = world.shooters.firstOwnedBy(0);
      if (shooter === undefined) return;
      if (world.isServer) {
        for (const clock of world.clocks) clock.y = world.tick * CLOCK_STEP;
        for (const target of world.targets)
          target.y = Math.abs((((world.tick * TARGET_SPEED) / TICK_RATE) % 40) - 20) - 10;
      }
      const { moveY, fire, aim } = inputs.of(shooter);
      shooter.y += moveY * 5 * world.dt;
      // A replay sees another picture.
      if (world.isReplay) return;
      const side = world.isServer ? "server" : "client";
      if (fire) flying[side].push(shoot(world, world.tick, shooter.x, shooter.y, aim));
      flying[side] = flying[side].filter((arrow) => fly(world, arrow, { towardsNow: rewind.towardsNow(arrow.age) }));
    },
  });

  const network = new TestNetwork(game);
  const still: InputOf<typeof game> = { moveY: 0, fire: false, aim: 0 };
  const player = network.add({ latencyMs: LATENCY_MS, jitterMs: 5 }, still);
  let frame = 0;
  let stalledAt = 0;
  let before = Number.NaN;
  player.onFrame = (now): void => {
    const [target] = player.client.view.targets;
    const me = player.client.world.shooters.firstOwnedBy(0);
    if (target === undefined || me === undefined) return;
    const pace = target.y - before;
    before = target.y;
    frame++;
    // Where it will be drawn when the arrow is there.
    const flight = (Math.hypot(distance, target.y - me.y) / speed) * TICK_RATE;
    const aim = Math.atan2(target.y + pace * flight - me.y, distance);
    const isNear = now > 5000 && Math.abs(target.y - me.y) < 2;
    const stalls = isNear && now - stalledAt > STALL_EVERY_MS;
    if (stalls) stalledAt = now;
    player.burstMs = stalls ? 230 : 0;
    const moveY = strafes ? (Math.floor(frame / 50) % 2) * 2 - 1 : 0;
    player.input = { moveY, fire: isNear && frame % 2 === 0, aim };
  };
  network.onTick = (tick): void => {
    const { x, y } = network.match.world.shooters.firstOwnedBy(0) ?? assert.fail();
    places[tick] = { x, y };
  };
  network.run(seconds * 1000);
  return { drawn, flown, places };
}

/** Those that came late, by ticks. */
function lateOnes(flown: ReadonlyMap<number, Arrow>, ticks = 1): Arrow[] {
  return [...flown.values()].filter(({ lateTicks }) => lateTicks >= ticks);
}

/** Of the shots that hit in the picture, how many there are and how many hit. */
function score({ drawn, flown }: ReturnType<typeof play>, lateTicks: number): { shots: number; hits: number } {
  const shots = lateOnes(flown, lateTicks).filter(({ tick }) => drawn.get(tick)?.hit === true);
  return { shots: shots.length, hits: shots.filter(({ hit }) => hit).length };
}

describe("a projectile whose shot came late", () => {
  /** Slower to come to the present than it is to hit, so that the picture is all that counts. */
  const range = { seconds: 480, speed: 40, distance: 8, catchUpMs: 5000 };
  /** Nothing is hit. */
  const open = { seconds: 90, speed: 80, distance: 45 };

  it("begins as old as its shot is late, and has looked at the moments at which it would have looked in time", () => {
    const { flown, places } = play({ ...open, strafes: true });
    const late = lateOnes(flown);
    assert.ok(late.length > 20 && Math.max(...late.map(({ lateTicks }) => lateTicks)) >= 8, `${late.length} late`);
    for (const { tick, lateTicks, startX, startY, angle: direction, begun, moments } of late) {
      assert.deepEqual({ x: startX, y: startY }, places[tick], "from where the server had the shooter");
      assert.equal(begun.age, lateTicks);
      const way = (lateTicks * open.speed) / TICK_RATE;
      assert.ok(Math.hypot(begun.x - startX - cos(direction) * way, begun.y - startY - sin(direction) * way) < 1e-9);
      const rewound = tick - 1 - moments[0];
      assert.ok(rewound * (1000 / TICK_RATE) > LATENCY_MS, `${rewound} ticks back`);
      moments.forEach((moment, age) => {
        const expected = moments[0] + age + rewound * Math.min(1, age / CATCH_UP_TICKS);
        assert.ok(Math.abs(moment - expected) < 0.8, `${lateTicks} late, ${age} old: ${moment}, not ${expected}`);
      });
    }
  });

  it("has come to the present after catchUpMs", () => {
    const { flown } = play(open);
    const late = lateOnes(flown);
    assert.ok(late.length > 20);
    for (const { moments, times, begun } of late) {
      assert.equal(moments.length, LIFE_TICKS);
      for (let age = begun.age; age < LIFE_TICKS; age++) {
        const behind = times[age] - moments[age];
        assert.ok(age < CATCH_UP_TICKS ? behind > 0.5 : Math.abs(behind) < 0.01, `${behind} ticks at ${age}`);
      }
    }
  });

  it("begins no older than maxFastForwardMs, and nobody leaps for it", () => {
    const late = lateOnes(play({ ...open, maxFastForwardMs: 50 }).flown, 5);
    assert.ok(late.length > 10);
    for (const { begun, moments } of late) {
      assert.equal(begun.age, 3);
      for (let age = 1; age < LIFE_TICKS; age++) {
        const step = moments[age] - moments[age - 1];
        assert.ok(step > 0.5 && step < 2.8, `${step} ticks at ${age}`);
      }
    }
  });

  it("hits whom it hit in the picture", (t) => {
    const played = play(range);
    const { shots, hits } = score(played, 4);
    const all = score(played, 0);
    t.diagnostic(`${hits} of ${shots} that came late, ${all.hits} of ${all.shots} in all`);
    assert.ok(shots >= 100 && hits >= shots * 0.99, `${hits} of ${shots}`);
    assert.ok(all.shots >= 1000 && all.hits >= all.shots * 0.99, `${all.hits} of ${all.shots}`);
  });

  it("would miss if it began to fly when the server heard of it", (t) => {
    const { shots, hits } = score(play({ ...range, fastForwards: false }), 4);
    t.diagnostic(`${hits} of ${shots}`);
    assert.ok(shots >= 100 && hits <= shots * 0.1, `${hits} of ${shots}`);
  });
});

/** Of `ProjectileRewind`, by default. */
const CATCH_UP_TICKS = 18;
