/** `riposte nodes`: who is there, and what an operator may do to them. */
import { readFile } from "node:fs/promises";
import type { NodeCommand, ServerNode } from "@riposte/fleet";
import { CommandError } from "../command-error.ts";
import { OperatorClient } from "../operator-client.ts";
import type { OperatorOptions } from "../operator-client.ts";
import { percent, table } from "../table.ts";

export interface ListOptions extends OperatorOptions {
  readonly region?: string;
  readonly state?: string;
}

interface Page {
  readonly nodes: readonly ServerNode[];
  readonly next?: string;
}

/** All commands give what is to be printed. */
export async function listNodes({ region, state, ...options }: ListOptions): Promise<string> {
  const client = new OperatorClient(options);
  const query = new URLSearchParams({ limit: "5000" });
  if (region !== undefined) query.set("region", region);
  if (state !== undefined) query.set("state", state);
  const nodes: ServerNode[] = [];
  for (let isMore = true; isMore;) {
    const page = (await client.ask("GET", `nodes?${query.toString()}`)) as Page;
    nodes.push(...page.nodes);
    isMore = page.next !== undefined;
    query.set("after", page.next ?? "");
  }
  return options.json ? JSON.stringify(nodes) : tableOf(nodes);
}

export async function commandNodes(
  command: NodeCommand,
  ids: readonly string[],
  options: OperatorOptions,
): Promise<string> {
  const client = new OperatorClient(options);
  const nodes: ServerNode[] = [];
  for (const id of ids)
    nodes.push((await client.ask("POST", `nodes/${encodeURIComponent(id)}/${command}`)) as ServerNode);
  if (options.json) return JSON.stringify(nodes);
  if (command === "unregister") return ids.map((id) => `${id} is unregistered`).join("\n");
  return nodes.map(({ id, state }) => `${id} is ${state}`).join("\n");
}

/** A registration in JSON, from a file or, for "-", standard input. */
export async function registerNode(file: string, options: OperatorOptions): Promise<string> {
  const client = new OperatorClient(options);
  const registration = readJson(await readText(file), file) as { readonly id?: unknown };
  await client.ask("POST", "nodes", registration);
  const id = String(registration.id);
  if (options.json) return JSON.stringify({ id });
  return `${id} is registered: players go there once it has registered itself and reports`;
}

export async function readText(file: string): Promise<string> {
  try {
    return await readFile(file === "-" ? "/dev/stdin" : file, "utf8");
  } catch (error) {
    throw new CommandError("usage", `${file} cannot be read: ${(error as Error).message}`);
  }
}

export function readJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CommandError("usage", `${where} is no JSON: ${(error as Error).message}`);
  }
}

function tableOf(nodes: readonly ServerNode[]): string {
  const rows = nodes.map(({ id, region, state, suspicion, load, capacity, version, labels }) => [
    id,
    region,
    suspicion === undefined ? state : `${state} (${suspicion})`,
    `${load.players + load.reserved}/${capacity.players}`,
    percent(load.players + load.reserved, capacity.players),
    percent(load.cpu, 1),
    version,
    Object.entries(labels)
      .map(([name, value]) => `${name}=${value}`)
      .join(","),
  ]);
  return table(["node", "region", "state", "#seats", "#load", "#cpu", "version", "labels"], rows);
}
