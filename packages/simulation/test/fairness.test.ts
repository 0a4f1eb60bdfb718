/** How far shooters are favoured, over the network: what the settings do to shots at somebody who walks behind a wall. */
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
  replayReceipt,
} from "@riposte/simulation";
import { HitRegistration } from "@riposte/simulation";
import type { FavorChange } from "@riposte/simulation";
import { TestNetwork } from "./link.ts";
import { meterLinks } from "./link-meter.ts";

const coordinate = float({ min: -200, max: 200, step: 1 / 512 });
const kit = defineWeapons({
  tickRate: 60,
  weapons: { rifle: { kind: "ray", range: 60 }, bow: { kind: "ray", range: 60 } },
  validationsPerSec: 1000,
});
/** The walker is out of the shooter's sight where its y is above 0, and gets there every four seconds. */
const WALK_TICKS = 240;
const SPEED = 6;

interface Shot {
  readonly weapon: string;
  readonly rewindMs: number;
  /** Since when the walker has really been behind the wall. */
  readonly coverMs: number;
  readonly isHit: boolean;
  readonly protection: string | undefined;
}
const shots: Shot[] = [];

const game = defineGame({
  tickRate: 60,
  states: {
    players: defineState(
      { x: coordinate, y: coordinate, phase: float({ min: 0, max: WALK_TICKS, step: 1 }) },
      { capacity: 4, hitbox: circle({ radius: 0.5 }) },
    ),
  },
  input: defineInput({ fire: bool(), withBow: bool(), aim: angle({ bits: 14 }) }),
  statics: { boxes: [{ x: 5, y: 5, width: 1, height: 10 }] },
  join(world, client) {
    world.players.spawn(client.id, { x: client.id * 10, y: 0 });
  },
  step(world, inputs) {
    const walker = world.players.firstOwnedBy(1);
    const shooter = world.players.firstOwnedBy(0);
    if (walker !== undefined) {
      walker.phase = (walker.phase + 1) % WALK_TICKS;
      walker.y = -6 + (walker.phase / 60) * SPEED;
    }
    if (walker === undefined || shooter === undefined || !world.isServer) return;
    const { fire, withBow, aim } = inputs.of(shooter);
    if (!fire) return;
    const weapon = withBow ? "bow" : "rifle";
    const victims = FairVictims.of(world.players);
    const verdict = HitRegistration.of(kit, world.players, { victims }).judge(shooter, { weapon, angle: aim }, world);
    const [met] = verdict.hits;
    shots.push({
      weapon,
      rewindMs: verdict.rewindMs,
      coverMs: Math.max(0, (walker.y / SPEED) * 1000),
      isHit: verdict.hit !== undefined,
      protection: met?.protection,
    });
  },
});

/** A shooter fires in every tick in which it sees the walker, exactly at it. */
function play(favorTheShooter: FavorChange, latencyMs = 150, settleMs = 6000) {
  const network = new TestNetwork(game, { favorTheShooter });
  meterLinks(network);
  const shooter = network.add({ latencyMs, jitterMs: 5 }, { fire: false, withBow: false, aim: 0 });
  const walker = network.add({ latencyMs: 40 }, { fire: false, withBow: false, aim: 0 });
  let frame = 0;
  shooter.onFrame = (): void => {
    const seen = [...shooter.client.view.players].find((row) => row.owner === walker.seat);
    const isSeen = seen !== undefined && seen.y < -0.1;
    shooter.input = { fire: isSeen, withBow: frame++ % 2 === 0, aim: isSeen ? Math.atan2(seen.y, seen.x) : 0 };
  };
  network.run(settleMs);
  shots.length = 0;
  network.run(12_000);
  assert.ok(shots.length > 100, `${shots.length} shots`);
  return { network, shooter, walker };
}

const behind = (): Shot[] => shots.filter(({ coverMs }) => coverMs > 0);
/** What a tick can be off. */
const TICK_MS = 1000 / 60 + 0.1;

