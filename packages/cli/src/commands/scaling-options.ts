/** What starts and stops game servers, from command line options: processes here, or Agones. */
import { AgonesDriver, KubernetesApi, LocalDriver } from "@riposte/fleet";
import type { BalancerServerOptions, NodeKey, StateStore } from "@riposte/fleet";
import type { BalancerCommandOptions } from "./balancer.ts";

interface Surroundings {
  readonly store: StateStore;
  readonly nodeKeys: readonly NodeKey[];
  readonly balancerUrl: () => string;
}

/** Of this process' environment, and for no game server. */
const SECRETS: ReadonlySet<string> = new Set([
  "RIPOSTE_FLEET_SECRET",
  "RIPOSTE_NODE_KEYS",
  "RIPOSTE_OPERATOR_SECRET",
  "RIPOSTE_TOKEN",
  "RIPOSTE_AGONES_WEBHOOK_SECRET",
]);
const log = (line: string): void => console.error(line);

export async function openScaling(
  options: BalancerCommandOptions,
  surroundings: Surroundings,
): Promise<Pick<BalancerServerOptions, "scalingDriver" | "agones">> {
  const { command, agonesFleet } = options;
  if (command.length > 0 && agonesFleet !== undefined)
    throw new RangeError("give either a command after -- or --agones-fleet: nodes are started here or by Agones");
  if (agonesFleet !== undefined) return openAgones(options, agonesFleet, surroundings.store);
  return command.length > 0 ? { scalingDriver: openLocal(options, surroundings) } : {};
}

/** `eu:game-eu`. */
export function pairOf(text: string, option: string): { readonly name: string; readonly value: string } {
  const colon = text.indexOf(":");
  if (colon < 1 || colon === text.length - 1)
    throw new RangeError(`${option} ${text}: give a region, a colon and a value`);
  return { name: text.slice(0, colon), value: text.slice(colon + 1) };
}

function openLocal(
  { command: [command, ...args], scalePorts }: BalancerCommandOptions,
  { nodeKeys: [key], balancerUrl }: Surroundings,
): LocalDriver {
  const [from, to] = scalePorts.split("-").map(Number);
  const inherited = Object.entries(process.env).filter(([name]) => !SECRETS.has(name));
  const env = {
    ...Object.fromEntries(inherited),
    // Known only when it listens.
    get RIPOSTE_BALANCER() {
      return balancerUrl();
    },
    RIPOSTE_NODE_KEY: `${key.kid}:${Buffer.from(key.secret ?? []).toString("hex")}`,
  };
  return new LocalDriver({ command, args, env, ports: { from, to: to ?? from }, log });
}

async function openAgones(
  { agonesWarm, agonesWebhookSecret: secret }: BalancerCommandOptions,
  fleets: readonly string[],
  store: StateStore,
): Promise<Pick<BalancerServerOptions, "scalingDriver" | "agones">> {
  if (secret === undefined || !/^[\w-]{16,128}$/.test(secret))
    throw new RangeError(
      "--agones-webhook-secret is missing: 16 to 128 of A-Z a-z 0-9 _ -, the end of the webhook's path",
    );
  const byRegion = Object.fromEntries(
    fleets.map((text) => pairOf(text, "--agones-fleet")).map(({ name, value }) => [name, value]),
  );
  const { api, namespace } = await KubernetesApi.inCluster();
  const driver = new AgonesDriver({ api, namespace, fleets: byRegion, warmNodes: Number(agonesWarm), store, log });
  return { scalingDriver: driver, agones: { secret, review: (review) => driver.review(review) } };
}
