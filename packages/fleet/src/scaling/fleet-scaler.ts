/**
 * Runs the scaler while this balancer leads: once a second it decides, and what it decides is carried out by the driver and by
 * draining nodes. What has been learned of demand goes to the store, three times an hour and when nodes are drained, for
 * whoever leads next. Nothing here throws or waits for anything: what fails is logged and decided anew.
 */
import type { RegionScaling } from "../config/load-balancer-config.ts";
import type { NodeTable } from "../registry/node-table.ts";
import type { StateStore } from "../store/state-store.ts";
import { RegionScaler } from "./region-scaler.ts";
import { describeDecision } from "./scaling-decision.ts";
import type { NotedDecision, RegionScalingStatus, ScalingDecision } from "./scaling-decision.ts";
import type { ScalingDriver } from "./scaling-driver.ts";
import { ScalingMemory } from "./scaling-memory.ts";
import { UnheardNodes } from "./unheard-nodes.ts";

export interface FleetScalerOptions {
  readonly table: NodeTable;
  readonly driver: ScalingDriver;
  readonly store: Pick<StateStore, "list" | "put" | "delete">;
  /** By region. */
  readonly config: () => Readonly<Record<string, RegionScaling>>;
  /** Whether this balancer is the one that scales. */
  readonly leads: () => boolean;
  readonly drain: (nodeId: string) => void;
  readonly resume: (nodeId: string) => void;
  /** The node has ended. */
  readonly unregister: (nodeId: string) => void;
  /** Players who wait for a seat in that region. Default: nobody is known to. */
  readonly waitingIn?: (region: string) => number;
  readonly log: (line: string) => void;
  readonly onDecision?: (decision: ScalingDecision) => void;
  readonly onDriverError?: (operation: DriverOperation) => void;
  /** Monotonic ms. */
  readonly now: () => number;
  /** Unix ms. */
  readonly wallNow: () => number;
}

export type DriverOperation = "start" | "stop" | "look";

export interface ScalingExplanation {
  /** Whether this balancer scales: others know nothing of it. */
  readonly leads: boolean;
  /** "local", "agones", or "none". */
  readonly driver: string;
  readonly regions: readonly RegionScalingStatus[];
  /** The newest, at most 256, the oldest first. */
  readonly decisions: readonly NotedDecision[];
}

/** A node that the driver is about to start. */
interface Pending {
  readonly region: string;
  readonly abort: AbortController;
}

export class FleetScaler implements AsyncDisposable {
  readonly #options: FleetScalerOptions;
  readonly #scaler: RegionScaler;
  readonly #memory: ScalingMemory;
  readonly #unheard: UnheardNodes;
  /** The oldest first. */
  readonly #pending: Set<Pending> = new Set();
  #state: "follows" | "loads" | "leads" | "closed" = "follows";

