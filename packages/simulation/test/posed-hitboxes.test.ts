/** Hitboxes that a game poses itself, by what a row has: hit where they stood on the shooter's screen, on both sides. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { angle, bool, defineGame, defineHitboxes, defineInput, defineState, float } from "@riposte/simulation";
import { TestNetwork } from "./link.ts";

const coordinate = float({ min: -50, max: 50, step: 1 / 512 });
const hitboxes = defineHitboxes(
  {
    body: { shape: "capsule", radius: 0.3, from: [0, 0, 0.4], to: [0, 0, 1.4] },
    head: { shape: "sphere", radius: 0.2, at: [0, 0, 1.7], multiplier: 4 },
  },
  { pose: "posed", extent: { radius: 1.5, low: 0, high: 2 } },
);
const Soldier = defineState(
  { x: coordinate, y: coordinate, lean: float({ min: -1, max: 1, step: 1 / 64 }), aim: angle({ bits: 12 }) },
  {
    hitboxes,
    turn: "aim",
    // Round a corner: the head goes to the side.
    pose: (soldier, place) => place("head", 0, soldier.lean, -Math.abs(soldier.lean) / 4),
  },
);

/** By side: what a ray at a height and to a side of the soldier meets, tick by tick. */
const met = new Map<string, string>();

it("stand where the shooter saw them, whatever the line", () => {
  const game = defineGame({
    tickRate: 60,
    states: {
      shooters: defineState({ x: coordinate, y: coordinate }),
      soldiers: Soldier,
    },
    input: defineInput({ fire: bool(), side: float({ min: -1, max: 1, step: 1 / 64 }) }),
    join(world, client) {
      world.shooters.spawn(client.id, { x: -10, y: 0 });
      world.soldiers.spawn(-1, { x: 0, y: 0 });
    },
    step(world, inputs) {
      for (const soldier of world.soldiers) if (world.isServer) soldier.lean = Math.sin(world.tick / 20);
      for (const shooter of world.shooters) {
        const { fire, side } = inputs.of(shooter);
        if (!fire || world.isReplay) continue;
        const height = 1.7 - Math.abs(side) / 4;
        const hit = world.soldiers.seenBy(shooter).performRaycast(-10, side, height, 1, 0, 0, 30);
        met.set(`${world.isServer ? "server" : "client"} ${world.tick}`, `${hit?.hitbox} ${hit?.multiplier}`);
      }
    },
  });
  const network = new TestNetwork(game);
  const player = network.add({ latencyMs: 150, jitterMs: 10, lossRate: 0.02 }, { fire: false, side: 0 });
  player.onFrame = (now): void => {
    const [soldier] = player.client.view.soldiers;
    if (soldier !== undefined) player.input = { fire: now > 1500, side: soldier.lean };
  };
  network.run(6000);
  let heads = 0;
  let same = 0;
  let shots = 0;
  for (const [key, what] of met) {
    if (!key.startsWith("client")) continue;
    const server = met.get(key.replace("client", "server"));
    if (server === undefined) continue;
    shots++;
    if (what === "head 4") heads++;
    if (what === server) same++;
  }
  assert.ok(shots > 150, `${shots} shots`);
  assert.ok(heads >= shots * 0.99, `${heads} of ${shots} met the head on the client`);
  assert.ok(same >= shots * 0.99, `${same} of ${shots} met the same on the server`);
});

it("are refused where they do not fit", () => {
  const fields = { x: coordinate, y: coordinate };
  assert.throws(() => defineState(fields, { hitboxes }), /"posed"/);
  assert.throws(() => defineState(fields, { pose: () => {} }), /"posed"/);
});
