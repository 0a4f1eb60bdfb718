/** `riposte stats`: the fleet by region, and the balancer that answers. */
import type { StatsReply } from "@riposte/fleet";
import { OperatorClient } from "../operator-client.ts";
import type { OperatorOptions } from "../operator-client.ts";
import { percent, table } from "../table.ts";

export async function showStats(options: OperatorOptions): Promise<string> {
  const stats = (await new OperatorClient(options).ask("GET", "stats")) as StatsReply;
  return options.json ? JSON.stringify(stats) : textOf(stats);
}

function textOf(stats: StatsReply): string {
  const { regions, balancer, balancersAlive, isLeader, store, configVersion, queueLength, allocation, refusals } =
    stats;
  const rows = Object.entries(regions)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { nodes, seats, suspectedNodes }]) => [
      name,
      String(nodes.ready + nodes.full),
      String(Object.values(nodes).reduce((sum, each) => sum + each, 0)),
      String(suspectedNodes),
      String(nodes.lost),
      String(seats.used),
      String(seats.capacity),
      percent(seats.used, seats.capacity),
      String(seats.free),
    ]);
  const refused = Object.entries(refusals).flatMap(([reason, each]) => (each > 0 ? [`${reason} ${each}`] : []));
  return [
    `balancer ${balancer.id}, one of ${balancersAlive} alive${isLeader ? ", leads" : ""}; ` +
      `store ${store.kind} ${store.status}; configuration version ${configVersion}`,
    `${queueLength} waiting here; ${allocation.count} answered here, p50 ${allocation.p50Ms.toFixed(1)} ms, p99 ${allocation.p99Ms.toFixed(1)} ms; ` +
      `refused: ${refused.length === 0 ? "nobody" : refused.join(", ")}`,
    "",
    table(["region", "#ready", "#nodes", "#suspected", "#lost", "#players", "#seats", "#load", "#free"], rows),
  ].join("\n");
}
