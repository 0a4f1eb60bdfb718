/**
 * The blocks of seats that a node has lent: which seats of them are still open (nothing was heard of them), and when the open
 * ones are the node's again. That is
 *
 * - when the balancer has taken in a report that does not list the block any more, and has told all it had to tell; or
 * - when its lease is over, and every other balancer has been heard after that: whoever took a seat in time has copied it to
 *   one of them before the player was answered; or
 * - where its balancer said that it is alone, or there is no other, or one is silent as well or has forgotten what it knew: when
 *   also the time is over for which a seat is kept. Nobody who was given one can come any more.
 *
 * What was heard of a block is remembered as long as anybody may tell it again.
 */
import type { Borrower } from "./borrower.ts";
import { CLAIM_MS, LEASE_MS, bitOfSeat, blockOfSeat, countSeats, fullMask } from "./exchange.ts";
import type { Grant } from "./exchange.ts";

export interface LentBlock {
  readonly block: number;
  readonly seats: number;
  readonly borrower: Borrower;
  readonly session: number;
  readonly lentAt: number;
  /** Seats of which nothing was heard, as a mask. */
  open: number;
  /** The newest report that lists it. Once one does not, none does again. */
  lastReport: number;
  leaseEndsAt: number;
  /** Its balancer may have given seats of it without telling any other. */
  alone: boolean;
}

/**
 * - `open`: it was lent and nothing had been heard of it; now it is not open any more
 * - `late`: the same, but the node had it back already
 * - `heard`: there was something before
 * - `unknown`: no such seat, or one of long ago
 */
export type SeatNews = "open" | "late" | "heard" | "unknown";

/** Blocks that are over and remembered; beyond, the oldest are forgotten. */
const MAX_BLOCKS = 16384;

export class LentBlocks {
  /** Open seats of blocks that are not the node's again. */
  openSeats = 0;
  readonly #owed: Map<number, LentBlock> = new Map();
  /** Those that are over, in the order in which they came back. */
  readonly #over: Map<number, LentBlock> = new Map();
  readonly #marginMs: number;
  #nextBlock = 0;

  /** `marginMs`: for clocks that do not run equally fast. */
  constructor(marginMs: number) {
    this.#marginMs = marginMs;
  }

  /** Remembered, those that are over included. */
  get size(): number {
    return this.#owed.size + this.#over.size;
  }

  lend(borrower: Borrower, seats: number, now: number): void {
    const block: LentBlock = {
      block: this.#nextBlock++,
      seats,
      borrower,
      session: borrower.session,
      lentAt: now,
      open: fullMask(seats),
      lastReport: 0,
      leaseEndsAt: now,
      alone: false,
    };
    borrower.listed.push(block);
    this.#owed.set(block.block, block);
    this.openSeats += seats;
  }

  /** All that the balancer may take from, for a report that is sent now: it extends their lease. */
  grants(borrower: Borrower, report: number): Grant[] {
    const leaseEndsAt = borrower.answeredAt + LEASE_MS;
    return borrower.listed.map((listed) => {
      listed.lastReport = report;
      listed.leaseEndsAt = leaseEndsAt;
      listed.alone ||= borrower.alone;
      return { block: listed.block, seats: listed.seats };
    });
  }

  hear(seat: number): SeatNews {
    const number = blockOfSeat(seat);
    const block = this.#owed.get(number) ?? this.#over.get(number);
    const bit = bitOfSeat(seat);
    if (block === undefined || !Number.isInteger(bit) || bit >= block.seats) return "unknown";
    if (((block.open >>> bit) & 1) === 0) return "heard";
    block.open &= ~(1 << bit);
    if (this.#over.has(number)) return "late";
    this.openSeats--;
    return "open";
  }

  /** Takes back what is the node's again and forgets what is over. `ttlMs`: the longest for which a seat is kept. */
  sweep(borrowers: ReadonlyMap<string, Borrower>, ttlMs: number, now: number): void {
    for (const block of this.#owed.values()) {
      const overAt = this.#overAt(block);
      const isBack =
        isSettled(block) || (now >= overAt && (now >= overAt + ttlMs || isVouchedFor(block, overAt, borrowers)));
      if (!isBack) continue;
      this.#owed.delete(block.block);
      this.#over.set(block.block, block);
      this.openSeats -= countSeats(block.open);
      const { listed } = block.borrower;
      if (listed.includes(block)) listed.splice(listed.indexOf(block), 1);
    }
    for (const block of this.#over.values()) {
      if (now < this.#overAt(block) + ttlMs && this.#over.size <= MAX_BLOCKS) return;
      this.#over.delete(block.block);
    }
  }

  /** Whether anything that was lent to the balancer is not the node's again. */
  owes(borrower: Borrower): boolean {
    for (const block of this.#owed.values()) if (block.borrower === borrower) return true;
    return false;
  }

  /** When its lease is over, and whoever took a seat in time has told somebody. */
  #overAt(block: LentBlock): number {
    return block.leaseEndsAt + CLAIM_MS + this.#marginMs;
  }
}

/** Nothing is open any more, or its balancer has told everything and takes no more from it. */
function isSettled(block: LentBlock): boolean {
  const { borrower } = block;
  return block.open === 0 || (block.session === borrower.session && borrower.settledReport > block.lastReport);
}

/** Whether all other balancers, one at least, have told what they knew at that time, and have known it since the block was lent. */
function isVouchedFor(block: LentBlock, time: number, borrowers: ReadonlyMap<string, Borrower>): boolean {
  if (block.alone) return false;
  let others = 0;
  for (const other of borrowers.values()) {
    if (other === block.borrower || other.session === 0) continue;
    if (other.heardUntil < time || other.forgotAt > block.lentAt) return false;
    others++;
  }
  return others > 0;
}
