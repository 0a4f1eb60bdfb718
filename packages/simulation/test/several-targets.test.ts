/** Shots that may hit players and monsters, over bad lines: what a client foresees is what the server judges. */
import assert from "node:assert/strict";
import { it } from "node:test";
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
  PredictedHits,
  replayReceipt,
} from "@riposte/simulation";
import type { WorldOf } from "@riposte/simulation";
import { TestNetwork } from "./link.ts";

const kit = defineWeapons({ tickRate: 60, weapons: { rifle: { kind: "ray", range: 60, intervalTicks: 0 } } });
const coordinate = float({ min: -50, max: 50, step: 1 / 512 });
const hitbox = circle({ radius: 0.5 });
const foreseen = new PredictedHits({ tickRate: 60, confirmWithinMs: 5000 });
const judged = { players: 0, monsters: 0, nobody: 0 };
const told: Parameters<PredictedHits["judge"]>[0][] = [];

const game = defineGame({
  tickRate: 60,
  states: {
    players: defineState({ x: coordinate, y: coordinate }, { capacity: 4, hitbox }),
    monsters: defineState({ x: coordinate, y: coordinate }, { capacity: 4, hitbox }),
  },
  input: defineInput({ moveY: float({ min: -1, max: 1, step: 1 / 64 }), fire: bool(), aim: angle({ bits: 14 }) }),
  join(world, client) {
    world.players.spawn(client.id, { x: client.id * 12, y: 0 });
    // The second monster and the second player have the same id.
    for (const x of client.id === 0 ? [-40, 6] : []) world.monsters.spawn(-1, { x, y: 0 });
  },
  step(world, inputs) {
    if (world.isServer) for (const monster of world.monsters) monster.y = Math.sin(world.tick / 20) * 2;
    for (const player of world.players) {
      const { moveY, fire, aim } = inputs.of(player);
      player.y += moveY * 6 * world.dt;
      if (!fire) continue;
      if (!world.isServer) foreseen.fire(world.tick, () => shoot(world, player, aim));
      else {
        const hit = shoot(world, player, aim);
        judged[hit?.table ?? "nobody"]++;
        told.push({ tick: world.tick, hit });
      }
    }
  },
});

function shoot(world: WorldOf<typeof game>, shooter: ReturnType<typeof world.players.rowAt>, aim: number) {
  const registration = HitRegistration.of(kit, [world.players, world.monsters]);
  const { hit } = registration.judge(shooter, { weapon: "rifle", angle: aim }, world);
  return hit && { table: hit.table, target: hit.id, hitbox: hit.hitbox };
}

it("hits of two states, with the same ids, are foreseen and come true", () => {
  const receipts: Uint8Array[] = [];
  const sink = { write: (bytes: Uint8Array): boolean => receipts.push(bytes.slice()) > 0 };
  const network = new TestNetwork(game, { receipts: { sink } });
  const still = { moveY: 0, fire: false, aim: 0 };
  const shooter = network.add({ latencyMs: 120, jitterMs: 20, lossRate: 0.03 }, still);
  const target = network.add({ latencyMs: 40 }, still);
  let frame = 0;
  target.onFrame = (): void => {
    target.input = { ...still, moveY: Math.floor(frame++ / 50) % 2 === 0 ? 1 : -1 };
  };
  network.run(2500);
  shooter.onFrame = (): void => {
    const { view, world } = shooter.client;
    const me = world.players.firstOwnedBy(shooter.seat);
    const player = [...view.players].find(({ owner }) => owner === target.seat);
    const [, monster] = [...view.monsters];
    const seen = frame % 12 < 6 ? player : monster;
    if (me === undefined || seen === undefined) return;
    shooter.input = { ...still, aim: Math.atan2(seen.y - me.y, seen.x - me.x), fire: frame % 3 === 0 };
  };
  network.run(5000);
  shooter.onFrame = undefined;
  shooter.input = still;
  network.run(1000);
  told.forEach((verdict) => foreseen.judge(verdict));
  const { predicted, confirmed, revoked, surprised } = foreseen.stats;
  assert.ok(judged.players > 20 && judged.monsters > 20, JSON.stringify(judged));
  assert.ok(confirmed > 50 && confirmed === predicted, `${confirmed} of ${predicted}, ${revoked} taken back`);
  assert.ok(surprised < 3, `${surprised} surprises`);
  assert.ok(receipts.length === told.length && receipts.every((receipt) => replayReceipt(receipt).agrees));
  const { hitsByTable } = network.match.lagCompensation.report();
  assert.deepEqual(hitsByTable, { players: judged.players, monsters: judged.monsters });
});
