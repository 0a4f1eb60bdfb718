/** Typed messages, and typed calls with replies, by each of the three channels, in both directions, on both carriers. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "@riposte/client";
import { Connection } from "@riposte/protocol/channel";
import type { Channel, SendResult } from "@riposte/protocol/channel";
import { defineCall, defineGame, defineMessage } from "@riposte/simulation/game";
import { bool, defineInput, defineState, list, text, uint } from "@riposte/simulation/state";
import { listen } from "../src/index.ts";

const CHANNELS = ["reliableOrdered", "unreliableOrdered", "unreliableUnordered"] as const;
const PATIENCE_MS = 10_000;
/** What is sent unreliably may be lost on a busy machine: it is sent again until it is heard. */
const AGAIN_MS = 100;

const say = (channel: Channel) => defineMessage(`say ${channel}`, { text: text({ maxBytes: 40 }) }, { channel });
const double = (channel: Channel) =>
  defineCall(`double ${channel}`, { value: uint({ max: 1000 }) }, { value: uint({ max: 2000 }) }, { channel });
const Say = {
  reliableOrdered: say("reliableOrdered"),
  unreliableOrdered: say("unreliableOrdered"),
  unreliableUnordered: say("unreliableUnordered"),
};
const Double = {
  reliableOrdered: double("reliableOrdered"),
  unreliableOrdered: double("unreliableOrdered"),
  unreliableUnordered: double("unreliableUnordered"),
};

const pages = { pages: list(text({ maxBytes: 1024 }), { max: 20 }) };
const Book = defineMessage("book", pages, { channel: "unreliableOrdered" });
const Copy = defineCall("copy", pages, pages);
const pagesOf = (count: number) => ({ pages: Array.from({ length: count }, () => "x".repeat(1024)) });

const game = defineGame({
  name: "talk",
  tickRate: 60,
  states: { players: defineState({ x: uint({ max: 1 }) }) },
  input: defineInput({ go: bool() }),
  messages: [...Object.values(Say), ...Object.values(Double), Book, Copy],
  join(world, client) {
    world.players.spawn(client.id, {});
  },
  step() {},
});

type Send = (this: Connection, ...args: Parameters<Connection["send"]>) => SendResult;

/** Kinds of application messages, as they begin. */
const KINDS = new Map([
  [4, "message"],
  [5, "call"],
  [6, "reply"],
]);

