/**
 * A shooter on a bad link who aims at what is drawn, and movers of four kinds: is who was hit in the picture hit on the
 * server, and who was missed in it not?
 */
import { angle, bool, circle, defineGame, defineInput, defineState, float, uint } from "@riposte/simulation";
import type { InterpolationMode } from "@riposte/simulation";
import { TickRandom } from "../src/game/random.ts";
import { TestNetwork } from "./link.ts";
import type { LinkConditions } from "./link.ts";
import { meterLinks } from "./link-meter.ts";

export const MOVERS = ["walks", "strafes", "dashes", "teleports"] as const;
export type MoverKind = (typeof MOVERS)[number];

export interface RangeConditions extends LinkConditions {
  readonly snapshotRate: number;
  /** Default "linear". */
  readonly mode?: InterpolationMode;
  /** Of mode "ahead". Default 200. */
  readonly extrapolateByMs?: number;
  /** How far back the server judges. Default 500. */
  readonly maxRewindMs?: number;
  /** Default 1000: everybody fits. */
  readonly snapshotBudgetBytes?: number;
  /** Frames a second on the shooter's screen. Default 60. */
  readonly frameRate?: number;
}

/** What became of the shots at one kind of mover. */
export interface Tally {
  /** Shots that hit somebody in the picture, and how many of them hit the same one on the server. */
  drawnHits: number;
  hits: number;
  /** Shots that hit nobody in the picture, and how many of them hit somebody on the server. */
  drawnMisses: number;
  falseHits: number;
}

export interface RangeResult {
  readonly tallies: Readonly<Record<MoverKind, Tally>>;
  readonly total: Tally;
  /** Shots that the server has never heard of, or too late to judge them: they are among those that did not hit. */
  readonly unheard: number;
  /** Ticks with a shot at a picture that the server did not believe, or that was beyond the limit. */
  readonly cut: number;
  /** Ticks from the picture to the tick of the shot: how far the server goes back, mean and most. */
  readonly rewindMeanMs: number;
  readonly rewindMaxMs: number;
}

const TICK_RATE = 60;
const RADIUS = 0.5;
const RANGE = 80;
/** Frames from one shot to the next. */
const SHOT_FRAMES = 4;
const SPEED = 6;
/** Movers keep within this of the middle of their yard, each way; and the yard is so far from where the shooter is. */
const YARD = 12;
const YARD_X = 20;

const coordinate = { min: -64, max: 64, step: 1 / 1024 } as const;
const speed = float({ min: -64, max: 64, step: 1 / 256 });

/** A shot as the picture has it, or as the server has judged it: who is hit, -1 for nobody. */
interface Shot {
  readonly aimedAt: MoverKind;
  readonly hit: number;
}

