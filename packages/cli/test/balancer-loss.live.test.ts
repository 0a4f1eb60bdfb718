/**
 * Balancers as processes of their own, under a steady load: one is killed, another one stopped and continued. No player is left
 * without an answer, and no key has two.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { after, describe, it } from "node:test";
import { FleetNode } from "@riposte/fleet";
import type { AllocateReply, Allocation } from "@riposte/fleet";

const RIPOSTE = new URL("../src/riposte.ts", import.meta.url).pathname;
const secret = randomBytes(32).toString("hex");
const nodeSecret = randomBytes(32);
const PER_SEC = 100;
const SECONDS = 8;
const NODES = 3;
const SEATS = 600;
const TIMEOUT_MS = 400;

class BalancerProcess {
  readonly child: ChildProcess;
  readonly url: string;

  private constructor(child: ChildProcess, url: string) {
    this.child = child;
    this.url = url;
  }

  static start(id: string, peers: readonly string[]): Promise<BalancerProcess> {
    const args = [
      RIPOSTE,
      "balancer",
      "--port",
      "0",
      "--host",
      "127.0.0.1",
      "--id",
      id,
      "--no-geoip",
      "--secret",
      secret,
    ];
    const keys = ["--node-key", `k:${nodeSecret.toString("hex")}`];
    const config = ["--config", new URL("open-limits.json", import.meta.url).pathname];
    const others = peers.length === 0 ? [] : ["--peer", ...peers];
    const child = spawn(process.execPath, [...args, ...keys, ...config, ...others], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    const { promise, resolve, reject } = Promise.withResolvers<BalancerProcess>();
    let said = "";
    child.stderr?.on("data", (bytes: Buffer) => {
      said += bytes.toString();
      const url = /at (http:\S+),/.exec(said)?.[1];
      if (url !== undefined) resolve(new BalancerProcess(child, url));
    });
    child.on("exit", () => reject(new Error(said)));
    return promise;
  }
}

const running: BalancerProcess[] = [];
const nodes: FleetNode[] = [];

async function ask(url: string, body: object): Promise<AllocateReply | undefined> {
  try {
    const response = await fetch(`${url}/v1/allocate`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return response.ok ? ((await response.json()) as AllocateReply) : undefined;
  } catch {
    return undefined;
  }
}

/** As a client does: the same request at the next balancer, until there is a seat. */
async function play(
  clientId: number,
): Promise<{ readonly body: object; readonly answer: Allocation; readonly ms: number }> {
  const body = { key: `player-${String(clientId).padStart(12, "0")}`, clients: [{ clientId: String(clientId) }] };
  const began = performance.now();
  for (let i = clientId; performance.now() - began < 15_000; i++) {
    const answer = await ask(running[i % running.length].url, body);
    if (answer?.status === "allocated") return { body, answer, ms: performance.now() - began };
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`client ${clientId} got no seat within 15 s`);
}

describe("balancers that die", () => {
  after(async () => {
    for (const node of nodes) await node[Symbol.asyncDispose]();
    for (const { child } of running) child.kill("SIGKILL");
  });

  it("leave nobody without an answer, and nobody with two", async (t) => {
    for (const id of ["a", "b", "c"])
      running.push(
        await BalancerProcess.start(
          id,
          running.map(({ url }) => url),
        ),
      );
    for (let i = 0; i < NODES; i++) {
      const registration = {
        id: `node-${i}`,
        region: "eu",
        addresses: { udp: [`10.0.0.${i + 1}:7777`] },
        capacity: { sessions: 10, players: SEATS },
      };
      const key = { kid: "k", secret: nodeSecret };
      const node = await FleetNode.join({ balancers: running.map(({ url }) => url), key, registration });
      node.setReady(true);
      nodes.push(node);
    }
    await new Promise((resolve) => setTimeout(resolve, 2500));
    const players: ReturnType<typeof play>[] = [];
    const [a, b] = running;
    for (let i = 0; i < PER_SEC * SECONDS; i++) {
      players.push(play(i + 1));
      if (i === PER_SEC * 2) a.child.kill("SIGKILL");
      if (i === PER_SEC * 4) b.child.kill("SIGSTOP");
      if (i === PER_SEC * 6) b.child.kill("SIGCONT");
      await new Promise((resolve) => setTimeout(resolve, 1000 / PER_SEC));
    }
    const answers = await Promise.all(players);
    const times = answers.map(({ ms }) => ms).sort((x, y) => x - y);
    t.diagnostic(
      `${answers.length} players; p50 ${times[times.length >> 1].toFixed(0)} ms, p99 ${times[Math.floor(times.length * 0.99)].toFixed(0)} ms, longest ${times[times.length - 1].toFixed(0)} ms`,
    );
    // Asked again at whoever is left, each key has the answer that it had.
    let different = 0;
    for (const { body, answer } of answers.filter((_, i) => i % 7 === 0))
      for (const { url } of running.slice(1)) {
        const again = await ask(url, body);
        if (again?.status !== "allocated") continue;
        if (again.node.id !== answer.node.id || again.seats[0].token !== answer.seats[0].token) different++;
      }
    assert.equal(different, 0);
    // All come, and each has a seat where it was sent.
    for (const { answer } of answers) {
      const node = nodes[Number(answer.node.id.slice(5))];
      assert.ok(node.arrive(answer.seats[0].clientId));
    }
    const seated = nodes.reduce((sum, { seats }) => sum + seats.seated, 0);
    const kept = nodes.reduce((sum, { seats }) => sum + seats.reserved, 0);
    t.diagnostic(`${seated} seated, ${kept} seats kept for nobody until their time is over`);
    assert.equal(seated, PER_SEC * SECONDS);
    assert.ok(nodes.every(({ seats }) => seats.counts.refused === 0));
    assert.ok(times[times.length - 1] < 12_000);
  });
});
