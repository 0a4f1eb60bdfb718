/**
 * What may be answered, by looking at everything, from docs/routing.md: slow, simple, and nothing of the router's own code
 * but the nodes' table, which is asked for all nodes.
 */
import type { RoutingConfig } from "../src/config/load-balancer-config.ts";
import type { NodeTable } from "../src/registry/node-table.ts";
import type { Coordinates, ServerNode } from "../src/registry/server-node.ts";
import type { RouteClient, RouteFilter, RouteRequest } from "../src/routing/route-request.ts";

export interface Reference {
  /** When there is none. */
  readonly refusal: "full" | "noMatch" | "noNodes" | undefined;
  /** All nodes that may be the answer. */
  readonly usable: readonly ServerNode[];
  /** Nothing is known of any player; latencies are 0 then. */
  readonly isUnknown: boolean;
  /** Of the worst player. */
  readonly latencyTo: (region: string) => number;
}

export interface ReferenceInput {
  readonly table: NodeTable;
  readonly config: RoutingConfig;
  readonly seatsOf: (index: number) => number;
  /** Where each region is that ever had a node. */
  readonly places: Places;
}

type Places = ReadonlyMap<string, Coordinates | undefined>;

export function refer(request: RouteRequest, input: ReferenceInput): Reference {
  const { table, config, seatsOf, places } = input;
  const all = Array.from(table.nodes());
  const byDistance = (request.strategy ?? config.strategy) === "geographic";
  const latencies = latenciesOf(request.clients, places, byDistance);
  const isUnknown = latencies === undefined;
  const latencyTo = (region: string): number => latencies?.get(region) ?? 0;
  const refuse = (refusal: Reference["refusal"]): Reference => ({ refusal, usable: [], isUnknown, latencyTo });

  const members = all.filter(({ state }) => state === "ready" || state === "full");
  if (members.length === 0) return refuse("noNodes");
  const matching = members.filter((node) => passes(node, request.filter));
  if (matching.length === 0) return refuse("noMatch");
  const farAway = (node: ServerNode): number => latencyTo(node.region);
  const nearest = Math.min(...matching.map(farAway));
  const isInReach = (node: ServerNode): boolean => farAway(node) <= config.maxLatencyMs || farAway(node) === nearest;
  const isEjected = (node: ServerNode): boolean => table.ejectedUntil[table.indexOf(node.id)] > 0;
  const isHealthy = (node: ServerNode): boolean => node.suspicion === undefined && !isEjected(node);
  const isPanic = (region: string): boolean => {
    const here = members.filter((node) => node.region === region);
    return here.filter(isHealthy).length < config.panicThreshold * here.length;
  };
  const usable = matching.filter(
    (node) =>
      node.state === "ready" &&
      isInReach(node) &&
      (isHealthy(node) || isPanic(node.region)) &&
      seatsOf(table.indexOf(node.id)) >= request.clients.length,
  );
  return usable.length === 0 ? refuse("full") : { refusal: undefined, usable, isUnknown, latencyTo };
}

function passes(node: ServerNode, filter: RouteFilter = {}): boolean {
  const { version, gameMode, labels = {}, regions, exceptNodes = [] } = filter;
  if (version !== undefined && node.version !== version) return false;
  if (gameMode !== undefined && node.gameModes.length > 0 && !node.gameModes.includes(gameMode)) return false;
  if (Object.entries(labels).some(([key, value]) => node.labels[key] !== value)) return false;
  return (regions === undefined || regions.includes(node.region)) && !exceptNodes.includes(node.id);
}

function latenciesOf(
  clients: readonly RouteClient[],
  places: Places,
  byDistance: boolean,
): ReadonlyMap<string, number> | undefined {
  const known = clients.map((client) => ofOne(client, places, byDistance)).filter((own) => own !== undefined);
  if (known.length === 0) return undefined;
  return new Map(
    Array.from(places.keys(), (region) => [region, Math.max(...known.map((own) => own.get(region) ?? 0))]),
  );
}

function ofOne(client: RouteClient, places: Places, byDistance: boolean): ReadonlyMap<string, number> | undefined {
  const measured = Object.entries(client.latencies ?? {}).filter(([region, ms]) => places.has(region) && ms >= 0);
  const best = measured.toSorted(([, a], [, b]) => a - b).at(0);
  let here = client.location?.coordinates;
  if (here !== undefined && here.latitude === 0 && here.longitude === 0) here = undefined;
  const kmTo = (region: string, from: Coordinates): number => {
    const place = places.get(region);
    return place === undefined ? Math.PI * 6371 : haversineKm(middle(from), place);
  };
  const estimate = (region: string, from: Coordinates): number => 10 + 0.015 * kmTo(region, from);
  const isPlaced = ([region]: readonly [string, number]): boolean => places.get(region) !== undefined;
  if (here !== undefined) {
    const from = here;
    const slack = (client.location?.accuracyKm ?? 0) + 200;
    const isFasterThanLight = measured
      .filter(isPlaced)
      .some(([region, ms]) => ms < (kmTo(region, from) - slack) * 0.01);
    if (isFasterThanLight) here = undefined;
  }
  let added = 0;
  let least = 0;
  if (here !== undefined) {
    const from = here;
    const excess = measured.filter(isPlaced).map(([region, ms]) => ms - estimate(region, from));
    added = excess.length === 0 ? 0 : Math.max(0, Math.min(...excess));
  } else {
    if (best === undefined) return undefined;
    here = places.get(best[0]);
    added = here === undefined ? 0 : best[1] - estimate(best[0], here);
    [, least] = best;
  }
  const own = new Map<string, number>();
  for (const region of places.keys()) {
    const ms = here === undefined ? 10 + 0.015 * Math.PI * 6371 : estimate(region, here) + added;
    own.set(region, Math.max(ms, least));
  }
  if (!byDistance) for (const [region, ms] of measured) own.set(region, ms);
  return own;
}

/** Of its square degree. */
function middle({ latitude, longitude }: Coordinates): Coordinates {
  return { latitude: Math.floor(latitude) + 0.5, longitude: Math.floor(longitude) + 0.5 };
}

function haversineKm(a: Coordinates, b: Coordinates): number {
  const dLatitude = radians(b.latitude - a.latitude);
  const dLongitude = radians(b.longitude - a.longitude);
  const h =
    Math.sin(dLatitude / 2) ** 2 +
    Math.cos(radians(a.latitude)) * Math.cos(radians(b.latitude)) * Math.sin(dLongitude / 2) ** 2;
  return 2 * 6371 * Math.asin(Math.sqrt(h));
}

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}
