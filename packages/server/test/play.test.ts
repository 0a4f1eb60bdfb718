/** The game of DESIGN.md on real sockets: UDP and WebSocket players see, meet and shoot each other. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { idle } from "./game.ts";
import { join, startServer, until } from "./play.ts";

test("two UDP players and one over WebSocket see each other move and shoot", async (t) => {
  const server = await startServer(t);
  const ada = await join(t, server);
  const bob = await join(t, server);
  const eve = await join(t, server, { carrier: "websocket" });
  const all = [ada, bob, eve];
  assert.deepEqual(
    all.map(({ session }) => session.carrier),
    ["udp", "udp", "websocket"],
  );
  assert.deepEqual(
    all.map(({ session }) => session.seat).toSorted((a, b) => a - b),
    [0, 1, 2],
  );
  await until(all, "everybody sees everybody", () =>
    all.every((player) => all.every(({ session }) => player.sees(session.seat) !== undefined)),
  );

  // Ada and Eve walk apart, each over its own carrier; Bob stays where he is.
  ada.input = { ...idle, right: true };
  eve.input = { ...idle, left: true };
  await until(all, "Ada and Eve have walked", () => (ada.me?.x ?? 0) > 3 && (eve.me?.x ?? 0) < -3);
  ada.input = idle;
  eve.input = idle;
  const serverX = (seat: number): number => server.room.world.players.firstOwnedBy(seat)?.x ?? Number.NaN;
  await until(all, "all agree with the server where everybody is", () =>
    all.every((viewer) =>
      all.every(({ session }) => Math.abs((viewer.sees(session.seat)?.x ?? 99) - serverX(session.seat)) < 0.01),
    ),
  );
  assert.ok(serverX(ada.session.seat) > 3);
  assert.ok(serverX(eve.session.seat) < -3);
  assert.ok(Math.abs(serverX(bob.session.seat)) < 0.01);

  // Ada looks left: the first on her line is Bob, not Eve behind him.
  ada.input = { ...idle, fire: true, aim: Math.PI };
  await until(all, "Eve sees that Bob was hit", () => (eve.sees(bob.session.seat)?.health ?? 100) < 100);
  ada.input = idle;
  await until(all, "the hit is Bob's own", () => (bob.me?.health ?? 100) < 100);
  assert.equal(server.room.world.players.firstOwnedBy(eve.session.seat)?.health, 100);

  assert.equal(server.stats.clients, 3);
  assert.equal(server.stats.malformed, 0);
  assert.ok(server.stats.loop.ticks > 30);
  for (const { session } of all) assert.equal(session.stats.malformed, 0);
});

test("who comes back with its identity gets its entity back; who does not is gone after the grace time", async (t) => {
  const server = await startServer(t, { match: { reconnectGraceMs: 700 } });
  const events: string[] = [];
  server.on("joined", ({ client }) => events.push(`joined ${client.seat}${client.returned ? " again" : ""}`));
  server.on("left", ({ client, error }) => events.push(`left ${client.seat} ${error?.code ?? "in order"}`));
  const ada = await join(t, server);
  const bob = await join(t, server, { carrier: "websocket" });
  ada.input = { ...idle, down: true };
  await until([ada, bob], "Ada has walked and Bob saw it", () => (bob.sees(ada.session.seat)?.y ?? 0) > 1);
  const entity = ada.me?.id;
  const { identity, seat, clientId } = ada.session;
  assert.ok(identity !== undefined && clientId !== undefined);
  await ada.session.close();
  await until([bob], "the server knows that she left", () => server.stats.clients === 1);
  assert.ok(bob.sees(seat) !== undefined, "her entity waits");

  const again = await join(t, server, { identity, carrier: "websocket" });
  assert.equal(again.session.seat, seat);
  assert.equal(again.session.clientId, clientId);
  await until([again, bob], "she sees her own entity", () => again.me !== undefined);
  assert.equal(again.me?.id, entity);
  assert.ok((again.me?.y ?? 0) > 1);
  assert.deepEqual(events, ["joined 0", "joined 1", "left 0 closedByPeer", "joined 0 again"]);

  await again.session.close();
  await until([bob], "her entity is gone", () => bob.sees(seat) === undefined);
});

test("a second connection of the same client takes over at once", async (t) => {
  const server = await startServer(t);
  const first = await join(t, server);
  await until([first], "there is an entity", () => first.me !== undefined);
  const entity = first.me?.id;
  const { identity = "" } = first.session;
  const second = await join(t, server, { identity });
  assert.equal((await first.session.closed)?.code, "displaced");
  await until([second], "the entity is the second's", () => second.me !== undefined);
  assert.equal(second.me?.id, entity);
  assert.equal(server.stats.clients, 1);
});

test("rooms do not see each other, and closing one puts out its own clients only", async (t) => {
  const server = await startServer(t, { rooms: ["red"] });
  const blue = server.createRoom("blue");
  assert.throws(() => server.createRoom("blue"), RangeError);
  assert.throws(() => server.createRoom("no/slash"), RangeError);
  const red1 = await join(t, server, { room: "red" });
  const red2 = await join(t, server, { room: "red", carrier: "websocket" });
  const blue1 = await join(t, server, { room: "blue" });
  const all = [red1, red2, blue1];
  assert.deepEqual([server.rooms.get("red")?.clients.size, blue.clients.size, server.room.clients.size], [2, 1, 0]);
  red1.input = { ...idle, right: true };
  await until(all, "red sees red move", () => (red2.sees(red1.session.seat)?.x ?? 0) > 1);
  await until(all, "blue has itself", () => blue1.me !== undefined);
  assert.equal([...blue1.session.view.players].length, 1);
  assert.ok(Math.abs(blue1.me?.x ?? 99) < 0.01, "another room's input moved it");

  assert.equal(server.closeRoom("red", "the match is over"), true);
  assert.equal(server.closeRoom("red"), false);
  for (const { session } of [red1, red2]) {
    const error = await session.closed;
    assert.equal(error?.code, "kicked");
    assert.match(error?.message ?? "", /the match is over/);
  }
  const before = blue.tick;
  await until([blue1], "blue goes on", () => blue.tick > before + 5);
  assert.equal(server.stats.clients, 1);
});
