/** Receipts of shots in a real match, over bad lines: they replay to the verdicts that were given. */
import assert from "node:assert/strict";
import { it } from "node:test";
import {
  angle,
  bool,
  capsule,
  defineGame,
  defineInput,
  defineState,
  defineWeapons,
  float,
  HitRegistration,
  replayReceipt,
  weaponFields,
} from "@riposte/simulation";
import type { InputOf } from "@riposte/simulation";
import { TestNetwork } from "./link.ts";

const kit = defineWeapons({
  tickRate: 60,
  weapons: {
    rifle: { kind: "ray", range: 60, intervalTicks: 3 },
    scatter: { kind: "pellets", range: 40, pellets: 6, spread: 0.05, intervalTicks: 20 },
  },
});
const coordinate = float({ min: -50, max: 50, step: 1 / 512, velocity: "vy" });
const game = defineGame({
  tickRate: 60,
  states: {
    players: defineState(
      {
        x: float({ min: -50, max: 50, step: 1 / 512 }),
        y: coordinate,
        vy: float({ min: -20, max: 20, step: 1 / 64 }),
        aim: angle({ bits: 14 }),
        ...weaponFields(kit),
      },
      { capacity: 8, hitbox: capsule({ radius: 0.3, length: 1, angle: "aim" }) },
    ),
  },
  input: defineInput({ moveY: float({ min: -1, max: 1, step: 1 / 64 }), fire: bool(), aim: angle({ bits: 14 }) }),
  statics: { circles: [{ x: 4, y: 0, radius: 1 }] },
  join: (world, client) => void world.players.spawn(client.id, { x: client.id * 8, y: 0 }),
  step(world, inputs) {
    const registration = HitRegistration.of(kit, world.players);
    for (const player of world.players) {
      const input = inputs.of(player);
      player.vy = input.moveY * 6;
      player.y += player.vy * world.dt;
      player.aim = input.aim;
      if (!input.fire) continue;
      registration.judge(player, { weapon: "rifle", angle: input.aim, claim: 1 }, world);
      registration.judge(player, { weapon: "scatter", angle: input.aim }, world);
    }
  },
});
const still: InputOf<typeof game> = { moveY: 0, fire: false, aim: 0 };

for (const mode of ["linear", "hermite", "extrapolation"] as const) {
  it(`receipts of a match replay to its verdicts, drawn "${mode}"`, () => {
    const receipts: Uint8Array[] = [];
    const sink = { write: (bytes: Uint8Array): boolean => receipts.push(bytes.slice()) > 0 };
    const network = new TestNetwork(game, { receipts: { sink, keep: () => true } });
    const shooter = network.add({ latencyMs: 120, jitterMs: 30, lossRate: 0.05 }, still);
    const targets = [1, 2].map(() => network.add({ latencyMs: 40 }, still));
    shooter.client.interpolationMode = mode;
    let frame = 0;
    for (const target of targets)
      target.onFrame = (): void => {
        target.input = { ...still, moveY: Math.floor(frame++ / 80) % 2 === 0 ? 1 : -1, aim: frame % 6 };
      };
    network.run(2500);
    let wait = 0;
    shooter.onFrame = (): void => {
      const me = shooter.client.world.players.firstOwnedBy(shooter.seat);
      const seen = [...shooter.client.view.players].find((row) => row.owner === targets[wait % 2].seat);
      if (me === undefined || seen === undefined) return;
      shooter.input = { ...still, aim: Math.atan2(seen.y - me.y, seen.x - me.x), fire: wait++ % 5 === 0 };
    };
    network.run(4000);
    let hits = 0;
    let mixed = 0;
    for (const bytes of receipts) {
      const { agrees, recorded, replayed, receipt } = replayReceipt(bytes);
      assert.deepEqual(replayed, recorded);
      assert.ok(agrees);
      if (recorded.outcome === "hit") hits++;
      if (receipt.histories[0].entities.some(({ picture }) => picture.fraction > 0 && picture.mode === mode)) mixed++;
    }
    assert.ok(receipts.length > 60 && hits > 10 && mixed > 20, `${receipts.length}, ${hits} hits, ${mixed} mixed`);
    const { verdicts, hits: counted } = network.match.lagCompensation.report();
    assert.deepEqual([verdicts, counted], [receipts.length, hits]);
    assert.deepEqual(network.match.receipts, { kept: receipts.length, dropped: 0 });
  });
}