describe("a victim behind cover", () => {
  it("is hit as long as the shooter saw it, unless the settings say otherwise", () => {
    play({});
    assert.ok(shots.every(({ isHit }) => isHit));
    assert.ok(Math.max(...shots.map(({ coverMs }) => coverMs)) > 180);
  });

  it("is spared when it has been there for longer than is set, and hit when it has just gone there", () => {
    play({ behindCoverMs: 100 });
    let spared = 0;
    let hit = 0;
    for (const { coverMs, isHit, protection } of behind()) {
      if (coverMs > 100 + TICK_MS) {
        assert.equal(protection, "behindCover", `after ${coverMs} ms`);
        spared++;
      } else if (coverMs < 100 - TICK_MS) {
        assert.equal(isHit, true, `after ${coverMs} ms`);
        hit++;
      }
    }
    assert.ok(spared >= 10 && hit >= 10, `${spared} spared, ${hit} hit`);
  });

  it("is spared by one weapon and not by another, and otherwise as soon as the settings change", () => {
    const { network } = play({ weapons: { bow: { behindCoverMs: 50 } } });
    const late = (): Shot[] => shots.filter(({ coverMs }) => coverMs > 50 + TICK_MS);
    assert.ok(late().length > 20);
    for (const { weapon, isHit } of late()) assert.equal(isHit, weapon === "rifle");
    network.match.favorTheShooter.change({ behindCoverMs: 50, weapons: { bow: { behindCoverMs: "off" } } });
    shots.length = 0;
    network.run(8000);
    assert.ok(late().length > 10);
    for (const { weapon, isHit } of late()) assert.equal(isHit, weapon === "bow");
  });

  it("bears no more than its budget", () => {
    play({ coverBudgetMs: 300, coverWindowMs: 60_000 }, 150, 0);
    const borne = behind().filter(({ isHit }) => isHit);
    const sum = borne.reduce((ms, { coverMs }) => ms + coverMs, 0);
    // In 12 seconds a budget, and what of it has come back.
    assert.ok(borne.length > 0 && sum <= 300 * 1.2 + borne.length * TICK_MS, `${sum} ms`);
    assert.ok(behind().some(({ protection }) => protection === "coverBudget"));
    assert.ok(
      shots.every(({ coverMs, isHit }) => coverMs > 0 || isHit),
      "in the open it is hit",
    );
  });
});

describe("a victim behind a door", () => {
  const CYCLE_TICKS = 120;
  const CLOSED_TICKS = 40;
  const judged: { closedMs: number; isHit: boolean; protection: string | undefined }[] = [];
  const doorGame = defineGame({
    tickRate: 60,
    states: {
      players: defineState({ x: coordinate, y: coordinate }, { capacity: 4, hitbox: circle({ radius: 0.5 }) }),
      doors: defineState(
        { x: coordinate, y: coordinate },
        { capacity: 2, hitbox: circle({ radius: 1 }), blocks: true },
      ),
    },
    input: defineInput({ fire: bool() }),
    join: (world, client) => void world.players.spawn(client.id, { x: client.id * 10, y: 0 }),
    step(world, inputs) {
      if (!world.isServer) return;
      const phase = world.tick % CYCLE_TICKS;
      const door = world.doors.get(0) ?? world.doors.spawn(-1, { x: 5, y: 8 });
      door.y = phase < CLOSED_TICKS ? 0 : 8;
      const shooter = world.players.firstOwnedBy(0);
      if (shooter === undefined || !inputs.of(shooter).fire) return;
      const victims = FairVictims.of(world.players);
      const registration = HitRegistration.of(kit, world.players, { victims });
      const { hit, hits } = registration.judge(shooter, { weapon: "rifle", angle: 0 }, world);
      const closedMs = phase < CLOSED_TICKS ? ((phase + 1) * 1000) / 60 : 0;
      judged.push({ closedMs, isHit: hit !== undefined, protection: hits[0]?.protection });
    },
  });

  it("is spared when it has been closed for longer than is set, and not when it was open", () => {
    const receipts: Uint8Array[] = [];
    const sink = { write: (bytes: Uint8Array): boolean => receipts.push(bytes.slice()) > 0 };
    const network = new TestNetwork(doorGame, { favorTheShooter: { behindCoverMs: 100 }, receipts: { sink } });
    const shooter = network.add({ latencyMs: 150, jitterMs: 5 }, { fire: false });
    network.add({ latencyMs: 40 }, { fire: false });
    // It fires in every tick in which it sees the door open.
    shooter.onFrame = (): void => {
      const [door] = [...shooter.client.view.doors];
      shooter.input = { fire: door !== undefined && door.y > 7.9 };
    };
    network.run(6000);
    judged.length = receipts.length = 0;
    network.run(12_000);
    const closed = judged.filter(({ closedMs }) => closedMs > 0);
    const spared = closed.filter(({ closedMs }) => closedMs > 100 + TICK_MS);
    const hit = closed.filter(({ closedMs }) => closedMs < 100 - TICK_MS);
    assert.ok(spared.length > 20 && hit.length > 20, `${spared.length} spared, ${hit.length} hit`);
    assert.ok(spared.every(({ protection }) => protection === "behindCover"));
    assert.ok(hit.every(({ isHit }) => isHit));
    const behindOpen = judged.filter(({ closedMs }) => closedMs === 0);
    assert.ok(behindOpen.length > 100 && behindOpen.every(({ isHit }) => isHit));
    assert.equal(receipts.length, judged.length);
    assert.ok(receipts.every((receipt) => replayReceipt(receipt).agrees));
  });
});

