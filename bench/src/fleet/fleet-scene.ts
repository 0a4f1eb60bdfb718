/** A fleet: nodes in many regions, half full, that report as they do, and routes of players as they come. */
import type { ClientLocator, NodeRegistration, RouteClient, RouteRequest } from "@riposte/fleet";
import { NodeTable, Router } from "@riposte/fleet";
import { Random } from "@riposte/protocol";
import { CITIES } from "./cities.ts";
import type { Players } from "./players.ts";
import { MODES, regionName, VERSIONS } from "./players.ts";

export interface SceneOptions {
  readonly nodes: number;
  readonly regions: number;
  readonly players: Players;
  /** Each player's address is looked up as part of its route. */
  readonly locator?: ClientLocator;
}

const SEATS = 100;
/** Seats that a node lends with each report. */
const LENT = 10;

export class FleetScene {
  readonly table: NodeTable;
  readonly router: Router;
  /** By node: free seats that were lent to this balancer. */
  readonly seats: Int32Array;
  now = 100_000;
  readonly #random: Random = new Random(7);
  readonly #players: Players;
  readonly #locator: ClientLocator | undefined;
  #reporting = 0;

  constructor({ nodes, regions, players, locator }: SceneOptions) {
    this.#players = players;
    this.#locator = locator;
    this.table = new NodeTable({ maxNodes: nodes });
    this.seats = new Int32Array(nodes);
    for (let n = 0; n < nodes; n++) {
      const index = this.table.put(nodeOf(n, regions));
      if (typeof index === "string") throw new Error(index);
      // Some have started just now.
      this.table.setState(index, "ready", n % 50 === 0 ? this.now - 5000 : 0);
      this.#report(index);
    }
    this.router = new Router({ table: this.table, seatsOf: (index) => this.seats[index], random: new Random(1) });
  }

  /** The next player or party, and a seat for each if there are any. Returns whether there were. */
  route(): boolean {
    const { request, addresses } = this.#players.next();
    const located = this.#locator === undefined ? request : locate(request, addresses, this.#locator);
    const outcome = this.router.routeClient(located, this.now);
    if ("refused" in outcome) return false;
    this.seats[outcome.index] -= request.clients.length;
    this.table.addReserved(outcome.index, request.clients.length);
    return true;
  }

  /** The next node in turn reports, and lends seats anew. */
  reportNext(): void {
    this.#report(this.#reporting);
    this.#reporting = (this.#reporting + 1) % this.table.end;
  }

  #report(index: number): void {
    const isFull = this.#random.chance(0.05);
    const players = isFull ? SEATS : this.#random.int(SEATS - 10);
    this.seats[index] = isFull ? 0 : LENT;
    this.table.report(index, { sessions: 1, players, reserved: 0, cpu: this.#random.next(), tickMs: 8 });
  }
}

function locate(request: RouteRequest, addresses: readonly string[], locator: ClientLocator): RouteRequest {
  const clients = request.clients.map(({ clientId, latencies }, i): RouteClient => {
    const location = locator.estimateClientLocation(addresses[i]);
    return { clientId, ...(location && { location }), ...(latencies && { latencies }) };
  });
  return { ...request, clients };
}

function nodeOf(n: number, regions: number): NodeRegistration {
  const number = n % regions;
  const { latitude, longitude } = CITIES[number % CITIES.length];
  // Regions of one city stand some way apart.
  const apart = Math.floor(number / CITIES.length);
  return {
    id: `node-${n}`,
    region: regionName(number),
    coordinates: { latitude: latitude + apart, longitude: longitude + apart },
    addresses: { udp: [`10.${n >> 16}.${(n >> 8) & 255}.${n & 255}:7777`] },
    capacity: { sessions: 10, players: SEATS },
    version: VERSIONS[Math.floor(n / regions) % 5 === 0 ? 0 : 1],
    labels: { provider: n % 2 === 0 ? "a" : "b" },
    gameModes: n % 3 === 0 ? [] : [MODES[n % 3], MODES[(n + 1) % 3]],
    weight: 1,
  };
}
