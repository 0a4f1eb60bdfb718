/**
 * Seats as they really are lent: a `SeatLedger` for each node, a `SeatPool` for each balancer, and all exchanges between them.
 * Too much work for a large fleet: to see what the shorter way of `SimulatedFleet` is worth.
 */
import { SeatLedger } from "../seats/seat-ledger.ts";
import { SeatPool } from "../seats/seat-pool.ts";

interface Coming {
  readonly node: number;
  readonly clientId: string;
  readonly seat: number;
  readonly epoch: number;
}

const TTL_MS = 60_000;

export class RealSeats {
  /** Players for whom there was no seat when they came, though they had been given one. */
  refused = 0;
  readonly #seatsPerNode: number;
  readonly #pools: readonly SeatPool[];
  readonly #ledgers: Map<number, SeatLedger> = new Map();
  #coming: Coming[] = [];
  #epoch = 0;

  constructor(options: { readonly balancers: number; readonly seatsPerNode: number }) {
    this.#seatsPerNode = options.seatsPerNode;
    this.#pools = Array.from(
      { length: options.balancers },
      (_, b) => new SeatPool({ firstSession: 1 + b * 1_000_000_000 }),
    );
  }

  nodeStarted(node: number): void {
    for (const pool of this.#pools) pool.forget(node);
    this.#ledgers.set(node, new SeatLedger({ epoch: ++this.#epoch, capacity: this.#seatsPerNode }));
  }

  nodeGone(node: number): void {
    this.#ledgers.delete(node);
  }

  setLending(node: number, lending: boolean): void {
    this.#ledgers.get(node)?.setLending(lending);
  }

  /** False: the balancer has not as many, whatever it was told. */
  take(b: number, node: number, key: string, clientIds: readonly string[], now: number): boolean {
    const taken = this.#pools[b].take(node, { key, clientIds, ttlMs: TTL_MS }, now);
    if (taken === undefined) return false;
    for (const { seat, clientId } of taken.seats) this.#coming.push({ node, clientId, seat, epoch: taken.epoch });
    return true;
  }

  leave(node: number, clientId: string): void {
    this.#coming = this.#coming.filter((player) => player.node !== node || player.clientId !== clientId);
    this.#ledgers.get(node)?.leave(clientId);
  }

  /** Players arrive, and every node exchanges with every balancer. */
  exchange(waiting: readonly number[], now: number, lent: (b: number, node: number, seats: number) => void): void {
    for (const { node, clientId, seat, epoch } of this.#coming)
      if (this.#ledgers.get(node)?.arrive({ clientId, seat, epoch }, now) === false) this.refused++;
    this.#coming = [];
    const all = waiting.reduce((a, b) => a + b, 0);
    for (let b = 0; b < this.#pools.length; b++) {
      const pool = this.#pools[b];
      pool.setWaiting(waiting[b], all - waiting[b]);
      for (const [node, ledger] of this.#ledgers) {
        pool.receive(node, ledger.report(String(b), now));
        ledger.receive(String(b), pool.answer(node, now), now);
        lent(b, node, pool.seatsOf(node, now));
      }
    }
  }
}
