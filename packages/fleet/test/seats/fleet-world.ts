/** A small fleet with its players on a virtual clock, and what goes wrong there. */
import assert from "node:assert/strict";
import { LEASE_MS } from "../../src/seats/exchange.ts";
import type { SeatClaim } from "../../src/seats/seat-claim.ts";
import { SimBalancer } from "./sim-balancer.ts";
import type { SimAnswer } from "./sim-balancer.ts";
import { SimClient } from "./sim-client.ts";
import { SimNode } from "./sim-node.ts";
import { Simulation } from "./simulation.ts";
import type { NetworkQuality, Process } from "./simulation.ts";
import { PATIENCE_MS, QUEUE_PATIENCE_MS, REMEMBER_MS, TTL_MS } from "./timing.ts";

export interface Scenario {
  readonly seed: number;
  readonly quality: NetworkQuality;
  readonly balancers: number;
  readonly nodes: number;
  /** Of each node. */
  readonly capacity: number;
  readonly clients: number;
  /** Processes that something happens to. */
  readonly faults: number;
  readonly faultKinds: readonly FaultKind[];
}

export type FaultKind =
  | "killBalancer"
  | "restartBalancer"
  | "freezeBalancer"
  | "isolateBalancer"
  | "splitBalancers"
  | "loseTwoBalancers"
  | "splitAndKillBalancer"
  | "killNode"
  | "freezeNode";

/** Players come from when everybody knows everybody until then. */
const WARM_UP_MS = 1500;
const ACTIVE_MS = 8000;
/** After the last player came: those who wait, those who are waited for, what is remembered, messages that are slow. */
const REST_MS = PATIENCE_MS + QUEUE_PATIENCE_MS + Math.max(TTL_MS + LEASE_MS, REMEMBER_MS) + 10_000;
/** After all balancers have given up everything, also for what was lent to those that were lost. */
const CLOSING_MS = TTL_MS + LEASE_MS + 3000;

export class FleetWorld {
  readonly sim: Simulation;
  readonly balancers: readonly SimBalancer[];
  readonly nodes: readonly SimNode[];
  readonly clients: SimClient[] = [];
  /** Players who were answered and found no seat. */
  readonly bounced: string[] = [];
  readonly #scenario: Scenario;
  /** Whose each seat is. */
  readonly #owners = new Map<string, string>();

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.sim = new Simulation(scenario.seed, scenario.quality);
    const { sim } = this;
    this.balancers = Array.from({ length: scenario.balancers }, (_, i) => new SimBalancer(i, sim));
    this.nodes = Array.from(
      { length: scenario.nodes },
      (_, i) => new SimNode(i, scenario.capacity, this.balancers, sim),
    );
    for (const balancer of this.balancers) this.#start(balancer);
  }

  /** The whole life of the fleet, until everything is over. */
  run(): void {
    const { sim } = this;
    const { clients, faults } = this.#scenario;
    for (let i = 0; i < clients; i++) {
      const players = sim.random.chance(0.15) ? 2 + sim.random.int(2) : 1;
      sim.after(WARM_UP_MS + sim.between(0, ACTIVE_MS), () => this.clients.push(new SimClient(`k${i}`, players, this)));
    }
    for (let i = 0; i < faults; i++) sim.after(WARM_UP_MS + sim.between(0, ACTIVE_MS), () => this.#fail());
    sim.runUntil(WARM_UP_MS + ACTIVE_MS + REST_MS);
    this.#end();
  }

  /** Asserted of each answer that a player gets. */
  given(claim: SeatClaim<SimAnswer>, key: string): void {
    for (const { seat } of claim.seats) {
      const name = `seat ${seat} of ${claim.nodeId}, ${claim.epoch}`;
      const owner = this.#owners.get(name) ?? key;
      assert.equal(owner, key, `${name} was given to ${owner} and to ${key}`);
      this.#owners.set(name, key);
    }
  }

  /** All that is running now; what is not must not hold anything back. */
  #end(): void {
    const { sim } = this;
    for (const balancer of this.balancers) {
      if (balancer.state === "up") {
        assert.equal(balancer.book.size, 0, `${balancer.id} remembers ${balancer.book.size}`);
        for (const node of this.nodes) assert.equal(balancer.pool.answer(node.index, balancer.now).taken.length, 0);
      }
      balancer.pool.close();
    }
    sim.runUntil(sim.now + CLOSING_MS);
    for (const { state, id, ledger, capacity } of this.nodes) {
      if (state !== "up") continue;
      assert.equal(ledger.seated, 0, `players at ${id}`);
      assert.equal(ledger.reserved, 0, `kept seats at ${id}`);
      assert.equal(ledger.free, capacity, `lent seats at ${id}`);
    }
  }

  #start(balancer: SimBalancer): void {
    balancer.start(
      this.balancers.filter((other) => other !== balancer),
      this.nodes,
    );
  }

  #fail(): void {
    const { random } = this.sim;
    const kind = this.#scenario.faultKinds[random.int(this.#scenario.faultKinds.length)];
    const balancer = this.balancers[random.int(this.balancers.length)];
    const node = this.nodes[random.int(this.nodes.length)];
    switch (kind) {
      case "killBalancer":
        balancer.kill();
        return;
      case "restartBalancer":
        this.#restart(balancer, this.sim.between(10, 6000));
        return;
      case "loseTwoBalancers": {
        const other = this.balancers[random.int(this.balancers.length)];
        this.#restart(other, this.sim.between(10, 300));
        this.sim.after(this.sim.between(0, 600), () => balancer.kill());
        return;
      }
      case "freezeBalancer":
        this.#freeze(balancer);
        return;
      case "isolateBalancer":
        // From the fleet, not from players.
        for (const other of [...this.balancers, ...this.nodes]) if (other !== balancer) this.sim.cut(balancer, other);
        this.sim.after(this.sim.between(100, 8000), () => this.sim.mend());
        return;
      case "splitBalancers":
        // One from the others; nodes and players reach all.
        for (const other of this.balancers) if (other !== balancer) this.sim.cut(balancer, other);
        this.sim.after(this.sim.between(1000, 8000), () => this.sim.mend());
        return;
      case "splitAndKillBalancer":
        for (const other of this.balancers) if (other !== balancer) this.sim.cut(balancer, other);
        this.sim.after(this.sim.between(1000, 4000), () => balancer.kill());
        return;
      case "killNode":
        node.kill();
        if (random.chance(0.5)) {
          this.sim.after(this.sim.between(10, 6000), () => {
            if (node.state !== "dead") return;
            node.restart();
            node.start();
          });
        }
        return;
      case "freezeNode":
        this.#freeze(node);
    }
  }

  #restart(balancer: SimBalancer, afterMs: number): void {
    balancer.kill();
    this.sim.after(afterMs, () => {
      if (balancer.state !== "dead") return;
      balancer.restart();
      this.#start(balancer);
    });
  }

  #freeze(process: Process): void {
    process.freeze();
    this.sim.after(this.sim.between(50, 8000), () => process.thaw());
  }
}
