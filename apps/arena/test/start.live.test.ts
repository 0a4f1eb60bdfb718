/** `npm start` as people use it: one command that starts several processes, and one key that ends them all. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { until } from "./stack.ts";

const SETUP = fileURLToPath(new URL("../../../scripts/setup.mjs", import.meta.url));

interface Running {
  readonly child: ChildProcess;
  readonly url: string;
  /** What it has printed. */
  readonly output: () => string;
  /** Exit code and signal of the first process, which must come soon. */
  readonly ended: () => Promise<unknown>;
}

/** Runs it with two bots in a process group of its own until it says where to play; in a terminal, or as a supervisor does. */
async function start(t: TestContext, terminal: boolean): Promise<Running> {
  const words = [process.execPath, SETUP, "start", "--port", "0", "--bots", "2", "--no-build"];
  const line = words.map((word) => `'${word}'`).join(" ");
  // `exec`: a shell that stays in between would die of Ctrl-C itself.
  const inTerminal = ["script", "--quiet", "--return", "--command", `exec ${line}`, "/dev/null"];
  const [program, ...rest] = terminal ? inTerminal : words;
  const child = spawn(program, rest, {
    detached: true,
    env: { ...process.env, SHELL: "/bin/sh" },
    stdio: [terminal ? "pipe" : "ignore", "pipe", "pipe"],
  });
  const exited = once(child, "exit");
  const ended = async (): Promise<unknown> => {
    await until("the first process ends", 20, () =>
      Promise.resolve(child.exitCode !== null || child.signalCode !== null),
    );
    return exited;
  };
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  t.after(() => {
    if (groupLives(child)) signalGroup(child, "SIGKILL");
  });
  await until("it says where to play", 60, () => Promise.resolve(output.includes("Ctrl-C ends everything")));
  const [url] = /http:\/\/localhost:\d+/.exec(output) ?? assert.fail(output);
  await until("the bots are in", 20, async () => {
    const health = (await (await fetch(`${url}/riposte/health`)).json()) as { clients: number };
    return health.clients === 2;
  });
  return { child, url, output: () => output, ended };
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals | 0): void {
  assert.ok(child.pid !== undefined);
  process.kill(-child.pid, signal);
}

/** Whether any process of the group is left. */
function groupLives(child: ChildProcess): boolean {
  try {
    signalGroup(child, 0);
    return true;
  } catch {
    return false;
  }
}

test("Ctrl-C ends every process that npm start has started, in good order", async (t) => {
  const { child, url, output, ended } = await start(t, true);
  child.stdin?.write("\x03");
  assert.deepEqual(await ended(), [0, null], output());
  assert.equal(output().split("Ending the arena").length, 2, "once");
  await until("every process is gone", 5, () => Promise.resolve(!groupLives(child)));
  await assert.rejects(fetch(url), "nobody answers any more");
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`${signal} to the first process alone ends all of them`, async (t) => {
    const { child, output, ended } = await start(t, false);
    child.kill(signal);
    assert.deepEqual(await ended(), [0, null], output());
    await until("every process is gone", 5, () => Promise.resolve(!groupLives(child)));
  });
}
