/** `room.debug` and `session.debug`: what each side tells the other over the debug channel. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { connect } from "@riposte/client";
import type { Session } from "@riposte/client";
import { DebugError } from "@riposte/simulation/debug";
import type { MispredictionExplanation } from "@riposte/simulation/debug";
import { defineGame } from "@riposte/simulation/game";
import { abilityFields, AbilityPredictor, defineAbilities } from "@riposte/simulation/prediction";
import { inspectAbilities } from "@riposte/simulation/prediction";
import { bool, defineInput, defineState, float, uint } from "@riposte/simulation/state";
import { listen } from "../src/index.ts";
import type { Client, Room, Server } from "../src/index.ts";

const kit = defineAbilities({
  tickRate: 60,
  abilities: { blink: { cooldownMs: 60_000 }, wave: { charges: 2, rechargeMs: 60_000 } },
});

const game = defineGame({
  tickRate: 60,
  states: {
    players: defineState({
      x: float({ min: -500, max: 500, step: 1 / 512 }),
      secret: uint({ max: 9, audience: "server", predicted: false }),
      ...abilityFields(kit),
    }),
  },
  input: defineInput({ right: bool(), blink: bool() }),
  join(world, client) {
    AbilityPredictor.of(kit, world.players).reset(world.players.spawn(client.id, { secret: 7 }));
  },
  step(world, inputs) {
    const abilities = AbilityPredictor.of(kit, world.players);
    for (const player of world.players) {
      const input = inputs.of(player);
      abilities.step(player, world);
      if (input.blink) abilities.activate(player, "blink", world);
      player.x += Number(input.right) / 16;
      // What no client foresees.
      if (world.isServer && world.tick % 90 === 0) player.x += 2;
    }
  },
  inspectAbilities(world, seat, tick) {
    const row = world.players.firstOwnedBy(seat);
    return row && inspectAbilities(kit, row, tick);
  },
});

type Game = typeof game;

async function play(
  t: TestContext,
  debug: boolean,
): Promise<{ session: Session<Game>; room: Room<Game>; client: Client }> {
  const server: Server<Game> = await listen(game, { port: 0, publicDir: false, match: { debug } });
  t.after(() => server.close());
  const session = await connect(game, server.url);
  t.after(() => session.close());
  const [client] = server.room.clients;
  return { session, room: server.room, client };
}

/** Plays frames until the condition holds. */
async function until(session: Session<Game>, input: Wish, condition: () => boolean): Promise<void> {
  const endAt = performance.now() + 10_000;
  while (!condition()) {
    assert.ok(performance.now() < endAt, "it never happened");
    session.advance(performance.now(), input);
    await new Promise((resolve) => setTimeout(resolve, 8));
  }
}

/** Plays frames until there is an answer. */
async function answer<T>(session: Session<Game>, input: Wish, promise: Promise<T>): Promise<T> {
  const state = { settled: false };
  const settle = (): void => void (state.settled = true);
  promise.then(settle, settle);
  await until(session, input, () => state.settled);
  return promise;
}

interface Wish {
  readonly right: boolean;
  readonly blink: boolean;
}

const off = (error: unknown): boolean => error instanceof DebugError && error.reason === "off";
const right = { right: true, blink: false };

