/**
 * A game server's part in a fleet: registers it with every balancer, reports its load, owns its seats and lends them, and lets in
 * who has one. What happens to balancers does not touch the players who are there.
 */
import { randomBytes } from "node:crypto";
import { performance } from "node:perf_hooks";
import { readUserData } from "@riposte/protocol/netcode";
import type { Server } from "@riposte/server";
import type { DesiredState, NodeAnswer, NodeReport } from "../balancer/node-reports.ts";
import type { RegisterReply } from "../http/balancer-api.ts";
import { signNodeToken } from "../http/credentials.ts";
import type { NodeTokenOptions } from "../http/credentials.ts";
import { JsonClient } from "../http/json-client.ts";
import type { NodeCapacity, NodeLoad, NodeRegistration } from "../registry/server-node.ts";
import { LEASE_MS } from "../seats/exchange.ts";
import { SeatLedger } from "../seats/seat-ledger.ts";
import type { SeatCounts } from "../seats/seat-ledger.ts";
import { BalancerLink } from "./balancer-link.ts";

export interface FleetNodeOptions {
  /** Addresses of balancers, at least one: it learns the others from these. */
  readonly balancers: readonly string[];
  /** The node key that it signs with, and its name. */
  readonly key: Pick<NodeTokenOptions, "kid" | "secret" | "privateKey" | "algorithm">;
  readonly registration: RegistrationOptions;
  /** PEM, of who signed the balancers' certificates. Default: those that Node trusts. */
  readonly ca?: string;
  /** Gives up waiting for the first balancer. */
  readonly signal?: AbortSignal;
  readonly log?: (line: string) => void;
}

/** What a node must say of itself, and what has defaults: no labels, all game modes, version "dev", weight 1. */
export type RegistrationOptions = Pick<NodeRegistration, "id" | "region" | "addresses"> &
  Partial<Pick<NodeRegistration, "coordinates" | "version" | "labels" | "gameModes" | "weight" | "healthUrl">> & {
    readonly capacity: NodeCapacity;
  };

const MAX_BALANCERS = 32;
const STRICTEST_FIRST: readonly DesiredState[] = ["maintenance", "draining", "ready"];
/** A balancer that has not answered for so long is asked less often, and forgotten when no other one names it. */
const FORGOTTEN_AFTER_MS = 60_000;
const CPU_OVER_MS = 200;

export class FleetNode implements AsyncDisposable {
  readonly #options: FleetNodeOptions;
  readonly #client: JsonClient;
  readonly #links: Map<string, BalancerLink> = new Map();
  readonly #ledger: SeatLedger;
  #measured = { from: performance.eventLoopUtilization(), cpu: 0 };
  #registered: RegisterReply | undefined;
  #timer: NodeJS.Timeout | undefined;
  #server: Server | undefined;
  #state: NodeReport["state"] = "starting";
  #desired: DesiredState | "gone" = "ready";
  #stopListening: (() => void)[] = [];

