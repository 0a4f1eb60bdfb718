/** The mode "ahead": others are drawn towards the server's present, and shots are judged by what is drawn. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  angle,
  bool,
  circle,
  defineGame,
  defineInput,
  defineState,
  defineWeapons,
  FairVictims,
  float,
  HitRegistration,
  REWIND_BUCKETS_MS,
} from "@riposte/simulation";
import type { FavorChange, GameClientOptions } from "@riposte/simulation";
import { TickRandom } from "../src/game/random.ts";
import { doctor, wireTick } from "./doctored-client.ts";
import { TestNetwork } from "./link.ts";
import type { LinkConditions } from "./link.ts";
import { meterLinks } from "./link-meter.ts";

const TICK_MS = 1000 / 60;
const SPEED = 4;
const coordinate = { min: -64, max: 64, step: 1 / 1024 } as const;
const kit = defineWeapons({
  tickRate: 60,
  weapons: { rifle: { kind: "ray", range: 60 } },
  validationsPerSec: 1000,
});

interface Verdict {
  readonly tick: number;
  readonly viewTick: number;
  readonly rewindMs: number;
  /** -1: nobody. */
  readonly hit: number;
  readonly protection: string | undefined;
  /** Where the walkers really are, and where the server says that they were drawn: y, by id. */
  readonly places: ReadonlyMap<number, number>;
  readonly poses: ReadonlyMap<number, number>;
}
const judged = new Map<number, Verdict>();
/** What the shooter's own client says, by tick. */
const foreseen = new Map<number, number>();
const pose = { x: 0, y: 0, z: 0, angle: 0 };

interface Walks {
  /** Walkers go up and down along y, and turn after so many ticks. */
  readonly turnTicks?: number;
  /** From one to the next. */
  readonly spread?: number;
  /** Whether a wall hides those above y = 0. */
  readonly hasCover?: boolean;
}

function walkingGame({ turnTicks = 180, spread = 6, hasCover = false }: Walks = {}) {
  return defineGame({
    tickRate: 60,
    snapshotRate: 30,
    states: {
      players: defineState({ x: float(coordinate), y: float(coordinate) }, { capacity: 2 }),
      walkers: defineState(
        {
          x: float(coordinate),
          y: float({ ...coordinate, velocity: "vy" }),
          vy: float({ min: -16, max: 16, step: 1 / 64 }),
        },
        { capacity: 8, hitbox: circle({ radius: 0.5 }) },
      ),
    },
    input: defineInput({ fire: bool(), aim: angle({ bits: 24 }) }),
    statics: { boxes: hasCover ? [{ x: 5, y: 10, width: 1, height: 20 }] : [] },
    join(world, client) {
      world.players.spawn(client.id);
      for (let i = 0; i < 4; i++) world.walkers.spawn(-1, { x: 15 + i * 3, y: (i - 2) * spread, vy: SPEED });
    },
    step(world, inputs) {
      const me = world.players.firstOwnedBy(0);
      if (me !== undefined && inputs.of(me).fire) {
        const victims = FairVictims.of(world.walkers, {}, world.players);
        const registration = HitRegistration.of(kit, world.walkers, { victims }, world.players);
        const verdict = registration.judge(me, { weapon: "rifle", angle: inputs.of(me).aim }, world);
        const hit = verdict.hit?.id ?? -1;
        if (!world.isServer) foreseen.set(world.tick, foreseen.get(world.tick) ?? hit);
        else {
          const { viewTick, rewindMs } = verdict;
          const places = new Map<number, number>();
          const poses = new Map<number, number>();
          const seen = world.walkers.seenBy(me);
          for (const walker of world.walkers) {
            places.set(walker.id, walker.y);
            if (seen.poseOf(walker, pose)) poses.set(walker.id, pose.y);
          }
          const protection = verdict.hits[0]?.protection;
          judged.set(world.tick, { tick: world.tick, viewTick, rewindMs, hit, protection, places, poses });
        }
      }
      if (!world.isServer) return;
      for (const walker of world.walkers) {
        if ((world.tick + walker.index * 37) % turnTicks === 0) walker.vy = -walker.vy;
        walker.y += walker.vy * world.dt;
      }
    },
  });
}

