/**
 * The client as a browser gets it: with the `browser` condition, WebSocket only, without any Node
 * code, and alive in a hidden tab. The client runs in a process of its own, the server in this one.
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { listen } from "@riposte/server";
import { game } from "../../server/test/game.ts";

/** Runs a module with the `browser` condition; resolves with what it printed. */
async function runAsBrowser(source: string, ...args: string[]): Promise<string[]> {
  const child = spawn(process.execPath, ["--conditions=browser", "--input-type=module", "-e", source, ...args], {
    cwd: import.meta.dirname,
  });
  const output: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => output.push(chunk));
  const timer = setTimeout(() => child.kill(), 20_000);
  const [code] = (await once(child, "close")) as [number | null];
  clearTimeout(timer);
  const text = Buffer.concat(output).toString().trim();
  assert.equal(code, 0, text);
  return text.split("\n");
}

test("under the browser condition no module of Node's is loaded, and the game plays over WebSocket", async () => {
  await using server = await listen(game, { port: 0, publicDir: false });
  const [carrier, others, moved] = await runAsBrowser(
    `
    import { registerHooks } from "node:module";
    const loaded = [];
    registerHooks({
      resolve(specifier, context, next) {
        const found = next(specifier, context);
        loaded.push(found.url);
        return found;
      },
    });
    const { connect } = await import("@riposte/client");
    await import("@riposte/client/fleet");
    const { game, idle } = await import("../../server/test/game.ts");
    const session = await connect(game, process.argv[1]);
    console.log(session.carrier);
    console.log(JSON.stringify(loaded.filter((url) => !/packages\\/(client|protocol|simulation|wire|server\\/test)\\/|@noble/.test(url))));
    while (!(session.view.players.mine?.x > 0.5)) {
      session.advance(performance.now(), { ...idle, right: true });
      await new Promise((resolve) => setTimeout(resolve, 8));
    }
    console.log("moved");
    await session.close();
    `,
    server.url,
  );
  assert.equal(carrier, "websocket");
  assert.equal(others, "[]");
  assert.equal(moved, "moved");
});

test("a session in a hidden tab stays alive with hardly any timers and no frames", async () => {
  await using server = await listen(game, { port: 0, publicDir: false, timeoutSeconds: 1 });
  const left: (string | undefined)[] = [];
  server.on("left", ({ error }) => left.push(error?.code));
  const { promise: joined, resolve } = Promise.withResolvers<number>();
  server.on("joined", () => resolve(server.room.tick));
  // Timers as in a page hidden for long: once a minute.
  const running = runAsBrowser(
    `
    const later = setTimeout;
    globalThis.setTimeout = (callback, delayMs, ...rest) => later(callback, Math.max(60_000, delayMs), ...rest);
    const { connect } = await import("@riposte/client");
    const { game, idle, Chat } = await import("../../server/test/game.ts");
    const session = await connect(game, process.argv[1]);
    session.onMessage(Chat, async () => {
      console.log("still here");
      session.advance(performance.now(), idle);
      await session.close();
      process.exit();
    });
    session.on("closed", ({ error }) => error && console.log(error.message));
    `,
    server.url,
  );
  const { Chat } = await import("../../server/test/game.ts");
  const begun = await joined;
  // Twice the time of silence that would end it.
  server.room.on("error", ({ error }) => assert.fail(String(error)));
  while (server.room.tick < begun + 120) await new Promise((next) => setTimeout(next, 20));
  assert.deepEqual(left, []);
  server.room.broadcast(Chat, { text: "wake up" });
  assert.deepEqual(await running, ["still here"]);
});
