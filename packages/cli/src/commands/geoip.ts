/** `riposte geoip`: a balancer's databases of places by address. */
import type { GeoIpReply, GeoIpUpdateReply } from "@riposte/fleet";
import { OperatorClient } from "../operator-client.ts";
import type { OperatorOptions } from "../operator-client.ts";
import { table } from "../table.ts";

export interface UpdateOptions extends OperatorOptions {
  readonly force: boolean;
}

export async function showGeoIp(options: OperatorOptions): Promise<string> {
  const reply = (await new OperatorClient(options).ask("GET", "geoip")) as GeoIpReply;
  if (options.json) return JSON.stringify(reply);
  const { databases, lookups, overrides, lastError, attributions } = reply;
  const rows = databases.map(({ use, ipVersion, builtAt, bytes, name }) => [
    use,
    `IPv${ipVersion}`,
    new Date(builtAt).toISOString().slice(0, 10),
    (bytes / 1e6).toFixed(0),
    name,
  ]);
  const counts = Object.entries(lookups).map(([outcome, each]) => `${outcome} ${each}`);
  return [
    table(["use", "for", "built", "#MB", "from"], rows),
    "",
    `lookups: ${counts.join(", ")}; ${overrides} overrides`,
    ...(lastError === undefined ? [] : [`the last update failed: ${lastError.code}: ${lastError.message}`]),
    "",
    ...attributions.map(({ text, url }) => `${text}: ${url}`),
  ].join("\n");
}

export async function updateGeoIp({ force, ...options }: UpdateOptions): Promise<string> {
  const reply = (await new OperatorClient(options).ask("POST", "geoip/update", { force })) as GeoIpUpdateReply;
  if (options.json) return JSON.stringify(reply);
  return reply.changed.length === 0 ? "nothing is new" : reply.changed.map((name) => `new: ${name}`).join("\n");
}
