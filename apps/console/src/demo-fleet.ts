/** A fleet to look at: a balancer, forty nodes in twelve regions, and players who come and go, all in this process. */
import { randomBytes } from "node:crypto";
import { BalancerServer, FleetNode, GeoIp, signOperatorToken } from "@riposte/fleet";
import type { AllocateReply, Scope } from "@riposte/fleet";
import { Random } from "@riposte/protocol";
import { DemoPlayers } from "./demo-players.ts";

export interface DemoFleetOptions {
  /** Default 7800; 0: any. */
  readonly port?: number;
  /** Players who come each second. Default 12. */
  readonly playersPerSec?: number;
  /** So many are there at the beginning. Default 1500. */
  readonly playersAtFirst?: number;
  /** Default 1. */
  readonly seed?: number;
}

/** With nodes, and seats on each. */
const REGIONS: readonly (readonly [name: string, latitude: number, longitude: number, nodes: number, seats: number])[] =
  [
    ["us-east", 39.04, -77.49, 6, 96],
    ["us-west", 45.52, -122.68, 4, 96],
    ["sa-east", -23.55, -46.63, 3, 80],
    ["eu-west", 51.51, -0.13, 4, 96],
    ["eu-central", 50.11, 8.68, 6, 112],
    ["eu-north", 59.33, 18.07, 2, 64],
    ["me-central", 25.2, 55.27, 2, 64],
    ["af-south", -26.2, 28.05, 1, 48],
    ["ap-south", 19.08, 72.88, 3, 80],
    ["ap-southeast", 1.35, 103.82, 3, 96],
    ["ap-northeast", 35.68, 139.69, 4, 96],
    ["oc-east", -33.87, 151.21, 2, 64],
  ];
const ISSUER = "riposte-operators";
const AUDIENCE = "riposte-balancer";
const STAY_MS = 120_000;
const CONNECT_MS = 700;
const FIRST_EVERY_MS = 4;
const TICK_MS = 250;

interface Player {
  readonly node: FleetNode;
  readonly clientId: string;
  readonly leavesAt: number;
}

export class DemoFleet implements AsyncDisposable {
  readonly server: BalancerServer;
  readonly nodes: ReadonlyMap<string, FleetNode>;
  /** Of an operator who may do everything. */
  readonly token: string;
  readonly #secret: Uint8Array;
  readonly #locator: GeoIp;
  readonly #matchmaker: string;
  readonly #addresses: DemoPlayers;
  readonly #random: Random;
  readonly #playersPerSec: number;
  #players: Player[] = [];
  #clients = 0;
  #due = 0;
  #timer: NodeJS.Timeout | undefined;

  private constructor(parts: {
    readonly server: BalancerServer;
    readonly nodes: ReadonlyMap<string, FleetNode>;
    readonly secret: Uint8Array;
    readonly token: string;
    readonly locator: GeoIp;
    readonly matchmaker: string;
    readonly random: Random;
    readonly playersPerSec: number;
  }) {
    this.server = parts.server;
    this.nodes = parts.nodes;
    this.#secret = parts.secret;
    this.token = parts.token;
    this.#locator = parts.locator;
    this.#matchmaker = parts.matchmaker;
    this.#random = parts.random;
    this.#playersPerSec = parts.playersPerSec;
    this.#addresses = new DemoPlayers(parts.locator, parts.random);
  }

  static async open(options: DemoFleetOptions = {}): Promise<DemoFleet> {
    const { port = 7800, playersPerSec = 12, playersAtFirst = 1500, seed = 1 } = options;
    const [secret, key] = [randomBytes(32), { kid: "demo", secret: randomBytes(32) }];
    const locator = await GeoIp.open();
    const trust = { issuer: ISSUER, audience: AUDIENCE, secret };
    const server = await BalancerServer.listen({
      id: "demo",
      port,
      host: "127.0.0.1",
      fleetSecret: randomBytes(32),
      nodeKeys: [key],
      trust,
      locator,
      config: { scaling: { "eu-central": { targetFreeSeats: 200, maxNodes: 20 } } },
      audit: { write: () => true },
      log: () => undefined,
    });
    const random = new Random(seed);
    const nodes = await joinAll(server.url, key, random);
    const fleet = new DemoFleet({
      server,
      nodes,
      secret,
      token: await signFor(secret, "demo", ["fleet:read", "fleet:write", "config:write"]),
      locator,
      matchmaker: await signFor(secret, "matchmaker", ["allocate"]),
      random,
      playersPerSec,
    });
    await fleet.#begin(playersAtFirst);
    return fleet;
  }

