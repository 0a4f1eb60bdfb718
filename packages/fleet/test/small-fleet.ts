/** A fleet of real HTTP servers in one process, and what a player does with it. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { BalancerServer } from "../src/balancer/balancer-server.ts";
import type { BalancerServerOptions } from "../src/balancer/balancer-server.ts";
import type { AllocateReply, Allocation } from "../src/http/balancer-api.ts";
import { FleetNode } from "../src/node/fleet-node.ts";
import type { FleetNodeOptions } from "../src/node/fleet-node.ts";
import type { StateStore } from "../src/store/state-store.ts";
import { EmbeddedStore } from "../src/store/embedded-store.ts";

const nodeKey = { kid: "k1", secret: randomBytes(32) };

export class SmallFleet implements AsyncDisposable {
  readonly store: StateStore;
  readonly log: string[] = [];
  readonly #secret = randomBytes(32);
  readonly #open: AsyncDisposable[] = [];
  #nodes = 0;

  private constructor(store: StateStore) {
    this.store = store;
  }

  static async open(): Promise<SmallFleet> {
    return new SmallFleet(await EmbeddedStore.open());
  }

  async balancer(
    id: string,
    peers: readonly string[] = [],
    config: object = {},
    options: Partial<BalancerServerOptions> = {},
  ): Promise<BalancerServer> {
    const server = await BalancerServer.listen({
      id,
      port: 0,
      host: "127.0.0.1",
      fleetSecret: this.#secret,
      nodeKeys: [nodeKey],
      store: this.store,
      peers,
      config: { limits: { requestsPerSec: 100_000, requestBurst: 100_000 }, queue: { patienceMs: 5000 }, ...config },
      audit: { write: () => true },
      log: (line) => void this.log.push(`${id}: ${line}`),
      ...options,
    });
    this.#open.push(server);
    return server;
  }

  async node(
    id: string,
    seats: number,
    balancers: readonly string[],
    region = "eu",
    options: Pick<FleetNodeOptions, "signal" | "ca"> = {},
  ): Promise<FleetNode> {
    const node = await FleetNode.join({
      balancers,
      key: nodeKey,
      registration: {
        id,
        region,
        addresses: { udp: [`10.0.0.${++this.#nodes}:7777`] },
        capacity: { sessions: 4, players: seats },
      },
      ...options,
      log: (line) => void this.log.push(`${id}: ${line}`),
    });
    node.setReady(true);
    this.#open.push(node);
    return node;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const part of this.#open.toReversed()) await part[Symbol.asyncDispose]();
    await this.store[Symbol.asyncDispose]();
  }
}

/** Asks again as long as that is the answer, as a client does. */
export async function allocate(url: string, body: object): Promise<AllocateReply> {
  for (let i = 0; ; i++) {
    const reply = await ask(url, body);
    if (i === 40 || !("code" in reply) || reply.code !== "askAgain") return reply;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function ask(url: string, body: object): Promise<AllocateReply> {
  const response = await fetch(`${url}/v1/allocate`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const reply = (await response.json()) as AllocateReply & { code?: string };
  return reply.status === undefined ? ({ ...(reply as object), status: "refused" } as AllocateReply) : reply;
}

export async function until<R>(what: () => Promise<R | undefined> | R | undefined): Promise<R> {
  for (let i = 0; i < 400; i++) {
    const result = await what();
    if (result !== undefined) return result;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`not within 10 s: ${what.toString()}`);
}

let keys = 0;

export function request(clientId: number, more: object = {}): { key: string; clients: { clientId: string }[] } {
  return { key: `key-${String(keys++).padStart(16, "0")}`, clients: [{ clientId: String(clientId) }], ...more };
}

export function asAllocated(reply: AllocateReply): Allocation {
  if (reply.status !== "allocated") throw new assert.AssertionError({ message: JSON.stringify(reply) });
  return reply;
}