describe("a shooter", () => {
  it("is looked back for no longer than its weapon may", () => {
    const { network, shooter } = play({ weapons: { bow: { maxRewindMs: 100 } } });
    for (const { weapon, rewindMs } of shots) {
      if (weapon === "bow") assert.ok(rewindMs <= 100.1, `${rewindMs} ms`);
      else assert.ok(rewindMs > 150, `${rewindMs} ms`);
    }
    const { stats } = network.match.seat(shooter.seat) ?? {};
    assert.equal(stats?.clampedViews, 0, "that is no false claim");
  });

  it("gets the part of its rewind that its latency is favoured with", () => {
    const latencyBands = [
      { rttMs: 100, favor: 1 },
      { rttMs: 200, favor: 0 },
    ];
    const mean = (): number => shots.reduce((sum, { rewindMs }) => sum + rewindMs, 0) / shots.length;
    play({ latencyBands }, 60);
    const near = mean();
    play({}, 60);
    assert.ok(Math.abs(mean() - near) < 3, "below the first band all of it");
    play({}, 150);
    const all = mean();
    play({ latencyBands }, 150);
    // From the shortest round trip lately, which jitter makes some milliseconds shorter.
    assert.ok(mean() > 0.45 * all && mean() < 0.7 * all, `${mean()} of ${all} ms`);
    play({ latencyBands }, 250);
    assert.ok(mean() <= TICK_MS, "at the present");
    assert.ok(
      shots.every(({ isHit }) => !isHit),
      "where nobody is any more",
    );
  });
});

describe("peeker's advantage", () => {
  it("over somebody who draws others ahead is what it is over others: nobody is drawn before the news of it", () => {
    const network = new TestNetwork(game);
    meterLinks(network);
    const idle = { fire: false, withBow: false, aim: 0 };
    for (const interpolationMode of ["extrapolation", "ahead"] as const)
      network.add({ latencyMs: 160 }, idle, { interpolationMode });
    network.run(8000);
    const [present, ahead] = network.players.map(({ seat }) => network.match.seat(seat)?.delays.viewDelayMs ?? 0);
    assert.ok(present > 80 && Math.abs(present - ahead) < 17, `${present} and ${ahead} ms`);
  });

  it("is measured between players, and is what is seen on their screens", () => {
    const network = new TestNetwork(game);
    meterLinks(network);
    const idle = { fire: false, withBow: false, aim: 0 };
    network.add({ latencyMs: 40 }, idle);
    network.add({ latencyMs: 160, jitterMs: 5 }, idle);
    network.run(8000);
    const { peekersAdvantage, players } = network.match.fairness();
    const { pairs, mostMs, medianMs } = peekersAdvantage;
    assert.deepEqual(
      players.map(({ seat, favor }) => [seat, favor]),
      [
        [0, 1],
        [1, 1],
      ],
    );
    assert.ok(players.every(({ rttMs = 0, honestAgeMs = 0 }) => rttMs > 30 && honestAgeMs > rttMs));
    assert.equal(pairs, 2);
    assert.ok(mostMs >= medianMs);
    // What was really on the screens: the input of a tick is given so long before it is drawn elsewhere.
    for (const [peeker, holder] of [
      [0, 1],
      [1, 0],
    ]) {
      const given = new Map<number, number>();
      const waits: number[] = [];
      const first = network.players[peeker];
      const second = network.players[holder];
      first.onFrame = (now): void => {
        const { predictedTick } = first.client;
        if (!given.has(predictedTick)) given.set(predictedTick, now);
      };
      let drawn = -1;
      second.onFrame = (now): void => {
        const tick = Math.floor(second.client.view.tick);
        const at = given.get(tick);
        if (tick > drawn && at !== undefined) waits.push(now - at);
        drawn = tick;
      };
      network.run(4000);
      const seen = waits.reduce((sum, wait) => sum + wait, 0) / waits.length;
      const a = network.match.seat(first.seat)?.delays.inputDelayMs ?? Number.NaN;
      const b = network.match.seat(second.seat)?.delays.viewDelayMs ?? Number.NaN;
      assert.ok(waits.length > 100);
      assert.ok(Math.abs(a + b - seen) < 20, `measured ${a + b} ms, seen ${seen} ms`);
      first.onFrame = second.onFrame = undefined;
    }
  });
});
