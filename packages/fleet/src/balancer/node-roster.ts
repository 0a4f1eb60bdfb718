/**
 * The nodes of the fleet as one balancer has them: who registered, here or at another balancer; their reports; and what an
 * operator wants of them. Registrations are in the store, so that all balancers know them and a new one learns them; all else is in memory,
 * told by each node to each balancer.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { HealthBook, NodeHealth } from "../health/health-book.ts";
import type { NodeCommand, RegisterReply } from "../http/balancer-api.ts";
import type { FleetMetrics } from "../metrics/fleet-metrics.ts";
import type { NodeTable } from "../registry/node-table.ts";
import type { NodeRegistration, NodeState, ServerNode } from "../registry/server-node.ts";
import type { Router } from "../routing/router.ts";
import type { SeatPool } from "../seats/seat-pool.ts";
import type { StateStore, StoreEvent } from "../store/state-store.ts";
import type { FleetClock } from "./fleet-clock.ts";
import { readNodeReport } from "./node-reports.ts";
import type { DesiredState, NodeAnswer, NodeReport } from "./node-reports.ts";
import type { TokenWriter } from "./token-writer.ts";

export interface NodeRosterOptions {
  readonly table: NodeTable;
  readonly pool: SeatPool;
  readonly router: Router;
  readonly health: HealthBook;
  readonly store: Pick<StateStore, "put" | "watch" | "status">;
  readonly tokens: TokenWriter;
  readonly clock: FleetClock;
  readonly protocolId: bigint;
  /** Of this run of the balancer: nodes' sessions end with it. */
  readonly sessionSecret: Uint8Array;
  readonly reportEveryMs: number;
  readonly balancers: () => readonly string[];
  /** A node has reported; what came with it is taken in. */
  readonly onReport: (index: number) => void;
  readonly now: () => number;
  readonly unixMs: () => number;
  readonly log: (line: string) => void;
  readonly metrics?: Pick<FleetMetrics, "noteExpired">;
}

/**
 * In the store, by `nodes/<id>`. A node that is there no more keeps an entry for a while, so that no balancer puts it there
 * again: `gone` was unregistered by an operator and is refused meanwhile; `forgotten` has stopped, or was lost for long, and may
 * come back at any time.
 */
interface NodeRecord {
  readonly registration: NodeRegistration;
  readonly desired: DesiredState | "gone" | "forgotten";
  /** Larger with each change: by it an older copy is known, as of a store that was restored. About Unix ms. Default 0. */
  readonly change?: number;
}

/** `full`: this balancer has no room for it. `unregistered`: an operator does not want it. */
export class RegisterError extends Error {
  override readonly name: string = "RegisterError";
  readonly code: "full" | "unregistered";

  constructor(code: RegisterError["code"], message: string) {
    super(message);
    this.code = code;
  }
}

interface Counts {
  arrived: number;
  expired: number;
  /** Of its process, and of the one before. */
  epoch: number;
  before: number | undefined;
  /** When it was said that two processes report. */
  warnedAt: number;
}

const GONE_FOR_MS = 60_000;
const WARNED_FOR_MS = 60_000;
/** Of a node's placements that are noted one by one. */
const MAX_NOTED = 64;
/** Writes on their way to the store at once. */
const MAX_SAVING = 64;

export class NodeRoster {
  readonly #options: NodeRosterOptions;
  readonly #records: Map<string, NodeRecord> = new Map();
  readonly #counts: Map<string, Counts> = new Map();
  /** Since when nodes are lost. */
  readonly #lostAt: Map<string, number> = new Map();
  /** Not in the store yet. */
  readonly #unsaved: Set<string> = new Set();
  /** What is on its way there. */
  readonly #saving: Set<string> = new Set();
  readonly #stopWatching: () => void;

  constructor(options: NodeRosterOptions) {
    this.#options = options;
    this.#stopWatching = options.store.watch(PREFIX, (event) => this.#hear(event));
  }