  private constructor(options: FleetNodeOptions) {
    if (options.balancers.length === 0) throw new RangeError("a node needs the address of at least one balancer");
    this.#options = options;
    this.#client = new JsonClient({ maxSockets: 4, ...(options.ca === undefined ? {} : { ca: options.ca }) });
    this.#ledger = new SeatLedger({
      epoch: 1 + randomBytes(6).readUIntLE(0, 6),
      capacity: options.registration.capacity.players,
    });
    this.addBalancers(options.balancers);
  }

  /** Registers with the first balancer that answers. Rejects with the signal's reason when it is aborted before. */
  static async join(options: FleetNodeOptions): Promise<FleetNode> {
    const node = new FleetNode(options);
    try {
      while (node.#registered === undefined) {
        options.signal?.throwIfAborted();
        await Promise.race(Array.from(node.#links.values(), (link) => link.exchange(performance.now())));
        if (node.#registered === undefined) await new Promise((resolve) => setTimeout(resolve, 50));
      }
    } catch (error) {
      node.#client[Symbol.dispose]();
      throw error;
    }
    node.#timer = setInterval(() => node.#exchangeAll(), node.#registered.reportEveryMs);
    return node;
  }

  /** By which the server opens its tokens: `listen(game, { privateKey: node.tokenKey, protocolId: node.protocolId })`. */
  get tokenKey(): Uint8Array {
    return Buffer.from(this.#registered?.tokenKey ?? "", "base64");
  }

  get protocolId(): bigint {
    return BigInt(this.#registered?.protocolId ?? 0);
  }

  /** Players may come: lets those in who have a seat, and frees it when they leave. */
  serve(server: Server): void {
    this.#server = server;
    this.#state = "ready";
    this.#stopListening = [
      server.on("connected", ({ connection, clientId }) => {
        const { seat } = readUserData(connection.userData);
        const player = {
          clientId: clientId.toString(),
          ...(seat === undefined ? {} : { seat: seat.number, epoch: seat.epoch }),
        };
        if (!this.#ledger.arrive(player, performance.now()))
          connection.close(undefined, "there is no seat for this player");
      }),
      server.on("disconnected", ({ clientId }) => void this.#ledger.leave(clientId.toString())),
    ];
  }

  /** Without a game server of ours: the program says itself who comes. False: there is no seat for that player. */
  arrive(clientId: string, seat?: { readonly number: number; readonly epoch: number }): boolean {
    const known = seat === undefined ? {} : { seat: seat.number, epoch: seat.epoch };
    return this.#ledger.arrive({ clientId, ...known }, performance.now());
  }

  leave(clientId: string): void {
    this.#ledger.leave(clientId);
  }

  /** Whether players may be sent here. */
  setReady(isReady: boolean): void {
    this.#state = isReady ? "ready" : "starting";
  }

  /** Takes nobody new; who plays may finish. */
  drain(): void {
    this.#state = "draining";
    this.#ledger.setLending(false);
  }

  /** What the fleet's operator wants of it. `gone`: it was unregistered, and reports to nobody any more; who plays may finish. */
  get desired(): DesiredState | "gone" {
    return this.#desired;
  }

  get seats(): SeatLedgerView {
    const { capacity, free, lent, reserved, seated, counts } = this.#ledger;
    return { capacity, free, lent, reserved, seated, counts };
  }

  /** Balancers that answer. */
  get balancers(): readonly string[] {
    const now = performance.now();
    return Array.from(this.#links.values())
      .filter(({ answeredAt }) => now - answeredAt < FORGOTTEN_AFTER_MS)
      .map(({ url }) => url);
  }

  addBalancers(urls: readonly string[]): void {
    const { registration, key, log = (): void => undefined } = this.#options;
    for (const url of urls) {
      if (this.#links.has(url) || this.#links.size >= MAX_BALANCERS) continue;
      const link = new BalancerLink({
        url,
        client: this.#client,
        registration: () => toRegistration(registration),
        sign: () => signNodeToken({ ...key, nodeId: registration.id, wallNow: Date.now() }),
        report: (to) => this.#reportTo(to),
        onRegistered: (reply) => this.#noteRegistered(reply),
        onAnswer: (from, answer) => this.#receive(from, answer),
        onUnregistered: () => this.#follow("gone"),
        log,
      });
      this.#links.set(url, link);
    }
  }

  /** Balancers forget it at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.drain();
    this.#state = "stopped";
    clearInterval(this.#timer);
    for (const stop of this.#stopListening) stop();
    await Promise.all(Array.from(this.#links.values(), (link) => link.finish()));
    this.#client[Symbol.dispose]();
  }

  #exchangeAll(): void {
    if (this.#desired === "gone") return;
    const now = performance.now();
    for (const link of this.#links.values()) {
      const isNamed = this.#options.balancers.includes(link.url);
      if (!isNamed && now - Math.max(link.answeredAt, link.since) > FORGOTTEN_AFTER_MS) this.#links.delete(link.url);
      else void link.exchange(now);
    }
  }

  #noteRegistered(reply: RegisterReply): void {
    this.#registered ??= reply;
    this.addBalancers(reply.balancers);
  }

  #reportTo(balancer: string): NodeReport {
    const { arrived, expired } = this.#ledger.counts;
    return {
      seats: this.#ledger.report(balancer, performance.now()),
      load: this.#load(),
      state: this.#state,
      arrived,
      expired,
      unixMs: Date.now(),
    };
  }

  #receive(balancer: string, answer: NodeAnswer): void {
    this.#ledger.receive(balancer, answer.seats, performance.now());
    this.addBalancers(answer.balancers);
    const link = this.#links.get(balancer);
    if (link !== undefined) link.desired = answer.desired;
    if (this.#desired !== "gone") this.#follow(this.#strictest());
  }

  /** Balancers may disagree while the store is away: who wants less of it counts, as long as it answers. */
  #strictest(): DesiredState {
    const now = performance.now();
    const heard = Array.from(this.#links.values()).filter(({ answeredAt }) => now - answeredAt < LEASE_MS);
    return STRICTEST_FIRST.find((state) => heard.some(({ desired }) => desired === state)) ?? "ready";
  }

  #follow(desired: DesiredState | "gone"): void {
    if (desired === this.#desired) return;
    this.#desired = desired;
    this.#ledger.setLending(desired === "ready" && (this.#state === "starting" || this.#state === "ready"));
  }

  #load(): NodeLoad {
    const { seated, reserved } = this.#ledger;
    const stats = this.#server?.stats;
    const tickMs = stats?.loop.duration.p99Ms ?? 0;
    return { sessions: stats?.rooms ?? 0, players: seated, reserved, cpu: this.#cpu(), tickMs };
  }

  /** Over the last moment that is long enough to say something: several balancers are told at almost the same time. */
  #cpu(): number {
    const passed = performance.eventLoopUtilization(this.#measured.from);
    if (passed.idle + passed.active >= CPU_OVER_MS)
      this.#measured = { from: performance.eventLoopUtilization(), cpu: passed.utilization };
    return this.#measured.cpu;
  }
}

export interface SeatLedgerView {
  readonly capacity: number;
  readonly free: number;
  readonly lent: number;
  readonly reserved: number;
  readonly seated: number;
  readonly counts: Readonly<SeatCounts>;
}

function toRegistration(options: RegistrationOptions): NodeRegistration {
  return { version: "dev", labels: {}, gameModes: [], weight: 1, ...options };
}
