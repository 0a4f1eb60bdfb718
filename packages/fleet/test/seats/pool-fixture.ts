import type { Grant, SeatReport } from "../../src/seats/exchange.ts";
import { SeatPool } from "../../src/seats/seat-pool.ts";
import type { SeatPoolOptions, TakenSeats } from "../../src/seats/seat-pool.ts";

/** A balancer, and a node that says what the test wants. */
export class PoolFixture {
  now = 5000;
  readonly pool: SeatPool;
  session = 0;
  turn = 0;
  #report = 0;

  constructor(options: Partial<SeatPoolOptions> = {}) {
    this.pool = new SeatPool({ firstSession: 100, ...options });
  }

  /** The node hears the newest answer and lists these blocks of so many seats. */
  exchange(blocks: Readonly<Record<number, number>>, changes: Partial<SeatReport> = {}): void {
    const { session, turn } = this.pool.answer(0, this.now);
    this.session = session;
    this.turn = turn;
    this.report(blocks, changes);
  }

  report(blocks: Readonly<Record<number, number>>, changes: Partial<SeatReport> = {}): void {
    const grants = Object.entries(blocks).map(([block, seats]): Grant => ({ block: Number(block), seats }));
    const base = { epoch: 7, report: ++this.#report, session: this.session, turn: this.turn, grants };
    this.pool.receive(0, { ...base, ...changes });
  }

  take(key: string, players = 1): TakenSeats | undefined {
    const clientIds = Array.from({ length: players }, (_, i) => `${key}.${i}`);
    return this.pool.take(0, { key, clientIds, ttlMs: 60_000 }, this.now);
  }

  get seats(): number {
    return this.pool.seatsOf(0, this.now);
  }

  get told(): number[] {
    return this.pool.answer(0, this.now).taken.map(({ seat }) => seat);
  }
}

export function numbers(taken: TakenSeats | undefined): number[] | undefined {
  return taken?.seats.map(({ seat }) => seat);
}
