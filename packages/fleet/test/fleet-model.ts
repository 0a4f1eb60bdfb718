/** Nodes, requests and fleets for tests. */
import type { Random } from "@riposte/protocol";
import { NodeTable } from "../src/registry/node-table.ts";
import type { Coordinates, NodeLoad, NodeRegistration } from "../src/registry/server-node.ts";
import type { RouteClient, RouteOutcome } from "../src/routing/route-request.ts";

export const PLACES: Readonly<Record<string, Coordinates>> = {
  frankfurt: { latitude: 50.1, longitude: 8.7 },
  london: { latitude: 51.5, longitude: -0.1 },
  virginia: { latitude: 38.9, longitude: -77.5 },
  oregon: { latitude: 45.8, longitude: -119.7 },
  tokyo: { latitude: 35.7, longitude: 139.7 },
  sydney: { latitude: -33.9, longitude: 151.2 },
  "sao-paulo": { latitude: -23.6, longitude: -46.6 },
};

export function registration(id: string, change: Partial<NodeRegistration> = {}): NodeRegistration {
  const region = change.region ?? "frankfurt";
  const coordinates = PLACES[region];
  return {
    id,
    region,
    ...(coordinates && { coordinates }),
    addresses: { udp: ["10.0.0.1:7777"] },
    capacity: { sessions: 10, players: 100 },
    version: "1.0",
    labels: {},
    gameModes: [],
    weight: 1,
    ...change,
  };
}

export function loadOf(players: number, cpu = 0): NodeLoad {
  return { sessions: 0, players, reserved: 0, cpu, tickMs: 5 };
}

/** Adds a node that is ready since `now`; returns its index. */
export function addReady(table: NodeTable, node: NodeRegistration, now = -1e9): number {
  const index = table.put(node);
  if (typeof index === "string") throw new Error(index);
  table.setState(index, "ready", now);
  return index;
}

/** `count` nodes of one region. */
export function readyTable(count: number, region = "frankfurt"): NodeTable {
  const table = new NodeTable({ maxNodes: Math.max(count, 1) });
  for (let n = 0; n < count; n++) addReady(table, registration(`${region}-${n}`, { region }));
  return table;
}

export function clientAt(place: string, clientId = "1"): RouteClient {
  return { clientId, location: { coordinates: PLACES[place], source: "city", accuracyKm: 20 } };
}

export function nodeIdOf(outcome: RouteOutcome): string {
  return "refused" in outcome ? `refused: ${outcome.refused}` : outcome.node.id;
}

export function pick<T>(random: Random, items: readonly T[]): T {
  return items[random.int(items.length)];
}
