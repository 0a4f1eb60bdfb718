/** A fleet on this machine, each part a process of its own: balancers, nodes, and an etcd of three members where it is asked for. */
import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import type { TestContext } from "node:test";
import { setPriority } from "node:os";
import { EtcdCluster } from "../../../fleet/test/etcd-cluster.ts";
import { BalancerProcess, freePort } from "./balancer-process.ts";
import type { BalancerProcessOptions } from "./balancer-process.ts";
import { NodeProcess } from "./node-process.ts";
import { Players } from "./players.ts";
import type { PlayersOptions } from "./players.ts";

export interface LocalFleetOptions {
  /** Default 3. */
  readonly balancers?: number;
  /** Processes with nodes. Default 3. */
  readonly nodes?: number;
  /** Of each of these. Default 1. */
  readonly nodesPerProcess?: number;
  /** Of each node. Default 8000. */
  readonly seats?: number;
  /** Default false: the balancers are told of each other. */
  readonly etcd?: boolean;
  readonly balancer?: (index: number) => Partial<BalancerProcessOptions>;
  readonly nodeExecArgv?: readonly string[];
  /** Where nodes and other balancers reach one that listens on this port. Default: there. */
  readonly front?: (port: number) => Promise<string>;
}

/** Times of faults in tests are of this length in CI, and of the one that was asked for in `npm run soak`. */
export const isLong: boolean = process.env.SOAK === "true";

const SETTLES_MS = 2500;
const ATTEMPTS = 3;
/** A process that is late by so much shares its processor with others. */
const LATE_MS = 100;

export class LocalFleet implements AsyncDisposable {
  readonly fleetSecret = randomBytes(32).toString("hex");
  readonly nodeSecret = randomBytes(32).toString("hex");
  readonly operatorSecret = randomBytes(32).toString("hex");
  readonly balancers: BalancerProcess[] = [];
  readonly nodes: NodeProcess[] = [];
  etcd: EtcdCluster | undefined;
  readonly #options: LocalFleetOptions;
  readonly #fronts: Map<number, string> = new Map();

  private constructor(options: LocalFleetOptions) {
    this.#options = options;
  }

  /** All know each other, and nodes have lent seats. */
  static async start(options: LocalFleetOptions = {}): Promise<LocalFleet> {
    const fleet = new LocalFleet(options);
    goFirst();
    const { balancers = 3, nodes = 3 } = options;
    try {
      if (options.etcd === true) fleet.etcd = await EtcdCluster.start();
      for (let i = 0; i < balancers; i++) fleet.balancers.push(await fleet.startBalancer(i));
      for (let i = 0; i < nodes; i++) fleet.nodes.push(await fleet.startNode(i));
      await new Promise((resolve) => setTimeout(resolve, SETTLES_MS));
    } catch (error) {
      await fleet[Symbol.asyncDispose]();
      throw error;
    }
    return fleet;
  }

  async startBalancer(index: number, port?: number): Promise<BalancerProcess> {
    const { fleetSecret, nodeSecret, operatorSecret, etcd } = this;
    const store = etcd === undefined ? {} : { store: `etcd:${etcd.endpoints.join(",")}` };
    const peers = etcd === undefined ? this.balancers.map((balancer) => this.#reach(balancer)) : [];
    const own = this.#options.balancer?.(index) ?? {};
    const at = port ?? (await freePort());
    const front = await this.#options.front?.(at);
    if (front !== undefined) this.#fronts.set(at, front);
    const secrets = { fleetSecret, nodeSecret, operatorSecret };
    return BalancerProcess.start({
      id: `balancer-${index}`,
      ...secrets,
      ...store,
      peers,
      port: at,
      ...own,
      args: [...(front === undefined ? [] : ["--url", front]), ...(own.args ?? [])],
    });
  }

  /** As nodes and other balancers do. */
  #reach({ port, url }: BalancerProcess): string {
    return this.#fronts.get(port) ?? url;
  }

  /** In the place of one that was killed: at the same address, with the same name. */
  async restartBalancer(index: number): Promise<void> {
    this.balancers[index] = await this.startBalancer(index, this.balancers[index].port);
  }

