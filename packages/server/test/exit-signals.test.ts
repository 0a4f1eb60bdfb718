/** What Ctrl-C does to a server program, as a shell and its players see it: programs in processes of their own. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { connect } from "@riposte/client";
import { game } from "./game.ts";

interface Program {
  /** What it printed first. */
  readonly line: string;
  kill(signal: NodeJS.Signals): void;
  /** Exit code, or the signal that ended it; and all it printed. */
  readonly ended: Promise<readonly [number | string | null, string]>;
}

async function run(source: string): Promise<Program> {
  const head = `
    import { listen } from "@riposte/server";
    import { game } from "./game.ts";
  `;
  const child = spawn(process.execPath, ["--input-type=module", "-e", head + source], { cwd: import.meta.dirname });
  let text = "";
  child.stderr.on("data", (chunk: Buffer) => (text += chunk.toString()));
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const timer = setTimeout(() => child.kill("SIGKILL"), 20_000);
  const ended = once(child, "close").then((end) => {
    clearTimeout(timer);
    const [code, signal] = end as [number | null, string | null];
    return [code ?? signal, text] as const;
  });
  await Promise.race([once(child.stdout, "data"), ended]);
  return { line: text.trim(), kill: (signal) => child.kill(signal), ended };
}

const README_PROGRAM = `
  await using server = await listen(game, { port: 0, publicDir: false });
  console.log(server.url);
  await server.closed;
  console.log("closed");
`;

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`${signal} tells every player, and the program ends in good order`, async () => {
    const program = await run(README_PROGRAM);
    const players = [
      await connect(game, program.line, { carrier: "udp" }),
      await connect(game, program.line, { carrier: "websocket" }),
    ];
    program.kill(signal);
    const errors = await Promise.all(players.map((player) => player.closed));
    for (const error of errors) {
      assert.equal(error?.code, "closedByPeer");
      assert.match(error?.message ?? "", /shut down/);
    }
    const [code, text] = await program.ended;
    assert.equal(code, 0, text);
    assert.match(text, /closed\n$/);
  });
}

test("a program that handles the signal itself is left alone, also by a handler for one signal", async () => {
  const program = await run(`
    process.once("SIGINT", async () => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      console.log(server.room.tick > 0 ? "still playing" : "no");
      await server.close("my own way");
      console.log("done");
    });
    const server = await listen(game, { port: 0, publicDir: false });
    console.log(server.url);
  `);
  const player = await connect(game, program.line, { carrier: "udp" });
  program.kill("SIGINT");
  assert.match((await player.closed)?.message ?? "", /my own way/);
  const [code, text] = await program.ended;
  assert.equal(code, 0, text);
  assert.match(text, /still playing\ndone\n$/);
});

test("a program that does not end by itself is ended by the signal", async () => {
  const program = await run(`${README_PROGRAM} setInterval(() => undefined, 1000);`);
  program.kill("SIGTERM");
  const [end, text] = await program.ended;
  assert.equal(end, "SIGTERM");
  assert.match(text, /closed\n$/);
});

test("closeOnExitSignals: false leaves the signal to the system", async () => {
  const program = await run(README_PROGRAM.replace("port: 0,", "port: 0, closeOnExitSignals: false,"));
  program.kill("SIGINT");
  const [end, text] = await program.ended;
  assert.equal(end, "SIGINT");
  assert.doesNotMatch(text, /closed\n$/);
});