interface Range extends Walks {
  readonly favorTheShooter?: FavorChange;
  /** Past the middle of a target by up to this. Default 1.2: about half of the shots miss. */
  readonly off?: number;
  /** How fast the shooter's clock runs. Default 1. */
  readonly clockRate?: number;
}

/** Somebody shoots at what is drawn, for twenty seconds. */
function play(link: LinkConditions, options: GameClientOptions, range: Range = {}) {
  const { favorTheShooter = {}, off = 1.2, clockRate = 1 } = range;
  const network = new TestNetwork(walkingGame(range), { maxRewindMs: 750, favorTheShooter });
  meterLinks(network);
  const shooter = network.add(link, { fire: false, aim: 0 }, options);
  const random = new TickRandom();
  random.reseed(5, 5);
  shooter.clockRate = clockRate;
  /** Where the walkers were drawn, by the tick of the next input. */
  const drawn = new Map<number, ReadonlyMap<number, number>>();
  let frame = 0;
  shooter.onFrame = (): void => {
    const { view, predictedTick } = shooter.client;
    const target = [...view.walkers.all()].at(random.next() * view.walkers.count);
    const fire = frame++ % 4 === 0 && target !== undefined;
    if (!fire) return void (shooter.input = { fire: false, aim: 0 });
    const past = ((random.next() * 2 - 1) * off) / target.x;
    shooter.input = { fire, aim: Math.atan2(target.y, target.x) + past };
    drawn.set(predictedTick + 1, new Map(Array.from(view.walkers.all(), ({ id, y }) => [id, y])));
  };
  network.run(6000);
  judged.clear();
  foreseen.clear();
  network.run(20_000);
  const shots = [...judged.values()].filter(({ tick }) => foreseen.has(tick));
  assert.ok(shots.length > 250, `${shots.length} shots`);
  const drawnHits = shots.filter(({ tick }) => (foreseen.get(tick) ?? -1) >= 0);
  const agreed = shots.filter(({ tick, hit }) => foreseen.get(tick) === hit);
  /** How far they were drawn from where they are, or are said to have been drawn, when the shot is judged. */
  const distances = (which: "places" | "poses"): number[] =>
    shots.flatMap((shot) =>
      Array.from(drawn.get(shot.tick) ?? [], ([id, y]) => Math.abs((shot[which].get(id) ?? Number.NaN) - y)),
    );
  return {
    network,
    shooter,
    shots,
    drawnHits: drawnHits.length,
    agreement: agreed.length / shots.length,
    depthMs: mean(shots.map(({ rewindMs }) => rewindMs)),
    /** In ms of their way. */
    behindMs: (median(distances("places")) / SPEED) * 1000,
    mistakes: distances("poses"),
    stats: network.match.seat(shooter.seat)?.stats,
  };
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
}