  constructor(options: FleetScalerOptions) {
    const { table, driver, config, store, log } = options;
    this.#options = options;
    const waiting = options.waitingIn === undefined ? {} : { waitingIn: options.waitingIn };
    this.#scaler = new RegionScaler({ table, config, mayStop: (id) => driver.owns(id), ...waiting });
    this.#memory = new ScalingMemory({ store, log });
    this.#unheard = new UnheardNodes({
      table,
      driver,
      expected: () => this.#scaler.expected(),
      onEnded: (id, region) => this.#noteEnded(id, region),
      onError: (error) => this.#noteError("look", error),
    });
  }

  /** Call it about once a second. */
  tick(): void {
    const { leads, now, wallNow, driver } = this.#options;
    if (this.#state === "closed") return;
    if (!leads()) {
      if (this.#state !== "follows") this.#abortAll();
      this.#state = "follows";
      return;
    }
    if (this.#state === "follows") void this.#lead();
    if (this.#state !== "leads") return;
    for (const decision of this.#scaler.step(now(), wallNow())) this.#carryOut(decision);
    // Before, the leader that was knew better.
    if (this.#scaler.isSettled(now())) driver.note?.(this.#scaler.status());
    this.#unheard.look(now());
    this.#memory.save(() => this.#scaler.save(), now());
  }

  explain(): ScalingExplanation {
    const leads = this.#state === "leads";
    return {
      leads,
      driver: this.#options.driver.kind,
      regions: leads ? this.#scaler.status() : [],
      decisions: this.#scaler.decisions,
    };
  }

  /** Saves what was learned, and closes the driver: what *it* started on this machine ends with it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state === "closed") return;
    const led = this.#state === "leads";
    this.#state = "closed";
    this.#abortAll();
    if (led) await this.#memory.saveNow(this.#scaler.save());
    await this.#options.driver[Symbol.asyncDispose]();
  }

  async #lead(): Promise<void> {
    const { now, wallNow } = this.#options;
    this.#state = "loads";
    this.#scaler.lead(now());
    const texts = await this.#memory.load(now());
    // It may have lost the lead meanwhile.
    if (this.#state !== "loads") return;
    for (const [region, text] of texts)
      if (!this.#scaler.restore(region, text, now(), wallNow()))
        this.#options.log(`scaling ${region}: what the store has of its demand cannot be read: it is learned anew`);
    this.#state = "leads";
  }

  #carryOut(decision: ScalingDecision): void {
    const { drain, resume, log, onDecision } = this.#options;
    log(describeDecision(decision));
    onDecision?.(decision);
    switch (decision.kind) {
      case "start":
        for (let i = 0; i < decision.count; i++) void this.#start(decision.region);
        break;
      case "drain":
        this.#memory.drainsHaveChanged();
        drain(decision.nodeId);
        break;
      case "resume":
        this.#memory.drainsHaveChanged();
        resume(decision.nodeId);
        break;
      case "stop":
        void this.#stop(decision.nodeId);
        break;
      case "giveUp": {
        for (const id of decision.nodeIds) void this.#stop(id);
        const pending = Array.from(this.#pending).filter(({ region }) => region === decision.region);
        for (const late of pending.slice(0, decision.count - decision.nodeIds.length)) this.#abort(late);
      }
    }
  }

  async #start(region: string): Promise<void> {
    const { driver, now } = this.#options;
    const pending: Pending = { region, abort: new AbortController() };
    this.#pending.add(pending);
    try {
      const id = await driver.start(region, pending.abort.signal);
      if (this.#pending.has(pending)) this.#scaler.expect(region, id);
      else await this.#stop(id);
    } catch (error) {
      // Who was given up is not missed again.
      if (!this.#pending.has(pending)) return;
      this.#scaler.startFailed(region, 1, now());
      this.#noteError("start", error, region);
    } finally {
      this.#pending.delete(pending);
    }
  }

  async #stop(nodeId: string): Promise<void> {
    const { driver, unregister } = this.#options;
    try {
      await driver.stop(nodeId);
      unregister(nodeId);
    } catch (error) {
      this.#noteError("stop", error, nodeId);
    }
  }

  #noteEnded(nodeId: string, region: string): void {
    const { log, unregister, now } = this.#options;
    if (this.#state !== "leads") return;
    log(`scaling ${region}: ${nodeId} has ended by itself`);
    this.#scaler.endedBeforeReady(region, nodeId, now());
    unregister(nodeId);
  }

  #noteError(operation: DriverOperation, error: unknown, what = "nodes"): void {
    const { driver, log, onDriverError } = this.#options;
    if (this.#state === "closed") return;
    onDriverError?.(operation);
    log(
      `scaling: ${driver.kind} could not ${operation} ${what}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }

  #abort(pending: Pending): void {
    this.#pending.delete(pending);
    pending.abort.abort(new Error("it is not waited for any more"));
  }

  #abortAll(): void {
    for (const pending of this.#pending) this.#abort(pending);
  }
}