  get url(): string {
    return this.server.url;
  }

  /** Players in their seats. */
  get playing(): number {
    return this.#players.length;
  }

  tokenFor(subject: string, scopes: readonly Scope[]): Promise<string> {
    return signFor(this.#secret, subject, scopes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(Array.from(this.nodes.values(), (node) => node[Symbol.asyncDispose]()));
    await this.server[Symbol.asyncDispose]();
    await this.#locator.close();
  }

  async #begin(players: number): Promise<void> {
    // Until nodes have lent seats.
    while (this.server.balancer.stats().freeSeats === 0) await sleep(50);
    const coming: Promise<void>[] = [];
    for (let i = 0; i < players; i++) {
      coming.push(this.#play());
      await sleep(FIRST_EVERY_MS);
    }
    await Promise.all(coming);
    // What an operator would see on any day.
    this.server.balancer.commandNode("us-east-6", "drain");
    this.server.balancer.commandNode("eu-central-5", "maintain");
    // Registered by hand, and never came.
    this.server.balancer.registerNode({
      id: "ap-northeast-5",
      region: "ap-northeast",
      coordinates: { latitude: 35.68, longitude: 139.69 },
      addresses: { udp: ["203.0.113.250:7777"] },
      capacity: { sessions: 8, players: 96 },
      version: "1.9.1",
      labels: {},
      gameModes: [],
      weight: 1,
    });
    this.#timer = setInterval(() => this.#tick(performance.now()), TICK_MS);
  }

  #tick(now: number): void {
    for (const { node, clientId, leavesAt } of this.#players) if (leavesAt <= now) node.leave(clientId);
    this.#players = this.#players.filter(({ leavesAt }) => leavesAt > now);
    this.#due = Math.min(this.#due + (this.#playersPerSec * TICK_MS) / 1000, this.#playersPerSec);
    for (; this.#due >= 1; this.#due--) void this.#play();
  }

  /** One who comes, as by a matchmaker. A player who finds no seat is not seen again. */
  async #play(): Promise<void> {
    const clientId = String(++this.#clients);
    const client = { clientId, ip: this.#addresses.address() };
    const body = JSON.stringify({ key: `demo-${clientId.padStart(16, "0")}`, clients: [client] });
    const headers = { "content-type": "application/json", authorization: `Bearer ${this.#matchmaker}` };
    const response = await fetch(`${this.url}/v1/allocate`, { method: "POST", headers, body }).catch(() => undefined);
    const reply = (await response?.json().catch(() => undefined)) as AllocateReply | undefined;
    const node = reply?.status === "allocated" ? this.nodes.get(reply.node.id) : undefined;
    const leavesAt = performance.now() + STAY_MS * (0.25 + 1.5 * this.#random.next());
    // It takes a moment to connect; meanwhile the node hears of it.
    await sleep(CONNECT_MS);
    if (node?.arrive(clientId) === true) this.#players.push({ node, clientId, leavesAt });
  }
}

async function joinAll(
  url: string,
  key: { readonly kid: string; readonly secret: Uint8Array },
  random: Random,
): Promise<Map<string, FleetNode>> {
  const nodes: Map<string, FleetNode> = new Map();
  for (const [region, latitude, longitude, count, seats] of REGIONS)
    for (let i = 1; i <= count; i++) {
      const id = `${region}-${i}`;
      const node = await FleetNode.join({
        balancers: [url],
        key,
        registration: {
          id,
          region,
          coordinates: { latitude, longitude },
          addresses: { udp: [`203.0.113.${nodes.size + 1}:7777`] },
          capacity: { sessions: 8, players: seats },
          // A new build on some.
          version: i === 2 ? "1.9.1" : "1.9.0",
          labels: { hardware: random.chance(0.4) ? "metal" : "vm" },
        },
      });
      node.setReady(true);
      nodes.set(id, node);
    }
  return nodes;
}

function signFor(secret: Uint8Array, subject: string, scopes: readonly Scope[]): Promise<string> {
  const [lifetimeSeconds, wallNow] = [12 * 3600, Date.now()];
  return signOperatorToken({ issuer: ISSUER, audience: AUDIENCE, secret, subject, scopes, lifetimeSeconds, wallNow });
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
