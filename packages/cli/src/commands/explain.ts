/** `riposte explain`: where a player would be sent, and why not elsewhere. */
import type { ExplainReply } from "@riposte/fleet";
import { CommandError } from "../command-error.ts";
import { OperatorClient } from "../operator-client.ts";
import type { OperatorOptions } from "../operator-client.ts";
import { table } from "../table.ts";

export interface ExplainCommandOptions extends OperatorOptions {
  readonly ip?: string;
  readonly client?: string;
  readonly region?: readonly string[];
  readonly gameVersion?: string;
  readonly mode?: string;
  readonly strategy?: string;
  readonly latency?: readonly string[];
  /** Candidates that are listed. */
  readonly limit: string;
}

const REFUSED = {
  full: "nowhere now: nodes match, none has a seat; the player would wait",
  noMatch: "nowhere: no node matches the filter",
  noNodes: "nowhere: no node takes players",
} as const;

export async function explain(options: ExplainCommandOptions): Promise<string> {
  const { ip, client, region, gameVersion, mode, strategy, latency } = options;
  if (ip === undefined && client === undefined)
    throw new CommandError("usage", "say whom to explain: --ip 203.0.113.7, or --client 4711, or both");
  const limit = Number(options.limit);
  if (!(Number.isInteger(limit) && limit >= 0))
    throw new CommandError("usage", `--limit ${options.limit} is no number`);
  const filter = {
    ...(region === undefined ? {} : { regions: region }),
    ...(gameVersion === undefined ? {} : { version: gameVersion }),
    ...(mode === undefined ? {} : { gameMode: mode }),
  };
  const latencies = latency === undefined ? {} : { latencies: Object.fromEntries(latency.map(readLatency)) };
  const body = {
    clients: [{ clientId: client ?? "0", ...(ip === undefined ? {} : { ip }), ...latencies }],
    ...(Object.keys(filter).length === 0 ? {} : { filter }),
    ...(strategy === undefined ? {} : { strategy }),
  };
  const reply = (await new OperatorClient(options).ask("POST", "explain", body)) as ExplainReply;
  return options.json ? JSON.stringify(reply) : textOf(reply, limit);
}

function readLatency(text: string): [region: string, ms: number] {
  const [, region, ms] = /^(.+)=(\d+(?:\.\d+)?)$/.exec(text) ?? [];
  if (region === undefined) throw new CommandError("usage", `--latency ${text}: give eu-west=31, in ms`);
  return [region, Number(ms)];
}

function textOf(
  { outcome, candidates, regions, clients, lastRegion, attributions }: ExplainReply,
  limit: number,
): string {
  const { location } = clients[0];
  const lines = [
    "node" in outcome
      ? `${outcome.node.id} in ${outcome.node.region}, score ${outcome.score.toFixed(1)} by ${outcome.strategy}`
      : REFUSED[outcome.refused],
  ];
  if (location === undefined) lines.push("where the client is, nobody knows");
  else {
    const { coordinates, country = "no country", source, accuracyKm } = location;
    const { latitude, longitude } = coordinates;
    lines.push(
      `the client is at ${latitude.toFixed(2)}, ${longitude.toFixed(2)} (${country}; by ${source}, within ${accuracyKm} km)`,
    );
  }
  if (lastRegion !== undefined) lines.push(`it played last in ${lastRegion}`);
  const rows = candidates.slice(0, limit).map(({ nodeId, region, score, parts = {}, rejected, detail }) => [
    nodeId,
    region,
    regions[region] === undefined ? "-" : regions[region].latencyMs.toFixed(0),
    score === undefined ? "-" : score.toFixed(1),
    rejected === undefined ? "chosen" : rejected,
    detail ??
      Object.entries(parts)
        .map(([name, value]) => `${name} ${value.toFixed(1)}`)
        .join(", "),
  ]);
  lines.push("", table(["node", "region", "#ms", "#score", "why", "detail"], rows));
  if (candidates.length > limit) lines.push(`and ${candidates.length - limit} others: --limit ${candidates.length}`);
  if (location !== undefined) lines.push("", ...attributions.map(({ text, url }) => `${text}: ${url}`));
  return lines.join("\n");
}
