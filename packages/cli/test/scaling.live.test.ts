/** `riposte balancer` that starts game servers itself. */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import type { Allocation } from "@riposte/fleet";

const run = promisify(execFile);
const here = (file: string): string => new URL(file, import.meta.url).pathname;
const RIPOSTE = here("../src/riposte.ts");

describe("riposte balancer, scaling", { timeout: 120_000 }, () => {
  it("starts game servers by the command after --, and ends them with itself", async (t) => {
    const environment = { ...process.env, RIPOSTE_FLEET_SECRET: randomBytes(32).toString("hex") };
    const ports = 20_000 + (process.pid % 600) * 20;
    const options = ["--dev", "--no-geoip", "--port", "0", "--host", "127.0.0.1", "--scale", "here:2"];
    const command = ["--", process.execPath, here("game-server.ts"), "{port}"];
    const child = spawn(
      process.execPath,
      [RIPOSTE, "balancer", ...options, "--scale-ports", `${ports}-${ports + 9}`, ...command],
      { env: environment, stdio: ["ignore", "ignore", "pipe"] },
    );
    t.after(() => child.kill("SIGKILL"));
    let said = "";
    child.stderr.on("data", (bytes: Buffer) => (said += bytes.toString()));
    const url = await until(() => /at (http:\S+),/.exec(said)?.[1]);
    const pids = await until(() => {
      const found = Array.from(said.matchAll(/\[here-\w+\] runs as process (\d+), port \d+/g), ([, pid]) =>
        Number(pid),
      );
      return found.length === 2 ? found : undefined;
    });
    // No secret of the balancer is in its game servers' environment.
    const filter = { labels: { hasSecret: "false" } };
    const body = JSON.stringify({ key: "0123456789abcdef", clients: [{ clientId: "7" }], filter });
    const seat = await until(async () => {
      const headers = { "content-type": "application/json" };
      const reply = await fetch(`${url}/v1/allocate`, { method: "POST", headers, body });
      const answer = (await reply.json()) as Allocation;
      return answer.status === "allocated" ? answer : undefined;
    });
    assert.match(seat.node.id, /^here-/);
    assert.match(seat.node.addresses.udp[0], new RegExp(`^127.0.0.1:${String(ports).slice(0, 3)}`));
    assert.match(said, /scaling here: starts 2 nodes: 0 nodes of at least 1/);
    child.kill("SIGTERM");
    await once(child, "exit");
    for (const pid of pids) assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
  });

  it("says what is wrong with its options", async () => {
    assert.match(await attempt("--scale", "here"), /--scale here: give a region, a colon and a value/);
    assert.match(await attempt("--scale", "here:-1"), /maxNodes: -1, must be a whole number/);
    assert.match(await attempt("--scale-ports", "9-8", "--", "true"), /ports 9 to 8 are none/);
    const agones = ["--agones-fleet", "eu:game-eu"];
    assert.match(await attempt(...agones), /--agones-webhook-secret is missing/);
    assert.match(await attempt(...agones, "--", "true"), /either a command after -- or --agones-fleet/);
    assert.match(await attempt(...agones, "--agones-webhook-secret", "0123456789abcdef"), /in no pod of a Kubernetes/);
  });
});

async function until<R>(what: () => Promise<R | undefined> | R | undefined): Promise<R> {
  for (let i = 0; i < 800; i++) {
    const result = await what();
    if (result !== undefined) return result;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`not within 40 s: ${what.toString()}`);
}

/** Resolves to what it says when it gives up. */
async function attempt(...args: string[]): Promise<string> {
  const all = [RIPOSTE, "balancer", "--dev", "--no-geoip", "--port", "0", ...args];
  const failed = await run(process.execPath, all, { timeout: 20_000 }).catch((error: { stderr: string }) => error);
  return failed.stderr;
}
