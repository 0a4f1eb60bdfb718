/** A game server of the simulated fleet: reports to all balancers, lets in who has a seat. */
import assert from "node:assert/strict";
import type { SeatAnswer } from "../../src/seats/exchange.ts";
import { SeatLedger } from "../../src/seats/seat-ledger.ts";
import type { SimBalancer } from "./sim-balancer.ts";
import { Process } from "./simulation.ts";
import type { Simulation } from "./simulation.ts";
import { TTL_MS } from "./timing.ts";

const REPORT_EVERY_MS = 250;
/** Clocks do not run equally fast. */
const DRIFT_MS = 1;

export class SimNode extends Process {
  readonly index: number;
  readonly capacity: number;
  ledger!: SeatLedger;
  /** Tokens that were used: none is a second time. */
  readonly used = new Set<string>();
  readonly #diedAt = new Map<number, number>();
  readonly #balancers: readonly SimBalancer[];

  constructor(index: number, capacity: number, balancers: readonly SimBalancer[], sim: Simulation) {
    super(`node-${index}`, sim);
    this.index = index;
    this.capacity = capacity;
    this.#balancers = balancers;
    this.start();
  }

  start(): void {
    const epoch = this.sim.random.uint32();
    this.used.clear();
    this.ledger = new SeatLedger({ epoch, capacity: this.capacity, ttlMs: TTL_MS });
    for (const balancer of this.#balancers) {
      this.after(this.sim.between(0, REPORT_EVERY_MS), () => {
        this.#report(balancer);
        this.every(REPORT_EVERY_MS, () => this.#report(balancer));
      });
    }
  }

  override kill(): void {
    if (this.state !== "dead") this.#diedAt.set(this.ledger.epoch, this.sim.now);
    super.kill();
  }

  /** Somebody is sent to that process of the node: not if it has been dead for longer. */
  checkGiven(epoch: number, withinMs: number): void {
    const sinceMs = this.sim.now - (this.#diedAt.get(epoch) ?? Infinity);
    assert.ok(sinceMs <= withinMs + DRIFT_MS, `${this.id} got somebody ${sinceMs} ms after its death`);
  }

  /** What must hold at any time. */
  check(): void {
    const { ledger } = this;
    const sum = ledger.seated + ledger.reserved + ledger.lent;
    assert.ok(sum <= this.capacity, `${this.id} has ${sum} seats in use of ${this.capacity}`);
    assert.ok(ledger.lent >= 0 && ledger.free >= 0);
  }

  #report(balancer: SimBalancer): void {
    const report = this.ledger.report(balancer.id, this.now);
    this.check();
    const { incarnation } = this;
    this.sim.send(this, balancer, () => {
      const answer: SeatAnswer = balancer.exchange(this, report);
      // An answer may reach the process after the one that asked.
      this.sim.send(balancer, this, () => {
        if (this.incarnation !== incarnation && !this.sim.random.chance(0.5)) return;
        this.ledger.receive(balancer.id, answer, this.now);
        this.check();
      });
    });
  }
}