export function playRange(conditions: RangeConditions, seconds: number, warmUpSeconds = 4): RangeResult {
  const random = new TickRandom();
  random.reseed(Math.round(conditions.latencyMs), conditions.snapshotRate);
  const drawn = new Map<number, Shot>();
  const judged = new Map<number, number>();
  /** What is on the screen: of whom, x and y. */
  let picture: readonly (readonly [id: number, x: number, y: number])[] = [];
  let aimedAt: MoverKind = "walks";
  let rewound = 0;
  let rewoundMost = 0;
  let isMeasured = false;
  const from = { x: 0, y: 0, angle: 0 };
  const judge = (tick: number, hit: { readonly id: number } | undefined): void =>
    void (isMeasured && judged.set(tick, hit?.id ?? -1));

  const game = defineGame({
    name: "range",
    tickRate: TICK_RATE,
    snapshotRate: conditions.snapshotRate,
    states: {
      shooters: defineState({ x: float(coordinate), y: float(coordinate) }, { capacity: 2 }),
      movers: defineState(
        {
          x: float({ ...coordinate, velocity: "vx" }),
          y: float({ ...coordinate, velocity: "vy" }),
          vx: speed,
          vy: speed,
          blinks: uint({ max: 255, teleport: true }),
          kind: uint({ max: MOVERS.length - 1 }),
        },
        { capacity: 16, hitbox: circle({ radius: RADIUS }) },
      ),
    },
    input: defineInput({
      moveX: float({ min: -1, max: 1, step: 1 / 64 }),
      moveY: float({ min: -1, max: 1, step: 1 / 64 }),
      fire: bool(),
      aim: angle({ bits: 24 }),
    }),
    join(world, client) {
      world.shooters.spawn(client.id);
      for (let i = 0; i < MOVERS.length * 2; i++)
        world.movers.spawn(-1, { x: YARD_X, y: (i - MOVERS.length) * 2, kind: i % MOVERS.length });
    },
    late(world, { fire, aim }, seat, tick) {
      const me = world.shooters.firstOwnedBy(seat);
      // A step shoots before it moves.
      if (!fire || me === undefined || !world.shooters.seenBy(me).stoodAt(me, tick - 1, from)) return;
      judge(tick, world.movers.seenBy(me).raycast(from.x, from.y, aim, RANGE));
    },
    step(world, inputs) {
      for (const me of world.shooters) {
        const { moveX, moveY, fire, aim } = inputs.of(me);
        if (fire && isMeasured) {
          if (world.isServer) {
            const sight = world.movers.seenBy(me);
            judge(world.tick, sight.raycast(me.x, me.y, aim, RANGE));
            const depth = world.tick - sight.viewTick;
            rewound += depth;
            rewoundMost = Math.max(rewoundMost, depth);
          } else if (!drawn.has(world.tick)) {
            drawn.set(world.tick, { aimedAt, hit: hitInPicture(picture, me.x, me.y, aim) });
          }
        }
        me.x += moveX * SPEED * world.dt;
        me.y += moveY * SPEED * world.dt;
      }
      if (!world.isServer) return;
      for (const mover of world.movers) {
        move(MOVERS[mover.kind], mover, world.tick + mover.index * 7, world.random);
        mover.x = Math.min(YARD_X + YARD, Math.max(YARD_X - YARD, mover.x + mover.vx * world.dt));
        mover.y = Math.min(YARD, Math.max(-YARD, mover.y + mover.vy * world.dt));
      }
    },
  });
  const network = new TestNetwork(game, {
    maxRewindMs: conditions.maxRewindMs ?? 500,
    snapshotBudgetBytes: conditions.snapshotBudgetBytes ?? 1000,
  });
  meterLinks(network);
  const still = { moveX: 0, moveY: 0, fire: false, aim: 0 };
  const shooter = network.add(conditions, still, {
    interpolationMode: conditions.mode ?? "linear",
    extrapolateByMs: conditions.extrapolateByMs ?? 200,
  });
  shooter.frameMs = 1000 / (conditions.frameRate ?? 60);
  let frame = 0;
  shooter.onFrame = (): void => {
    const { world, view } = shooter.client;
    const me = world.shooters.firstOwnedBy(shooter.seat);
    if (me === undefined) return;
    frame++;
    picture = Array.from(view.movers.all(), ({ id, x, y }) => [id, x, y] as const);
    const target = [...view.movers.all()].at(random.next() * view.movers.count);
    const fire = frame % SHOT_FRAMES === 0 && target !== undefined;
    // Around in a circle.
    shooter.input = { moveX: Math.cos(frame / 40) / 2, moveY: Math.sin(frame / 40) / 2, fire, aim: 0 };
    if (!fire) return;
    aimedAt = MOVERS[target.kind];
    // Past the middle by up to 2.4 times the radius: about half of the shots are misses.
    const off = (random.next() * 2 - 1) * RADIUS * 2.4;
    const dx = target.x - me.x;
    const dy = target.y - me.y;
    const distance = Math.hypot(dx, dy);
    shooter.input.aim = Math.atan2(dy + (dx / distance) * off, dx - (dy / distance) * off);
  };
  network.run(warmUpSeconds * 1000);
  isMeasured = true;
  network.run(seconds * 1000);
  // What is under way is not measured.
  const last = network.match.currentTick - 1;

  const tallies = { walks: createTally(), strafes: createTally(), dashes: createTally(), teleports: createTally() };
  let unheard = 0;
  for (const [tick, { aimedAt: kind, hit }] of drawn) {
    if (tick > last) continue;
    const verdict = judged.get(tick);
    const of = tallies[kind];
    if (verdict === undefined) unheard++;
    if (hit >= 0) {
      of.drawnHits++;
      if (verdict === hit) of.hits++;
    } else {
      of.drawnMisses++;
      if (verdict !== undefined && verdict >= 0) of.falseHits++;
    }
  }
  const total = createTally();
  for (const kind of MOVERS) addTally(total, tallies[kind]);
  const tickMs = 1000 / TICK_RATE;
  return {
    tallies,
    total,
    unheard,
    cut: network.match.seat(shooter.seat)?.stats.clampedViews ?? 0,
    rewindMeanMs: (rewound / judged.size) * tickMs,
    rewindMaxMs: rewoundMost * tickMs,
  };
}

export function createTally(): Tally {
  return { drawnHits: 0, hits: 0, drawnMisses: 0, falseHits: 0 };
}

export function addTally(to: Tally, tally: Readonly<Tally>): void {
  to.drawnHits += tally.drawnHits;
  to.hits += tally.hits;
  to.drawnMisses += tally.drawnMisses;
  to.falseHits += tally.falseHits;
}

/** The first of the picture's circles that the ray meets; -1: none. Worked out apart from the engine. */
function hitInPicture(
  picture: readonly (readonly [id: number, x: number, y: number])[],
  x: number,
  y: number,
  aim: number,
): number {
  let nearest = RANGE;
  let hit = -1;
  for (const [id, targetX, targetY] of picture) {
    const dx = targetX - x;
    const dy = targetY - y;
    const along = dx * Math.cos(aim) + dy * Math.sin(aim);
    const off = dx * Math.sin(aim) - dy * Math.cos(aim);
    if (Math.abs(off) > RADIUS || along < 0) continue;
    const entered = along - Math.sqrt(RADIUS * RADIUS - off * off);
    if (entered > nearest) continue;
    nearest = entered;
    hit = id;
  }
  return hit;
}

interface Moving {
  x: number;
  y: number;
  vx: number;
  vy: number;
  blinks: number;
}

/** Sets how fast a mover is in this tick, and where, if it teleports. */
function move(kind: MoverKind, mover: Moving, tick: number, random: { next(): number }): void {
  const turn = (metresPerSecond: number): void => {
    const direction = random.next() * 2 * Math.PI;
    mover.vx = Math.cos(direction) * metresPerSecond;
    mover.vy = Math.sin(direction) * metresPerSecond;
  };
  if (kind === "walks" && tick % 90 === 0) turn(2);
  if (kind === "strafes" && tick % 30 === 0) {
    mover.vx = 0;
    mover.vy = mover.vy > 0 ? -SPEED : SPEED;
  }
  // 4 m in a fifth of a second, and then on at a walk.
  if (kind === "dashes" && tick % 60 === 0) turn(20);
  if (kind === "dashes" && tick % 60 === 12) turn(2);
  if (kind === "teleports" && tick % 45 === 0) {
    turn(3);
    mover.x = YARD_X + (random.next() * 2 - 1) * YARD;
    mover.y = (random.next() * 2 - 1) * YARD;
    mover.blinks = (mover.blinks + 1) & 255;
  }
}
