import type { SeatAnswer, TakenSeat } from "../../src/seats/exchange.ts";
import { SeatLedger } from "../../src/seats/seat-ledger.ts";
import type { SeatLedgerOptions } from "../../src/seats/seat-ledger.ts";

/** As by default. */
export const TTL_MS = 60_000;
export const MARGIN_MS = 250;

/** A node and what balancers say to it. */
export class LedgerFixture {
  now = 1000;
  readonly ledger: SeatLedger;
  readonly #turns = new Map<string, number>();

  constructor(options: Partial<SeatLedgerOptions> = {}) {
    this.ledger = new SeatLedger({ epoch: 7, capacity: 100, ...options });
  }

  /** A report and its answer: what the balancer has after it, as blocks and in seats. */
  exchange(balancer: string, changes: Partial<SeatAnswer> = {}): { blocks: number[]; seats: number } {
    const { report, grants } = this.ledger.report(balancer, this.now);
    const session = changes.session ?? 1;
    const turn = (this.#turns.get(`${balancer} ${session}`) ?? 0) + 1;
    this.#turns.set(`${balancer} ${session}`, turn);
    const base = { session, epoch: 7, report, turn, taken: [], more: false, wanted: 10, alone: false };
    this.ledger.receive(balancer, { ...base, ...changes }, this.now);
    return { blocks: grants.map(({ block }) => block), seats: grants.reduce((sum, { seats }) => sum + seats, 0) };
  }

  /** So that all have what they want. */
  settle(wants: Readonly<Record<string, number>>): Record<string, number> {
    const held: Record<string, number> = {};
    for (let i = 0; i < 6; i++) {
      for (const [balancer, wanted] of Object.entries(wants))
        held[balancer] = this.exchange(balancer, { wanted }).seats;
      this.now += 250;
    }
    return held;
  }

  get sum(): number {
    return this.ledger.free + this.ledger.lent + this.ledger.reserved + this.ledger.seated;
  }
}

export function taken(seat: number, changes: Partial<TakenSeat> = {}): TakenSeat {
  return { seat, key: `key-${seat}`, clientId: `client-${seat}`, ttlMs: TTL_MS, ...changes };
}