  async startNode(index: number): Promise<NodeProcess> {
    const { seats = 8000, nodesPerProcess = 1, nodeExecArgv = [] } = this.#options;
    const balancers = this.balancers.map((balancer) => this.#reach(balancer));
    const nodes = Array.from({ length: nodesPerProcess }, (_, i) => {
      const number = index * nodesPerProcess + i;
      return {
        id: `node-${number}`,
        region: "eu",
        addresses: { udp: [`10.0.0.${number + 1}:7777`] },
        capacity: { sessions: 100, players: seats },
      };
    });
    return NodeProcess.start({ balancers, secret: this.nodeSecret, nodes }, nodeExecArgv);
  }

  players(options: Partial<PlayersOptions> = {}): Players {
    return new Players({ balancers: this.balancers, nodes: this.nodes, ...options });
  }

  /** A balancer's own numbers. */
  async stats({ url }: BalancerProcess): Promise<{ readonly store: string; readonly unsavedNodes: number }> {
    const response = await fetch(`${url}/v1/stats`, { headers: { authorization: this.operator("fleet:read") } });
    assert.equal(response.status, 200);
    return ((await response.json()) as { balancer: { store: string; unsavedNodes: number } }).balancer;
  }

  /** An `Authorization` header: a JWT signed with the operators' secret. */
  operator(scope: string): string {
    const exp = Math.floor(Date.now() / 1000) + 600;
    const claims = { sub: "operator", iss: "riposte-operators", aud: "riposte-balancer", exp, scope };
    const text = [{ alg: "HS256" }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
      .join(".");
    const mac = createHmac("sha256", Buffer.from(this.operatorSecret, "hex")).update(text).digest("base64url");
    return `Bearer ${text}.${mac}`;
  }

  /** Nobody was lost, whoever was answered is in, and each key has one answer wherever it is asked. Ends the playing. */
  async checkAll(players: Players): Promise<void> {
    never(players.lost, "got no seat");
    const up = this.balancers.filter(({ downSince }) => downSince === undefined);
    const asked = players.stories
      .flatMap(({ told }) => told)
      .filter((_, i, all) => i % Math.ceil(all.length / 300) === 0);
    const different: string[] = [];
    let same = 0;
    for (const { body, answer, by, at } of asked)
      for (const { url, id } of up) {
        const again = await players.ask(url, body);
        if (again?.status !== "allocated") continue;
        if (again.node.id === answer.node.id && again.seats[0].token === answer.seats[0].token) same++;
        else {
          const other = this.balancers.find((balancer) => balancer.url === by)?.id;
          different.push(
            `${body.key} at ${id}: ${again.node.id}, not ${answer.node.id} as at ${other} at ${at.toFixed(0)}`,
          );
        }
      }
    never(different, "have two answers");
    assert.ok(same > 0.8 * asked.length, `${same} of ${asked.length} keys were answered again`);
    const seats = (await Promise.all(this.nodes.map((node) => node.seats()))).flat();
    const wrong = seats.filter((node) => node.free + node.lent + node.reserved + node.seated !== node.capacity);
    never(
      wrong.map((node) => JSON.stringify(node)),
      "have other seats than they are made of",
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.nodes, ...this.balancers].map((child) => child.kill()));
    await this.etcd?.[Symbol.asyncDispose]();
  }
}

/** What must not be, however busy a machine is. */
class NeverError extends Error {
  override readonly name: string = "NeverError";
}

function never(whom: readonly string[], what: string): void {
  if (whom.length > 0) throw new NeverError(`${whom.length} ${what}: ${whom.slice(0, 10).join("; ")}`);
}

/**
 * What players met is checked. Where it took longer than it should, and this process itself was late so often that the machine
 * must have had much else to do, once more, up to three times. What must never be (somebody without a seat, a key with two
 * answers) fails at once.
 */
export async function shows(
  t: TestContext,
  play: () => Promise<Players>,
  check: (players: Players) => Promise<void>,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const players = await play();
    t.diagnostic(players.summary);
    try {
      await check(players);
      return;
    } catch (error) {
      if (error instanceof NeverError || attempt === ATTEMPTS || players.latenessMs < LATE_MS) throw error;
      t.diagnostic(`says nothing, as this machine was busy: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

/**
 * This process and those that it starts from now on: what they do in a second is what is tested, and other programs of a test
 * machine are not a part of it. Not where the system does not allow it.
 */
function goFirst(): void {
  try {
    setPriority(-10);
  } catch {
    // Then they do not.
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