  /** Throws `RegisterError`. */
  register(registration: NodeRegistration): RegisterReply {
    const { id } = registration;
    const known = this.#records.get(id);
    if (known?.desired === "gone")
      throw new RegisterError(
        "unregistered",
        `node ${id} was unregistered: it can come back in ${GONE_FOR_MS / 1000} s`,
      );
    const desired = known === undefined || known.desired === "forgotten" ? "ready" : known.desired;
    const isSame = known?.desired === desired && isDeepStrictEqual(known.registration, registration);
    this.#take(isSame ? known : this.#changed({ registration, desired }));
    // A node registers with every balancer: it is written by the first one.
    if (!isSame || this.#unsaved.has(id)) this.#save(id);
    const { tokens, protocolId, reportEveryMs, balancers } = this.#options;
    return {
      session: this.#sessionOf(id),
      tokenKey: tokens.keyOf(id).toString("base64"),
      protocolId: protocolId.toString(),
      reportEveryMs,
      balancers: balancers(),
    };
  }

  /** `undefined`: the session is not known. Throws `ReportError` for what is no report, or cannot be true. */
  exchange(id: string, session: string, value: unknown): NodeAnswer | undefined {
    const { table, pool, health, balancers, now, onReport } = this.#options;
    const index = table.indexOf(id);
    if (index < 0 || !isEqual(session, this.#sessionOf(id))) return undefined;
    const report = readNodeReport(value, table.registrationOf(index).capacity.players);
    const at = now();
    if (report.state === "stopped") {
      const seats = pool.answer(index, at);
      const epoch = this.#counts.get(id)?.epoch;
      // Not where its successor has registered already.
      if (epoch === undefined || epoch === report.seats.epoch) this.forget(id);
      return { seats, balancers: balancers(), desired: "draining" };
    }
    health.noteReport(id, at);
    if (report.unixMs !== undefined) this.#options.clock.note(index, report.unixMs, at);
    this.#lostAt.delete(id);
    pool.receive(index, report.seats);
    table.report(index, report.load);
    this.#notePlacements(id, index, report);
    const desired = desiredOf(this.#records.get(id));
    this.#setState(index, stateOf(report, desired, table.registrationOf(index).capacity.players));
    onReport(index);
    return { seats: pool.answer(index, at), balancers: balancers(), desired };
  }

  /** `undefined`: there is no such node. */
  command(id: string, command: NodeCommand): ServerNode | undefined {
    const { table } = this.#options;
    const record = this.#records.get(id);
    const index = table.indexOf(id);
    if (record === undefined || index < 0) return undefined;
    const desired = DESIRED[command];
    const node = table.node(index);
    if (desired === "gone") {
      this.#leave(id, desired);
      return node;
    }
    this.#records.set(id, this.#changed({ ...record, desired }));
    if (desired === "draining" || desired === "maintenance") this.#setState(index, desired);
    else if (desired === "ready" && node.state === "maintenance") this.#setState(index, "starting");
    this.#save(id);
    return table.node(index);
  }

  /** Nodes that have been lost since before then; not those that an operator has put into maintenance. */
  lostSince(then: number): string[] {
    return Array.from(this.#lostAt)
      .filter(([id, at]) => at < then && this.#records.get(id)?.desired !== "maintenance")
      .map(([id]) => id);
  }

  /** A node that has stopped, or been lost for long: at all balancers. It may register again at any time. */
  forget(id: string): void {
    this.#leave(id, "forgotten");
  }

  /** What the book concludes about a node. */
  noteHealth(id: string, health: NodeHealth, reason: string): void {
    const { table, log } = this.#options;
    const index = table.indexOf(id);
    if (index < 0) return;
    log(`node ${id} is ${health}: ${reason}`);
    table.setSuspicion(index, health === "good" ? undefined : reason);
    if (health !== "lost") return;
    this.#setState(index, "lost");
    this.#lostAt.set(id, this.#options.now());
  }

  /** Writes to the store what could not be written while it was away, some at once. Call it some ten times a second. */
  saveAll(): void {
    if (this.#unsaved.size === 0 || this.#options.store.status === "away") return;
    for (const id of this.#unsaved) {
      if (this.#saving.size >= MAX_SAVING) return;
      this.#save(id);
    }
  }

  get unsaved(): number {
    return this.#unsaved.size;
  }

  close(): void {
    this.#stopWatching();
  }

  #hear(event: StoreEvent): void {
    if ("deleted" in event) {
      const id = event.deleted.slice(PREFIX.length);
      const record = this.#records.get(id);
      if (record === undefined) return;
      if (isGone(record)) this.#records.delete(id);
      // Nobody deletes a registration: the store has lost it.
      else this.#save(id);
      return;
    }
    const id = event.put.key.slice(PREFIX.length);
    const record = readRecord(event.put.value, id);
    if (record === undefined) {
      this.#options.log(`the store's entry ${event.put.key} is no registration: ignored`);
      return;
    }
    if (this.#unsaved.has(id)) return;
    const known = this.#records.get(id);
    if (known !== undefined && !isGone(known) && (record.change ?? 0) < (known.change ?? 0)) {
      this.#options.log(`the store has an older entry of node ${id}: it is written again`);
      this.#save(id);
      return;
    }
    if (isGone(record)) {
      this.#remove(id);
      this.#records.set(id, record);
      return;
    }
    try {
      this.#take(record);
    } catch (error) {
      this.#options.log(`node ${id} of the store is not taken: ${String(error)}`);
    }
  }

  #take(record: NodeRecord): void {
    const { table, health, now } = this.#options;
    const { id } = record.registration;
    const known = this.#records.get(id);
    // The store's echo of what is known: a table would make its lists anew.
    const isKnown =
      known !== undefined && table.indexOf(id) >= 0 && isDeepStrictEqual(known.registration, record.registration);
    const index = isKnown ? table.indexOf(id) : table.put(record.registration);
    if (typeof index === "string") throw new RegisterError("full", `node ${id} cannot be taken: ${index}`);
    this.#records.set(id, record);
    health.add(id, now());
    if (record.desired === "draining" || record.desired === "maintenance") this.#setState(index, record.desired);
  }

  #leave(id: string, desired: "gone" | "forgotten"): void {
    const record = this.#records.get(id);
    this.#remove(id);
    if (record === undefined) return;
    this.#records.set(id, this.#changed({ ...record, desired }));
    this.#save(id);
  }

  #changed(record: NodeRecord): NodeRecord {
    const before = this.#records.get(record.registration.id)?.change ?? 0;
    return { ...record, change: Math.max(before + 1, this.#options.unixMs()) };
  }

  #remove(id: string): void {
    const { table, pool, health, clock } = this.#options;
    const index = table.indexOf(id);
    if (index >= 0) {
      pool.forget(index);
      clock.forget(index);
    }
    table.remove(id);
    health.remove(id);
    this.#counts.delete(id);
    this.#lostAt.delete(id);
  }

  #save(id: string): void {
    const record = this.#records.get(id);
    if (record === undefined) {
      this.#unsaved.delete(id);
      return;
    }
    this.#unsaved.add(id);
    // The others have their turn in `saveAll`: leaders and balancers renew their leases in the same store.
    if (this.#saving.has(id) || this.#saving.size >= MAX_SAVING) return;
    this.#saving.add(id);
    const value = JSON.stringify(record);
    const options = isGone(record) ? { leaseMs: GONE_FOR_MS } : {};
    this.#options.store.put(`${PREFIX}${id}`, value, options).then(
      () => {
        this.#saving.delete(id);
        if (JSON.stringify(this.#records.get(id)) === value) this.#unsaved.delete(id);
      },
      () => {
        this.#saving.delete(id);
        // Still unsaved: `saveAll` tries again, after the others.
        if (this.#unsaved.delete(id)) this.#unsaved.add(id);
      },
    );
  }

  #setState(index: number, state: NodeState): void {
    const { table, now } = this.#options;
    if (table.stateOf(index) !== state) table.setState(index, state, now());
  }

  /** How placements ended, since the last report: what becomes of them decides whether more players are sent there. */
  #notePlacements(id: string, index: number, report: NodeReport): void {
    const { router, table, now, metrics } = this.#options;
    const { arrived, expired } = report;
    const { epoch } = report.seats;
    const last = this.#counts.get(id);
    const before = last === undefined || last.epoch === epoch ? last?.before : last.epoch;
    this.#counts.set(id, { arrived, expired, epoch, before, warnedAt: last?.warnedAt ?? -Infinity });
    if (last === undefined) return;
    if (last.epoch !== epoch) {
      if (epoch === last.before) this.#warnOfTwo(id);
      return;
    }
    if (expired > last.expired) metrics?.noteExpired(table.registrationOf(index).region, expired - last.expired);
    for (let i = Math.min(expired - last.expired, MAX_NOTED); i > 0; i--) router.notePlacement(index, false, now());
    if (arrived > last.arrived) router.notePlacement(index, true, now());
  }

  /** The process of before reports as well. */
  #warnOfTwo(id: string): void {
    const { log, now } = this.#options;
    const counts = this.#counts.get(id)!;
    if (now() - counts.warnedAt < WARNED_FOR_MS) return;
    counts.warnedAt = now();
    log(`two processes report as node ${id}: give each a name of its own`);
  }

  #sessionOf(id: string): string {
    return createHmac("sha256", this.#options.sessionSecret).update(id).digest("base64url");
  }
}

const PREFIX = "nodes/";
const DESIRED = { drain: "draining", maintain: "maintenance", resume: "ready", unregister: "gone" } as const;

/** `undefined` for what is none: who can write to the store may be of another version. */
function readRecord(text: string, id: string): NodeRecord | undefined {
  try {
    const record = JSON.parse(text) as NodeRecord;
    const { region, version, labels, gameModes, capacity, addresses, weight } = record.registration;
    const isFine =
      record.registration.id === id &&
      typeof record.desired === "string" &&
      [region, version, ...gameModes, ...addresses.udp, ...Object.values(labels)].every(isText) &&
      capacity.players >= 0 &&
      weight > 0;
    return isFine ? record : undefined;
  } catch {
    return undefined;
  }
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}

function isGone(record: NodeRecord): boolean {
  return record.desired === "gone" || record.desired === "forgotten";
}

function desiredOf(record: NodeRecord | undefined): DesiredState {
  const desired = record?.desired ?? "ready";
  return desired === "gone" || desired === "forgotten" ? "draining" : desired;
}

function stateOf({ state, load }: NodeReport, desired: DesiredState, capacity: number): NodeState {
  if (desired !== "ready") return desired;
  if (state !== "ready") return state === "stopped" ? "draining" : state;
  return load.players + load.reserved >= capacity ? "full" : "ready";
}

function isEqual(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