test("a misprediction is explained with the server's account of these ticks", async (t) => {
  const { session, room, client } = await play(t, true);
  assert.equal(session.debug.enabled, true);
  // A slow machine may be late with an input before that: then the explanation is another.
  let found: MispredictionExplanation | undefined;
  for (let next = 0; found?.cause !== "step"; next++) {
    await until(session, right, () => session.debug.mispredictions.length > next);
    found = await answer(session, right, session.debug.explain(session.debug.mispredictions[next]));
    assert.ok(found !== undefined && next < 8);
    if (found.cause === "input") assert.notEqual(found.input.origin, "received", found.text);
  }
  assert.deepEqual([found.table, found.field, found.tick % 90], ["players", "x", 0], found.text);
  assert.ok(Math.abs(Number(found.actual) - Number(found.predicted) - 2) < 1e-9);
  assert.equal(found.input.sent.right, true);

  assert.deepEqual([room.debug.hits(client).verdicts, room.stats.lagCompensation.verdicts], [0, 0]);
  const { ticks, seat } = room.debug.history(client);
  assert.equal(seat, client.seat);
  assert.ok(ticks.length > 1 && ticks.length <= 120);
  const [row] = room.world.players;
  assert.equal(ticks.at(-1)?.entities.players[0].values.x, row.x);
  assert.ok(!("secret" in ticks[0].entities.players[0].values), "what only the server may know is in no account");
  const few = room.debug.history(client, { fromTick: ticks.at(-3)?.tick ?? 0, toTick: ticks.at(-2)?.tick ?? 0 });
  assert.deepEqual(few.ticks, ticks.slice(-3, -1));
});

test("the server asks for the input buffer, the client's own figures, and its abilities", async (t) => {
  const { session, room, client } = await play(t, true);
  await until(session, right, () => session.stats.game.inputBufferDepth > 0);
  await until(session, { right: false, blink: true }, () => {
    const [row] = room.world.players;
    return (inspectAbilities(kit, row, room.tick).abilities.blink.cooldownTicks ?? 0) > 0;
  });
  const { players, settings } = room.debug.fairness();
  assert.deepEqual([players.length, players[0].clientId, settings.version], [1, client.clientId, 1]);
  assert.ok(
    (players[0].rttMs ?? 0) > 0 && (players[0].honestAgeMs ?? 0) > 130,
    "the room tells what its connections measure",
  );
  assert.equal(room.debug.setFavorTheShooter({ maxRewindMs: 200, version: 1 }).version, 2);
  assert.throws(() => room.debug.setFavorTheShooter({ maxRewindMs: 100, version: 1 }), RangeError);
  assert.equal(room.favorTheShooter.settings.maxRewindMs, 200);
  assert.deepEqual(room.fairness().settings, room.favorTheShooter.settings);

  const { counters, waiting, tick } = room.debug.inputBuffer(client);
  assert.equal(tick, room.tick);
  assert.equal(counters.inputBufferDepth, client.inputStats.inputBufferDepth);
  for (const input of waiting) assert.ok(input.tick > tick && typeof input.input.blink === "boolean");

  const report = await answer(session, right, room.debug.prediction(client));
  assert.equal(report?.seat, client.seat);
  assert.ok(report.predictedTick > 0 && report.figures.snapshots > 0);

  const abilities = await answer(session, right, room.debug.abilities(client));
  assert.ok(abilities !== undefined);
  assert.ok(abilities.server.abilities.blink.cooldownTicks > 3000);
  assert.equal(abilities.server.abilities.wave.charges, 2);
  assert.deepEqual(abilities.differences, [], "both sides agree");

  assert.equal(session.interpolationMode, "linear");
  await answer(session, right, room.debug.setInterpolationMode(client, "hermite"));
  assert.equal(session.interpolationMode, "hermite");
  await assert.rejects(room.debug.setInterpolationMode(client, "cubic" as "linear"), RangeError);
});

test("where the channel is off nobody is told anything", async (t) => {
  const { session, room, client } = await play(t, false);
  await until(session, right, () => session.debug.mispredictions.length > 0);
  assert.equal(session.debug.enabled, false);
  assert.equal(room.debug.enabled, false);
  await assert.rejects(session.debug.explain(), off);
  await assert.rejects(room.debug.prediction(client), off);
  assert.throws(() => room.debug.history(client), off);
  assert.throws(() => room.debug.hits(client), off);
  assert.throws(() => room.debug.fairness(), off);
  assert.throws(() => room.debug.setFavorTheShooter({}), off);
  assert.throws(() => room.debug.inputBuffer(client), off);
});
