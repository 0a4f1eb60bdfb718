/** Scaling with real processes: a balancer, its local driver, and game servers that register with it. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { BalancerServer } from "../src/balancer/balancer-server.ts";
import type { AllocateReply } from "../src/http/balancer-api.ts";
import type { ServerNode } from "../src/registry/server-node.ts";
import { LocalDriver } from "../src/scaling/local-driver.ts";
import { allocate, request } from "./small-fleet.ts";
import { until } from "./until.ts";

const SEATS = 4;
const CHILD = fileURLToPath(new URL("scaling-child.ts", import.meta.url));
/** Below those that the system gives away. */
const FIRST_PORT = 20_000 + (process.pid % 600) * 20;
const PORTS = { from: FIRST_PORT, to: FIRST_PORT + 19 };

interface Player {
  readonly clientId: string;
  readonly nodeId: string;
  readonly port: number;
}

async function tell(port: number, path: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}/${path}`);
  return ((await response.json()) as { seated: number }).seated;
}

describe("scaling, local", { timeout: 180_000 }, () => {
  it("grows with its players, shrinks when they go, and replaces who dies", async (t) => {
    const secret = randomBytes(32);
    const log: string[] = [];
    const write = (line: string): void => void log.push(line);
    // Known only when the balancer listens.
    const args = [CHILD, "", secret.toString("hex"), String(SEATS)];
    const driver = new LocalDriver({ command: process.execPath, args, ports: PORTS, log: write });
    const scaling = {
      eu: {
        targetFreeSeats: SEATS,
        minNodes: 1,
        maxNodes: 6,
        scaleOutCooldownMs: 500,
        scaleInCooldownMs: 4000,
        scaleInMargin: 0,
        seatsPerNode: SEATS,
        predict: false,
      },
    };
    await using balancer = await BalancerServer.listen({
      id: "a",
      port: 0,
      host: "127.0.0.1",
      fleetSecret: randomBytes(32),
      nodeKeys: [{ kid: "k1", secret }],
      config: { scaling, health: { suspectAfterMs: 500, loseAfterMs: 1500 } },
      scalingDriver: driver,
      audit: { write: () => true },
      log: write,
    });
    args[1] = balancer.url;
    const nodes = (state?: ServerNode["state"]): readonly ServerNode[] =>
      balancer.balancer.nodes(state === undefined ? {} : { state });
    const serving = (): number => nodes("ready").length + nodes("full").length;
    const pids = (): Map<string, number> =>
      new Map(
        log.flatMap((line) => {
          const found = /^\[(\S+)\] runs as process (\d+)/.exec(line);
          return found === null ? [] : [[found[1], Number(found[2])] as const];
        }),
      );
    const players: Player[] = [];
    const join = async (clientId: number): Promise<void> => {
      let reply: AllocateReply | undefined;
      const body = request(clientId);
      await until(async () => {
        const ticket = reply?.status === "waiting" ? { ticket: reply.ticket } : {};
        reply = await allocate(balancer.url, { ...body, ...ticket });
        return reply.status === "allocated";
      });
      assert.ok(reply?.status === "allocated");
      const port = Number(reply.node.addresses.udp[0].split(":")[1]);
      players.push({ clientId: String(clientId), nodeId: reply.node.id, port });
      await tell(port, `arrive/${clientId}`);
    };
    const seatedOn = (id: string): number => players.filter(({ nodeId }) => nodeId === id).length;

    try {
      // The first node, by its minimum.
      const firstMs = await until(() => serving() === 1);
      // Demand grows: 7 players and 4 free seats are three nodes.
      for (let i = 1; i <= 7; i++) await join(i);
      const grownMs = await until(() => serving() === 3, 40_000);
      for (let i = 8; i <= 10; i++) await join(i);
      await until(() => serving() === 4, 40_000);
      assert.equal(driver.size, 4);

      // Demand falls: two players stay, on different nodes if they are.
      const stay = [players[0], players.find(({ nodeId }) => nodeId !== players[0].nodeId)!];
      for (const player of players.filter((one) => !stay.includes(one))) {
        await tell(player.port, `leave/${player.clientId}`);
        players.splice(players.indexOf(player), 1);
      }
      const shrunkMs = await until(() => driver.size === 2 && nodes().length <= 3, 60_000);
      const stopped = [...pids().keys()].filter((id) => !nodes().some((node) => node.id === id));
      assert.ok(stopped.length === 2 && stopped.every((id) => seatedOn(id) === 0), "who was empty");
      for (const { port } of stay) assert.ok((await tell(port, "leave/nobody")) >= 1, "and players play on");

      // One is killed: another one takes its place.
      const victim = nodes("ready").find(({ id }) => driver.owns(id))!;
      const survivor = stay.find(({ nodeId }) => nodeId !== victim.id)!;
      const known = new Set(pids().keys());
      process.kill(pids().get(victim.id)!, "SIGKILL");
      await until(() => nodes("ready").some(({ id }) => !known.has(id)), 40_000);
      await until(() => !nodes().some(({ id }) => id === victim.id));
      assert.ok((await tell(survivor.port, "leave/nobody")) >= 1);
      t.diagnostic(`first node ${ms(firstMs)}, grown ${ms(grownMs)}, shrunk ${ms(shrunkMs)}`);
      const exposition = await balancer.metrics.exposition();
      assert.match(exposition, /riposte_fleet_scaling_decisions_total\{region="eu",kind="stop"\} [2-9]/);
      assert.match(exposition, /riposte_fleet_scaling_nodes_wanted\{region="eu"\} \d/);
      assert.match(exposition, /riposte_fleet_scaling_driver_errors_total\{operation="start"\} 0/);
      assert.match(
        log.join("\n"),
        /scaling eu: drains eu-\S+: \d+ seats are free, \d+ are wanted; 0 players are there, the fewest/,
      );
    } catch (error) {
      t.diagnostic(log.slice(-60).join("\n"));
      throw error;
    }
    const children = [...pids().values()];
    await balancer[Symbol.asyncDispose]();
    assert.equal(driver.size, 0);
    for (const pid of children) assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
  });
});

function ms(value: number): string {
  return `${Math.round(value)} ms`;
}
