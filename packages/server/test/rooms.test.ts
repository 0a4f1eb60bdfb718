/** Rooms on demand, rooms that are closed, and what is told of them. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { connect } from "@riposte/client";
import { defineGame } from "@riposte/simulation/game";
import { listen } from "../src/index.ts";
import type { Client } from "../src/index.ts";
import { Add, Chat, game, idle } from "./game.ts";
import { join, startServer, until } from "./play.ts";

/** Rooms on demand that do not wait for long. */
const impatient = { createRoomsOnDemand: true, emptyRoomMs: 50, match: { reconnectGraceMs: 50 } };

test("a room on demand is made for its first client, and closed when nobody is there any more", async (t) => {
  const server = await startServer(t, { ...impatient, maxRooms: 3 });
  const kept = server.createRoom("kept");
  const told: string[] = [];
  server.on("roomCreated", ({ room }) => told.push(`created ${room.name}`));
  server.on("roomClosed", ({ room, reason }) => told.push(`closed ${room.name}: ${reason}`));
  const player = await join(t, server, { room: "garden" });
  assert.equal(server.rooms.get("garden")?.clients.size, 1);
  await assert.rejects(join(t, server, { room: "cellar" }), { code: "denied", message: /no room "cellar"/ });
  const begun = server.room.tick;
  await until([player], "some sweeps have passed", () => server.room.tick > begun + 150);
  assert.deepEqual(told, ["created garden"], "it stays while somebody is there");
  await player.session.close();
  await until([], "the room is closed", () => server.rooms.size === 2);
  assert.deepEqual(told, ["created garden", "closed garden: nobody is here"]);
  assert.equal(server.rooms.get("kept"), kept, "rooms that the program made stay");
  const again = await join(t, server, { room: "cellar" });
  assert.ok(again.session.seat >= 0);
});

test("a room on demand whose first client could not join is closed as well", async () => {
  const broken = defineGame({
    ...game,
    messages: [Chat, Add],
    join() {
      throw new Error("join is broken");
    },
  });
  await using server = await listen(broken, { port: 0, publicDir: false, log: () => undefined, ...impatient });
  await assert.rejects(connect(broken, server.url, { room: "garden" }), { code: "internalError" });
  assert.equal(server.rooms.size, 2);
  await until([], "the room is closed", () => server.rooms.size === 1);
});

test("a closed room is kept by nothing, whatever listens to all rooms", async (t) => {
  const server = await startServer(t);
  const stop = server.onMessage(Chat, () => undefined);
  server.onCall(Add, ({ a, b }) => ({ sum: a + b }));
  const refs = Array.from({ length: 20 }, (_, i) => new WeakRef(server.createRoom(`room ${i}`)));
  for (let i = 0; i < 20; i++) server.closeRoom(`room ${i}`);
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  await until([], "the rooms are gone", () => {
    collect();
    return refs.every((ref) => ref.deref() === undefined);
  });
  stop();
});

test("a listener on all rooms hears those made before and after, until it ends", async (t) => {
  const server = await startServer(t, { rooms: ["before"] });
  const heard: string[] = [];
  const stop = server.onMessage(Chat, ({ text }, client) => heard.push(`${client.room} ${text}`));
  server.createRoom("after");
  const players = [await join(t, server, { room: "before" }), await join(t, server, { room: "after" })];
  for (const { session } of players) session.send(Chat, { text: "one" });
  await until(players, "both were heard", () => heard.length === 2);
  assert.deepEqual(heard.toSorted(), ["after one", "before one"]);
  stop();
  server.createRoom("later");
  players.push(await join(t, server, { room: "later" }));
  let received = 0;
  server.onMessage(Chat, () => received++);
  for (const { session } of players) session.send(Chat, { text: "two" });
  await until(players, "the next listener hears", () => received === 3);
  assert.equal(heard.length, 2);
});

test("a loop that falls behind says so", async () => {
  let slow = false;
  const heavy = defineGame({
    ...game,
    messages: [Chat, Add],
    step() {
      const endAt = performance.now() + (slow ? 400 : 0);
      while (performance.now() < endAt);
      slow = false;
    },
  });
  await using server = await listen(heavy, { port: 0, publicDir: false });
  const { promise, resolve } = Promise.withResolvers<{ skippedTicks: number; behindMs: number }>();
  server.on("overrun", resolve);
  slow = true;
  const { skippedTicks, behindMs } = await promise;
  // A quarter of a second is made up; the rest of the 400 ms is not.
  assert.ok(skippedTicks >= 5 && behindMs >= 80, `${skippedTicks} ticks, ${behindMs} ms`);
  assert.equal(server.stats.loop.skippedTicks, skippedTicks);
});

test("the server shows how a client's inputs arrive", async (t) => {
  const server = await startServer(t, { match: { inputs: { repeatInputMs: 200 } } });
  const player = await join(t, server);
  await until([player], "it plays", () => (player.me?.x ?? -1) === 0);
  const [client] = server.room.clients as Iterable<Client>;
  const before = client.inputStats.missedInputs;
  player.input = { ...idle, right: true };
  await until([player], "it walks", () => (server.room.world.players.firstOwnedBy(client.seat)?.x ?? 0) > 0.5);
  assert.equal(client.inputStats.clampedViews, 0);
  const walkedTo = server.room.world.players.firstOwnedBy(client.seat)?.x ?? Number.NaN;
  // No more frames: the last input is repeated for 200 ms, that is for 12 ticks, then it is neutral.
  const begun = server.room.tick;
  while (server.room.tick < begun + 60) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.ok(client.inputStats.missedInputs - before >= 40, `${client.inputStats.missedInputs - before} missed`);
  assert.ok(client.inputStats.inputBufferDepth < 0);
  const { x } = server.room.world.players.firstOwnedBy(client.seat) ?? { x: Number.NaN };
  assert.ok(x - walkedTo > 1 && x - walkedTo < 2, `walked on for ${x - walkedTo} m, at 0.1 m a tick`);
  while (server.room.tick < begun + 70) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(server.room.world.players.firstOwnedBy(client.seat)?.x, x, "it stands");
});
