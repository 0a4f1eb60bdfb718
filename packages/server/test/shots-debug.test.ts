/** `session.debug.shots` and `room.debug.shots`: a shot as the server judged it, beside what was on the shooter's screen. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "@riposte/client";
import { DebugError } from "@riposte/simulation/debug";
import { defineGame } from "@riposte/simulation/game";
import { defineWeapons, HitRegistration, weaponFields } from "@riposte/simulation/rewind";
import { bool, circle, defineInput, defineState, float } from "@riposte/simulation/state";
import { listen } from "../src/index.ts";

const coordinate = float({ min: -50, max: 50, step: 1 / 512 });
const weapons = defineWeapons({ tickRate: 60, weapons: { rifle: { kind: "ray", range: 40, intervalMs: 100 } } });

const game = defineGame({
  tickRate: 60,
  states: {
    shooters: defineState({ x: coordinate, y: coordinate, ...weaponFields(weapons) }),
    targets: defineState({ x: coordinate, y: coordinate }, { hitbox: circle({ radius: 1 }) }),
  },
  input: defineInput({ fire: bool() }),
  join(world, client) {
    world.shooters.spawn(client.id);
    world.targets.spawn(-1, { x: 10, y: 0 });
  },
  step(world, inputs) {
    // Slowly to and fro, within reach of the ray.
    for (const target of world.targets) if (world.isServer) target.y = Math.sin(world.tick / 30) / 2;
    const registration = HitRegistration.of(weapons, world.targets, {}, world.shooters);
    for (const shooter of world.shooters)
      if (inputs.of(shooter).fire) registration.judge(shooter, { weapon: "rifle", angle: 0 }, world);
  },
});

test("a shot is told with where its target stood, was drawn, and is", async (t) => {
  const server = await listen(game, { port: 0, publicDir: false, match: { debug: true } });
  t.after(() => server.close());
  const session = await connect(game, server.url);
  t.after(() => session.close());
  const [client] = server.room.clients;
  const play = setInterval(() => session.advance(performance.now(), { fire: true }), 8);
  t.after(() => clearInterval(play));
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const own = await session.debug.shots();
  const all = await server.room.debug.shots(client);
  assert.ok(own.length > 0 && own.length <= 4, `${own.length} of its own`);
  assert.ok(all.length >= own.length && all.length <= 16, `${all.length} in the room`);
  const hits = all.filter(({ view }) => view.verdict.outcome === "hit");
  assert.ok(hits.length > 0, "a target that wide is hit");
  let compared = 0;
  for (const { view, agrees, drawn, now } of [...own, ...hits]) {
    assert.ok(agrees, "judged again it is the same");
    const [target] = view.entities;
    // The shooter has the same id, and stands elsewhere.
    assert.deepEqual([target.table, now[0].table, now[0].id, now[0].x], ["targets", "targets", target.id, 10]);
    // The first shots are given before there is a picture.
    const seen = drawn?.find(({ table, id }) => table === "targets" && id === target.id);
    if (seen === undefined) continue;
    compared++;
    assert.ok(Math.abs(seen.y - target.place[1]) < 0.05, `drawn at ${seen.y}, judged at ${target.place[1]}`);
  }
  assert.ok(compared > (own.length + hits.length) / 2, `${compared} of ${own.length + hits.length} with a picture`);
});

test("without the debug channel there is no account of shots", async (t) => {
  const server = await listen(game, { port: 0, publicDir: false });
  t.after(() => server.close());
  const session = await connect(game, server.url);
  t.after(() => session.close());
  const [client] = server.room.clients;
  await assert.rejects(server.room.debug.shots(client), DebugError);
  await assert.rejects(session.debug.shots(), DebugError);
});