describe("a shot at others who are drawn ahead", () => {
  const far: LinkConditions = { latencyMs: 300 };

  it("is judged by so much later poses as was asked for, and hits what is drawn", () => {
    const present = play(far, { interpolationMode: "extrapolation" });
    assert.ok(present.depthMs > 300, `${present.depthMs} ms`);
    for (const extrapolateByMs of [50, 100, 150, 200]) {
      const ahead = play(far, { interpolationMode: "ahead", extrapolateByMs });
      const { drawnHits, agreement, stats } = ahead;
      const lessMs = present.depthMs - ahead.depthMs;
      assert.ok(Math.abs(lessMs - extrapolateByMs) < 5, `${lessMs} ms less for ${extrapolateByMs}`);
      const nearerMs = present.behindMs - ahead.behindMs;
      assert.ok(Math.abs(nearerMs - extrapolateByMs) < 10, `drawn ${nearerMs} ms nearer for ${extrapolateByMs}`);
      assert.ok(drawnHits > 100 && agreement >= 0.995, `${drawnHits} hits, ${agreement} of all shots agree`);
      assert.equal(stats?.clampedViews, 0);
    }
  });

  it("shows in the histogram of how far back the server looks", () => {
    for (const [interpolationMode, bucket] of [
      ["extrapolation", 400],
      ["ahead", 200], // 200 ms ahead by default
    ] as const) {
      const { rewindCounts } = play(far, { interpolationMode }).network.match.lagCompensation.report();
      assert.equal(REWIND_BUCKETS_MS[rewindCounts.indexOf(Math.max(...rewindCounts))], bucket);
    }
  });

  it("hits what is drawn on bad lines, too, by players who turn twice a second", () => {
    for (const link of [
      { latencyMs: 300, jitterMs: 20, lossRate: 0.02 },
      { latencyMs: 200, jitterMs: 40 },
    ]) {
      const { drawnHits, agreement, stats } = play(link, { interpolationMode: "ahead" }, { turnTicks: 30 });
      assert.ok(drawnHits > 100 && agreement >= 0.99, `${drawnHits} hits, ${agreement} of all shots agree`);
      assert.equal(stats?.clampedViews, 0);
    }
  });

  it("is judged by what slides, too, to some millimetres, also while the clocks are corrected", () => {
    for (const clockRate of [1, 1.005]) {
      const { mistakes } = play(far, { interpolationMode: "ahead" }, { turnTicks: 30, clockRate });
      assert.ok(mistakes.length > 1000 && Math.max(...mistakes) < 0.003, `${Math.max(...mistakes)} m`);
    }
  });

  it("is never at what is beyond the moment in which it is judged", () => {
    for (const latencyMs of [30, 80, 150]) {
      const { shots, depthMs, agreement, stats } = play({ latencyMs, jitterMs: 5 }, { interpolationMode: "ahead" });
      for (const { tick, viewTick } of shots) assert.ok(viewTick <= tick - 1, `a view of ${viewTick} at ${tick}`);
      assert.ok(depthMs < 45, `${depthMs} ms: a tick or two`);
      assert.ok(agreement >= 0.995, `${agreement}`);
      assert.equal(stats?.clampedViews, 0);
    }
  });

  it("spares whom walls have hidden for long, however new the picture is that it was carried on to", () => {
    // They come out of cover, turn round, and are carried on into the open.
    const favorTheShooter = { behindCoverMs: 170 };
    const walks = { turnTicks: 50, spread: 0.6, hasCover: true };
    const { shots } = play(far, { interpolationMode: "ahead" }, { ...walks, favorTheShooter, off: 0 });
    const spared = shots.filter(({ protection }) => protection === "behindCover");
    assert.ok(spared.length > 0);
    for (const { rewindMs } of spared) assert.ok(rewindMs < 170, `${rewindMs} ms`);
  });
});

describe("a cheat that claims to draw farther ahead", () => {
  it("than the moment in which its input is judged is looked at there", () => {
    for (const latencyMs of [40, 300]) {
      const network = new TestNetwork(walkingGame());
      meterLinks(network);
      const cheat = network.add({ latencyMs }, { fire: true, aim: 0 }, { interpolationMode: "ahead" });
      doctor(cheat, { stamp: (view) => void (view.viewTick = wireTick(view.viewTick + 60)) });
      network.run(4000);
      judged.clear();
      network.run(4000);
      const views = [...judged.values()];
      assert.ok(views.length > 200);
      // On the long line not even there: what it can have drawn is 200 ms beyond what it can have heard.
      const leastMs = Math.max(TICK_MS, latencyMs - 45 - 200);
      for (const { tick, viewTick } of views)
        assert.ok((tick - viewTick) * TICK_MS >= leastMs - TICK_MS / 2, `${viewTick} at ${tick}`);
      const { viewSuspicion = 0 } = network.match.seat(cheat.seat)?.stats ?? {};
      assert.ok(viewSuspicion > 0.5, `${viewSuspicion}`);
    }
  });
});
