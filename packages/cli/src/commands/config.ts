/** `riposte config`: reads, changes and rolls back the fleet's settings. */
import type { ConfigChange, ConfigVersion, DryRunReport } from "@riposte/fleet";
import { CommandError } from "../command-error.ts";
import { OperatorClient } from "../operator-client.ts";
import type { OperatorOptions } from "../operator-client.ts";
import { table } from "../table.ts";
import { readJson, readText } from "./nodes.ts";

export interface SetOptions extends OperatorOptions {
  readonly file?: string;
  readonly dryRun: boolean;
  readonly comment?: string;
}

/** All of it, or the part at `path`, as JSON. */
export async function getConfig(path: string | undefined, options: OperatorOptions): Promise<string> {
  const current = (await new OperatorClient(options).ask("GET", "config")) as ConfigVersion;
  if (options.json && path === undefined) return JSON.stringify(current);
  let part: unknown = current.config;
  for (const name of path?.split(".") ?? []) {
    if (typeof part !== "object" || part === null || !Object.hasOwn(part, name))
      throw new CommandError("usage", `there is no setting ${path}: see riposte config get`);
    part = (part as Readonly<Record<string, unknown>>)[name];
  }
  return JSON.stringify(part, undefined, options.json ? 0 : 2);
}

export async function setConfig(changes: readonly string[], options: SetOptions): Promise<string> {
  const { file, dryRun, comment, json } = options;
  const client = new OperatorClient(options);
  if ((changes.length === 0) === (file === undefined))
    throw new CommandError("usage", "say what to change: routing.maxLatencyMs=250, or --file patch.json");
  const patch = file === undefined ? patchOf(changes) : readJson(await readText(file), file);
  const query = new URLSearchParams({ dryRun: String(dryRun), ...(comment === undefined ? {} : { comment }) });
  const reply = await client.ask("PATCH", `config?${query.toString()}`, patch);
  if (json) return JSON.stringify(reply);
  if (dryRun) return reportOf(reply as DryRunReport);
  const { version, diff } = reply as ConfigChange;
  if (diff.length === 0) return `nothing is different: version ${version.version} stays in force`;
  return [...diff, `version ${version.version} is in force`].join("\n");
}

export async function configHistory(options: OperatorOptions): Promise<string> {
  const reply = (await new OperatorClient(options).ask("GET", "config/versions")) as {
    readonly versions: readonly ConfigVersion[];
  };
  if (options.json) return JSON.stringify(reply.versions);
  const rows = reply.versions
    .toReversed()
    .map(({ version, changedAt, changedBy, comment = "" }) => [
      String(version),
      version === 0 ? "-" : changedAt,
      changedBy,
      comment,
    ]);
  return table(["#version", "at", "by", "comment"], rows);
}

export async function rollBackConfig(version: string, options: OperatorOptions): Promise<string> {
  const number = Number(version);
  if (!(Number.isInteger(number) && number >= 0))
    throw new CommandError("usage", `${version} is no version: see riposte config history`);
  const now = (await new OperatorClient(options).ask("POST", "config/rollback", { version: number })) as ConfigVersion;
  if (options.json) return JSON.stringify(now);
  return `version ${now.version} is in force, with the settings of version ${number}`;
}

/** "a.b=1" is { a: { b: 1 } }; what is no JSON is a text. */
function patchOf(changes: readonly string[]): Readonly<Record<string, unknown>> {
  const patch: Record<string, unknown> = {};
  for (const change of changes) {
    const at = change.indexOf("=");
    if (at < 1) throw new CommandError("usage", `${change}: give a setting and its value, routing.maxLatencyMs=250`);
    const [path, text] = [change.slice(0, at).split("."), change.slice(at + 1)];
    let branch = patch;
    for (const name of path.slice(0, -1)) branch = branch[name] = (branch[name] ?? {}) as Record<string, unknown>;
    branch[path[path.length - 1]] = valueOf(text);
  }
  return patch;
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function reportOf(report: DryRunReport): string {
  const { diff, requests, otherRegion, otherNode, newlyRefused, newlyPlaced, before, after } = report;
  const regions = Array.from(new Set([...Object.keys(before.byRegion), ...Object.keys(after.byRegion)])).sort();
  const rows = [
    ["placed", String(before.placed), String(after.placed)],
    ["refused", refused(before), refused(after)],
    ["mean latency, ms", ms(before.meanLatencyMs), ms(after.meanLatencyMs)],
    ["p95 latency, ms", ms(before.p95LatencyMs), ms(after.p95LatencyMs)],
    ...regions.map((region) => [region, String(before.byRegion[region] ?? 0), String(after.byRegion[region] ?? 0)]),
  ];
  return [
    ...(diff.length === 0 ? ["nothing would be different"] : diff),
    "",
    `of ${requests} recorded requests: ${otherRegion} in another region, ${otherNode} on another node, ` +
      `${newlyRefused} newly refused, ${newlyPlaced} newly placed`,
    "",
    table(["", "#now", "#then"], rows),
    "",
    "nothing has been changed",
  ].join("\n");
}

function ms(value: number | undefined): string {
  return value === undefined ? "-" : value.toFixed(1);
}

function refused(side: DryRunReport["before"]): string {
  return String(Object.values(side.refused).reduce((sum, each) => sum + each, 0));
}
