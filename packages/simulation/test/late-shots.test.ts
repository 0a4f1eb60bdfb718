/** Shots whose inputs arrive after their tick was simulated are judged at their own picture, once, and none is lost. */
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
  float,
  HitRegistration,
  weaponFields,
} from "@riposte/simulation";
import type { InputOf } from "@riposte/simulation";
import { TestNetwork } from "./link.ts";

const kit = defineWeapons({ tickRate: 60, weapons: { rifle: { kind: "ray", range: 60, intervalTicks: 3 } } });
const coordinate = float({ min: -50, max: 50, step: 1 / 512 });
const states = {
  players: defineState(
    { x: coordinate, y: coordinate, aim: angle({ bits: 14 }), ...weaponFields(kit) },
    { capacity: 8, hitbox: circle({ radius: 0.3 }) },
  ),
};

interface Shot {
  readonly tick: number;
  readonly isLate: boolean;
  readonly hit: boolean;
  readonly reason: string;
}

function createGame(withLate: boolean) {
  const shots: Shot[] = [];
  /** Ticks in which the shooter's client fires. */
  const fired: number[] = [];
  const game = defineGame({
    tickRate: 60,
    states,
    input: defineInput({ moveY: float({ min: -1, max: 1, step: 1 / 64 }), fire: bool(), aim: angle({ bits: 14 }) }),
    join: (world, client) => void world.players.spawn(client.id, { x: client.id * 12, y: 0 }),
    late(world, input, seat, tick) {
      const player = world.players.firstOwnedBy(seat);
      if (!withLate || player === undefined || !input.fire) return;
      const request = { weapon: "rifle", angle: input.aim, tick } as const;
      const { hit, reasons } = HitRegistration.of(kit, world.players).judge(player, request, world);
      shots.push({ tick, isLate: true, hit: hit !== undefined, reason: reasons.join() });
    },
    step(world, inputs) {
      for (const player of world.players) {
        const input = inputs.of(player);
        player.y += input.moveY * 6 * world.dt;
        player.aim = input.aim;
        if (!input.fire) continue;
        const request = { weapon: "rifle", angle: input.aim } as const;
        const { hit, reasons } = HitRegistration.of(kit, world.players).judge(player, request, world);
        if (world.isServer)
          shots.push({ tick: world.tick, isLate: false, hit: hit !== undefined, reason: reasons.join() });
        else if (!world.isReplay) fired.push(world.tick);
      }
    },
  });
  return { game, shots, fired };
}

/** A player on a line that now and then holds everything back shoots at what it sees; returns what it fired, by tick. */
function play(withLate: boolean, stallMs = 230) {
  const { game, shots, fired } = createGame(withLate);
  const still: InputOf<typeof game> = { moveY: 0, fire: false, aim: 0 };
  const network = new TestNetwork(game, { inputs: { repeatInputMs: 0 } });
  const shooter = network.add({ latencyMs: 80, jitterMs: 10 }, still);
  const target = network.add({ latencyMs: 40 }, still);
  let frame = 0;
  target.onFrame = (): void => {
    target.input = { ...still, moveY: Math.floor(frame++ / 41) % 2 === 0 ? 1 : -1 };
  };
  network.run(2500);
  let wait = 0;
  let left = 120;
  shooter.onFrame = (): void => {
    const me = shooter.client.world.players.firstOwnedBy(shooter.seat);
    const seen = [...shooter.client.view.players].find((row) => row.owner === target.seat);
    if (me === undefined || seen === undefined) return;
    const fire = wait++ % 7 === 0 && left-- > 0;
    shooter.input = { ...still, aim: Math.atan2(seen.y - me.y, seen.x - me.x), fire };
    // The line stalls every second.
    shooter.burstMs = wait % 60 === 0 ? stallMs : 0;
  };
  network.run(16_000);
  const { match } = network;
  const { lateVerdicts, reasons } = match.lagCompensation.report();
  return { fired, shots, stats: match.seat(shooter.seat)?.stats, lateVerdicts, reasons };
}

describe("inputs that come late", () => {
  it("are judged once, where the shooter aimed", () => {
    const { fired, shots, stats, lateVerdicts } = play(true);
    const late = shots.filter(({ isLate }) => isLate);
    assert.ok(fired.length >= 120 && late.length >= 5, `${late.length} of ${fired.length} came late`);
    assert.deepEqual(ascending(shots), ascending(fired.map((tick) => ({ tick }))), "one verdict for each");
    // Frames of two ticks fire twice.
    const allowed = shots.filter(({ reason }) => reason !== "fireRate");
    assert.ok(allowed.length >= 120);
    assert.deepEqual(
      allowed.filter(({ hit }) => !hit),
      [],
    );
    assert.ok(stats !== undefined && stats.lateInputs >= late.length);
    assert.equal(stats.tooLateInputs, 0);
    assert.equal(lateVerdicts, late.length);
  });

  it("are counted when they are more than 250 ms late", () => {
    const { fired, shots, stats, reasons } = play(true, 450);
    assert.ok(stats !== undefined && stats.tooLateInputs > 20, `${stats?.tooLateInputs}`);
    assert.equal(reasons.tooLate, stats.tooLateInputs);
    assert.ok(shots.length < fired.length && shots.some(({ isLate }) => isLate));
    assert.equal(new Set(shots.map(({ tick }) => tick)).size, shots.length, "and none is judged twice");
  });

  it("are made what they may be, as all inputs", () => {
    const late: { fire: boolean; aim: number }[] = [];
    const game = defineGame({
      tickRate: 60,
      states,
      input: defineInput({ fire: bool(), aim: angle({ bits: 14 }) }),
      join: (world, client) => void world.players.spawn(client.id),
      sanitize(input) {
        input.fire = false;
        input.aim = 0.5;
      },
      late: (_world, { fire, aim }) => void late.push({ fire, aim }),
      step: () => undefined,
    });
    const network = new TestNetwork(game);
    const player = network.add({ latencyMs: 50 }, { fire: true, aim: 3 });
    network.run(2000);
    player.burstMs = 230;
    network.run(1000);
    assert.ok(late.length > 3, `${late.length}`);
    for (const { fire, aim } of late) assert.ok(!fire && Math.abs(aim - 0.5) < 1e-3);
  });

  it("are lost when nobody judges them: the test can fail", () => {
    const { fired, shots } = play(false);
    assert.ok(shots.length < fired.length, `${shots.length} of ${fired.length}`);
  });
});

function ascending(shots: readonly { readonly tick: number }[]): number[] {
  return shots.map(({ tick }) => tick).toSorted((a, b) => a - b);
}
