/** What a step sees on a client: who is there, and what was drawn. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bool, circle, defineGame, defineInput, defineState, float } from "@riposte/simulation";
import { TestNetwork } from "./link.ts";

const coordinate = float({ min: -50, max: 50, step: 1 / 512 });

/** What the steps of both sides noted last, by side and seat. */
const present = new Map<string, boolean>();
const hits = new Map<string, { owner: number; x: number; distance: number; viewTick: number } | undefined>();
const pose = { x: 0, y: 0, angle: 0 };

const game = defineGame({
  tickRate: 60,
  states: {
    players: defineState({ x: coordinate, y: coordinate }, { hitbox: circle({ radius: 0.5 }) }),
    crates: defineState({ x: coordinate, y: coordinate }),
  },
  input: defineInput({ up: bool() }),
  join(world, client) {
    world.players.spawn(client.id, { x: client.id * 5 });
  },
  step(world, inputs) {
    const side = world.isServer ? "server" : "client";
    for (const player of world.players) {
      player.y += Number(inputs.of(player).up) * 6 * world.dt;
      const sight = world.players.seenBy(player);
      const hit = sight.raycast(player.x, player.y, 0, 40);
      const note =
        hit === undefined
          ? undefined
          : { owner: hit.entity.owner, x: hit.x, distance: hit.distance, viewTick: sight.viewTick };
      hits.set(`${side} ${player.owner}`, note);
      if (hit !== undefined) assert.ok(sight.poseOf(hit.entity, pose));
    }
    for (const row of [...world.players.all(), ...world.crates.all()])
      present.set(`${side} ${row.owner}`, inputs.isPresent(row));
  },
});

const link = { latencyMs: 100 };

describe("a step", () => {
  it("knows on the server whose owner is connected, and on a client what is its own", () => {
    const network = new TestNetwork(game);
    const ada = network.add(link, { up: false });
    const eve = network.add(link, { up: false });
    network.match.world.crates.spawn(-1);
    network.run(1000);
    const said = (): Record<string, boolean> => Object.fromEntries(present);
    assert.deepEqual(said(), {
      "client -1": false,
      "client 0": false,
      "client 1": true,
      "server -1": false,
      "server 0": true,
      "server 1": true,
    });
    present.clear();
    eve.paused = true;
    network.disconnect(eve);
    network.run(1000);
    assert.deepEqual(said(), {
      "client -1": false,
      "client 0": true,
      "client 1": false,
      "server -1": false,
      "server 0": true,
      "server 1": false,
    });
    assert.equal(ada.client.view.players.count, 2, "the other seat is kept");
  });

  it("aims at what is drawn, on the client; the server judges the same picture", () => {
    const network = new TestNetwork(game);
    const shooter = network.add(link, { up: false });
    const target = network.add({ latencyMs: 20 }, { up: false });
    network.run(1500);
    assert.deepEqual(hits.get("client 1"), undefined, "nobody is to the right of the second");
    const hit = hits.get("client 0");
    assert.deepEqual([hit?.owner, hit?.x, hit?.distance], [target.seat, 4.5, 4.5]);
    // It runs off. On the shooter's screen it is hit for as long as it is drawn there, though it is elsewhere.
    target.input = { up: true };
    let apart = 0;
    shooter.onFrame = (): void => {
      const drawn = [...shooter.client.view.players].find((row) => row.owner === target.seat);
      const now = network.match.world.players.firstOwnedBy(target.seat);
      assert.ok(drawn !== undefined && now !== undefined);
      // The step of this frame ran before the frame was drawn: at what the frame before showed.
      if (drawn.y < 0.4) assert.equal(hits.get("client 0")?.owner, target.seat, `drawn at ${drawn.y}`);
      if (drawn.y > 0.7) assert.equal(hits.get("client 0"), undefined, `drawn at ${drawn.y}`);
      if (drawn.y < 0.4 && now.y > 0.6) apart++;
    };
    network.run(600);
    assert.ok(apart > 2, `${apart} frames in which the picture and the present differ`);
  });
});