/** Does it now, and again as long as the channel may have lost it, until the condition holds. */
async function until(what: string, again: (() => void) | undefined, condition: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  let againAt = 0;
  while (!condition()) {
    const now = performance.now();
    if (now > deadline) assert.fail(`never happened: ${what}`);
    if (again !== undefined && now >= againAt) {
      again();
      againAt = now + AGAIN_MS;
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Asks, and asks again by a channel that may lose the question or the answer. */
async function answer(channel: Channel, ask: () => Promise<{ readonly value: number }>): Promise<number> {
  let value = -1;
  const once = (): void =>
    void ask().then(
      (reply) => (value = reply.value),
      () => undefined,
    );
  if (channel === "reliableOrdered") once();
  await until("an answer", channel === "reliableOrdered" ? undefined : once, () => value >= 0);
  return value;
}

for (const carrier of ["udp", "websocket"] as const) {
  for (const channel of CHANNELS) {
    test(`${carrier}: messages and calls by ${channel}, both ways`, async (t) => {
      // Which side handed what to its connection, and for which channel.
      const sent = new Set<string>();
      const clientSide: Connection[] = [];
      const send: Send = Reflect.get(Connection.prototype, "send");
      t.mock.method(Connection.prototype, "send", function (this: Connection, ...args: Parameters<Send>) {
        const [by, buffer, offset = 0] = args;
        const kind = KINDS.get(buffer[offset]);
        if (kind !== undefined) sent.add(`${clientSide.includes(this) ? "client" : "server"} ${kind} ${by}`);
        return send.apply(this, args);
      });
      await using server = await listen(game, { port: 0, publicDir: false });
      await using other = await connect(game, server.url, { carrier });
      await using player = await connect(game, server.url, { carrier });
      clientSide.push(player.connection, other.connection);
      assert.equal(player.carrier, carrier);
      const { room } = server;
      await until("both are in the room", undefined, () => room.clients.size === 2);
      const client = [...room.clients].find(({ seat }) => seat === player.seat);
      assert.ok(client !== undefined);
      const isReliable = channel === "reliableOrdered";
      const resend = (action: () => void): (() => void) | undefined => {
        if (!isReliable) return action;
        action();
        return undefined;
      };

      const atServer: string[] = [];
      room.onMessage(Say[channel], (value, from) => void atServer.push(`${from.seat} ${value.text}`));
      const up = resend(() => assert.equal(player.send(Say[channel], { text: "grüße" }), true));
      await until("the server hears", up, () => atServer.length > 0);
      assert.equal(atServer[0], `${player.seat} grüße`);

      const atPlayer: string[] = [];
      const atOther: string[] = [];
      player.onMessage(Say[channel], (value) => void atPlayer.push(value.text));
      other.onMessage(Say[channel], (value) => void atOther.push(value.text));
      const down = resend(() => assert.equal(room.send(Say[channel], { text: "you" }, client), true));
      await until("the player hears", down, () => atPlayer.length > 0);
      assert.deepEqual([atPlayer[0], atOther], ["you", []]);
      const toAll = resend(() => assert.equal(room.broadcast(Say[channel], { text: "all" }), true));
      await until("everybody hears", toAll, () => atPlayer.includes("all") && atOther.includes("all"));

      server.onCall(Double[channel], async ({ value }) => {
        await new Promise((resolve) => setImmediate(resolve));
        return { value: 2 * value };
      });
      assert.equal(await answer(channel, () => player.call(Double[channel], { value: 21 })), 42);
      player.onCall(Double[channel], ({ value }) => ({ value: 2 * value }));
      assert.equal(await answer(channel, () => room.call(Double[channel], { value: 500 }, client)), 1000);

      if (isReliable) assert.deepEqual([atServer.length, atPlayer], [1, ["you", "all"]], "each once, in order");
      assert.deepEqual(
        [...sent].toSorted(),
        ["client", "server"].flatMap((side) =>
          ["call", "message", "reply"].map((kind) => `${side} ${kind} ${channel}`),
        ),
      );
    });
  }
}

test("a message, a question or an answer above 16 KiB is the program's mistake, and is called so", async () => {
  const lines: string[] = [];
  await using server = await listen(game, { port: 0, publicDir: false, log: (line) => lines.push(line) });
  await using player = await connect(game, server.url);
  const { room } = server;
  await until("the player is in the room", undefined, () => room.clients.size === 1);
  const [client] = room.clients;
  const tooLarge = { name: "RangeError", message: /takes more than 16384 bytes/ };
  assert.throws(() => player.send(Book, pagesOf(16)), tooLarge);
  assert.throws(() => room.send(Book, pagesOf(16), client), tooLarge);
  assert.throws(() => room.broadcast(Book, pagesOf(16)), tooLarge);
  await assert.rejects(player.call(Copy, pagesOf(16)), tooLarge);
  await assert.rejects(room.call(Copy, pagesOf(16), client), tooLarge);
  // Whoever asked is refused; who answered is told why.
  const errors: unknown[] = [];
  room.on("error", ({ error }) => errors.push(error));
  server.onCall(Copy, () => pagesOf(16));
  await assert.rejects(player.call(Copy, pagesOf(1)), { name: "CallError", reason: "refused" });
  assert.ok(errors[0] instanceof RangeError);
  player.on("error", ({ error }) => errors.push(error));
  player.onCall(Copy, () => Promise.resolve(pagesOf(16)));
  await assert.rejects(room.call(Copy, pagesOf(1), client), { name: "CallError", reason: "refused" });
  assert.ok(errors[1] instanceof RangeError);
  // Nobody was put out for it, and what fits is sent.
  server.onCall(Copy, (request) => request);
  assert.equal((await player.call(Copy, pagesOf(15))).pages.length, 15);
  assert.equal(lines.length, 1, "the server's log has the room's error");
});
