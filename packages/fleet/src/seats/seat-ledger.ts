/**
 * A node's seats, in the node: whoever wants one gets it here in the end. A seat is free, or lent to a balancer, or kept for a
 * player who has been told to come, or a player sits in it; these four never come to more than the capacity.
 *
 * What holds:
 *
 * - Always, whatever is lost, stopped, late or doubled: no seat is given to two players, and no more players sit here than
 *   there are seats.
 * - One balancer lost (killed, stopped or cut off): everybody who was answered finds the seat; the seats that it had not given
 *   to anybody are free again `LEASE_MS + CLAIM_MS`, a margin and an exchange after its last answer.
 * - Two or more lost within `ttlMs`: the same, but what was lent to them is free again only after `ttlMs` more. (So with one that
 *   was alone.) Not guaranteed is that a key keeps its answer, see `ClaimBook`.
 * - The node lost: its seats go with it. It is given nobody later than `LEASE_MS + CLAIM_MS` after.
 */
import { Borrower } from "./borrower.ts";
import { LEASE_MS, MAX_BLOCK_SEATS, MAX_GRANTS, countSeats } from "./exchange.ts";
import type { SeatAnswer, SeatReport, TakenSeat } from "./exchange.ts";
import { shareFairly } from "./fair-share.ts";
import { LentBlocks } from "./lent-blocks.ts";

export interface SeatLedgerOptions {
  /** A random number below 2^53, another one whenever the node starts. */
  readonly epoch: number;
  /** Seats in all. */
  readonly capacity: number;
  /** The longest for which a seat is kept for a player who does not come, as configured. Default 60000 ms. */
  readonly ttlMs?: number;
  /** By how much balancers' clocks may differ from this one's over a lease. Default 250 ms. */
  readonly marginMs?: number;
  /** Of the free seats, what one balancer may have while others are there. Default 0.5. */
  readonly maxShare?: number;
  /** Where free seats are short, they are lent in parts of so many, if there are as many: a group of that size gets in. Default 4. */
  readonly leastPart?: number;
}

export interface ArrivingPlayer {
  readonly clientId: string;
  /** As in the connect token; none: the player does not come from the fleet. */
  readonly seat?: number;
  readonly epoch?: number;
}

/** Since the start. */
export interface SeatCounts {
  /** Players who came; of these, those whose seat had not been told yet. */
  arrived: number;
  arrivedUntold: number;
  /** And those who took a free seat, as none was theirs. */
  arrivedUnexpected: number;
  /** Players for whom there was no seat. */
  refused: number;
  /** Seats that were kept until their time was over. */
  expired: number;
  /** Seats that were given back. */
  givenBack: number;
  /** Seats that were told only after the node had their block back; of these, those that could not be kept. */
  late: number;
  lost: number;
}

interface KeptSeat {
  readonly key: string;
  readonly clientId: string;
  readonly until: number;
}

/** Balancers at once; to others nothing is lent. */
const MAX_BALANCERS = 64;
/** No seat is kept longer, whatever a balancer says. */
const MAX_TTL_MS = 600_000;

export class SeatLedger {
  readonly epoch: number;
  readonly counts: SeatCounts = {
    arrived: 0,
    arrivedUntold: 0,
    arrivedUnexpected: 0,
    refused: 0,
    expired: 0,
    givenBack: 0,
    late: 0,
    lost: 0,
  };
  readonly #maxShare: number;
  readonly #leastPart: number;
  readonly #blocks: LentBlocks;
  readonly #borrowers: Map<string, Borrower> = new Map();
  readonly #kept: Map<number, KeptSeat> = new Map();
  readonly #seated: Set<string> = new Set();
  readonly #salt: string;
  #capacity: number;
  #lending = true;
  #ttlMs: number;
  #reports = 0;

  constructor(options: SeatLedgerOptions) {
    this.epoch = options.epoch;
    this.#salt = String(options.epoch);
    this.#capacity = checkedCapacity(options.capacity);
    this.#ttlMs = options.ttlMs ?? 60_000;
    this.#maxShare = options.maxShare ?? 0.5;
    this.#leastPart = options.leastPart ?? 4;
    this.#blocks = new LentBlocks(options.marginMs ?? 250);
  }

  get capacity(): number {
    return this.#capacity;
  }

  /** Below 0 when the capacity was lowered beneath what is in use. */
  get free(): number {
    return this.#capacity - this.#seated.size - this.#kept.size - this.#blocks.openSeats;
  }

  get lent(): number {
    return this.#blocks.openSeats;
  }

  /** Kept for players on their way. */
  get reserved(): number {
    return this.#kept.size;
  }

  get seated(): number {
    return this.#seated.size;
  }

  /** Blocks that are remembered, of `MAX_BLOCKS`. */
  get blocks(): number {
    return this.#blocks.size;
  }

  /** Nobody is sent away: where more are in than fit now, nobody new is. */
  setCapacity(seats: number): void {
    this.#capacity = checkedCapacity(seats);
  }

  /** False while draining or in maintenance: nothing is lent, and what is lent is called back. Taken seats stay taken. */
  setLending(lending: boolean): void {
    this.#lending = lending;
  }

  /** The next report to a balancer, to be sent now: lends to it, or calls back. */
  report(balancer: string, now: number): SeatReport {
    this.sweep(now);
    this.#forgetSilent(now);
    const borrower = this.#borrower(balancer, now);
    const report = ++this.#reports;
    if (borrower === undefined) return { epoch: this.epoch, report, session: 0, turn: 0, grants: [] };
    borrower.sent(report, now);
    if (this.#lends(borrower, now)) this.#adjust(borrower, now);
    else borrower.listed = [];
    const grants = this.#blocks.grants(borrower, report);
    return { epoch: this.epoch, report, session: borrower.session, turn: borrower.turn, grants };
  }

  /** A balancer's answer. Old, doubled and foreign ones are ignored. */
  receive(balancer: string, answer: SeatAnswer, now: number): void {
    const borrower = this.#borrowers.get(balancer);
    if (answer.epoch !== this.epoch || borrower === undefined || !borrower.accept(answer, now)) return;
    for (const taken of answer.taken) this.#hear(taken, now);
    borrower.settle(answer);
    this.sweep(now);
  }

  /**
   * Whether the player may sit down: on the seat that is kept for it, on one that is lent and thus can only have been given to
   * it, or on a free one. It sits until `leave`, however often it arrives.
   */
  arrive(player: ArrivingPlayer, now: number): boolean {
    const { clientId } = player;
    if (this.#seated.has(clientId)) return true;
    this.sweep(now);
    // While draining, nobody comes in who was not sent here.
    const mayUseFree = this.free > 0 && (this.#lending || player.seat !== undefined);
    if (!this.#redeem(player)) {
      if (!mayUseFree) {
        this.counts.refused++;
        return false;
      }
      this.counts.arrivedUnexpected++;
    }
    this.#seated.add(clientId);
    this.counts.arrived++;
    // What else is kept for this player: it sits only once.
    for (const [seat, kept] of this.#kept) if (kept.clientId === clientId) this.#kept.delete(seat);
    return true;
  }

  /** False when the player does not sit here. */
  leave(clientId: string): boolean {
    return this.#seated.delete(clientId);
  }

  /** Ends what is over by now. Reports, answers and arrivals do that, too. */
  sweep(now: number): void {
    for (const [seat, { until }] of this.#kept) {
      if (until > now) continue;
      this.#kept.delete(seat);
      this.counts.expired++;
    }
    this.#blocks.sweep(this.#borrowers, this.#ttlMs, now);
  }

  /** Takes the seat that was given to the player out of those that are kept or lent. */
  #redeem({ clientId, seat, epoch }: ArrivingPlayer): boolean {
    if (seat !== undefined && epoch === this.epoch) {
      if (this.#kept.get(seat)?.clientId === clientId) return this.#kept.delete(seat);
      if (this.#blocks.hear(seat) === "open") {
        this.counts.arrivedUntold++;
        return true;
      }
    }
    for (const [other, kept] of this.#kept) if (kept.clientId === clientId) return this.#kept.delete(other);
    return false;
  }

  #hear({ seat, key, clientId, ttlMs }: TakenSeat, now: number): void {
    const news = this.#blocks.hear(seat);
    if (!(ttlMs > 0)) {
      const isKept = this.#kept.get(seat)?.key === key && this.#kept.delete(seat);
      if (isKept || news === "open") this.counts.givenBack++;
      return;
    }
    if (news === "late") this.counts.late++;
    else if (news !== "open") return;
    if (news === "late" && this.free <= 0) {
      this.counts.lost++;
      return;
    }
    const keptMs = Math.min(ttlMs, MAX_TTL_MS);
    this.#ttlMs = Math.max(this.#ttlMs, keptMs);
    this.#kept.set(seat, { key, clientId, until: now + keptMs });
  }

  /** A balancer that has been silent for longer than a lease could use nothing that is lent to it now. */
  #lends(borrower: Borrower, now: number): boolean {
    return this.#lending && now - borrower.answeredAt < LEASE_MS;
  }

  /** Lends or calls back until the balancer has its fair share of what it wants. */
  #adjust(borrower: Borrower, now: number): void {
    const sharing = Array.from(this.#borrowers.values()).filter((other) => this.#lends(other, now));
    let free = this.free;
    let seats = free;
    for (const other of sharing) {
      // What was lent to one that was alone is replaced: it would be waited for longer than the rest.
      other.listed = other.listed.filter(({ open, alone }) => open !== 0 && (other.alone || !alone));
      seats += other.held;
    }
    shareFairly(sharing, seats, this.#maxShare, this.#leastPart);
    let lacking = borrower.target - borrower.held;
    if (lacking < 0) this.#callBack(borrower, sharing, free);
    while (lacking > 0 && free > 0 && borrower.listed.length < MAX_GRANTS) {
      // Several small blocks: some of them can be called back.
      const size = Math.min(lacking, free, lacking <= 4 ? lacking : Math.min(Math.ceil(lacking / 4), MAX_BLOCK_SEATS));
      this.#blocks.lend(borrower, size, now);
      lacking -= size;
      free -= size;
    }
  }

  /** Only when others lack it, or when it is far too much: else all would have to follow every change. */
  #callBack(borrower: Borrower, sharing: readonly Borrower[], free: number): void {
    const { target } = borrower;
    let surplus = borrower.held - target;
    let lacking = 0;
    let starves = false;
    for (const other of sharing) {
      lacking += Math.max(0, other.target - other.held);
      starves ||= other.held === 0 && other.target > 0;
    }
    const isNeeded = lacking > free && (starves || surplus > target / 4);
    if (!isNeeded && surplus <= target) return;
    const listed = borrower.listed.toSorted((a, b) => countSeats(a.open) - countSeats(b.open));
    // Perhaps more than the surplus: it gets the rest anew.
    while (surplus > 0) surplus -= countSeats(listed.shift()?.open ?? 0);
    borrower.listed = listed.sort((a, b) => a.block - b.block);
  }

  #borrower(id: string, now: number): Borrower | undefined {
    let borrower = this.#borrowers.get(id);
    if (borrower !== undefined) return borrower;
    if (this.#borrowers.size >= MAX_BALANCERS) return undefined;
    borrower = new Borrower(id, this.#salt, now);
    this.#borrowers.set(id, borrower);
    return borrower;
  }

  /** Balancers that are no more. Their words are waited for no longer than a seat is kept. */
  #forgetSilent(now: number): void {
    for (const borrower of this.#borrowers.values()) {
      if (now - borrower.seenAt > this.#ttlMs && !this.#blocks.owes(borrower)) this.#borrowers.delete(borrower.id);
    }
  }
}

function checkedCapacity(seats: number): number {
  if (!(Number.isInteger(seats) && seats >= 0)) throw new RangeError(`capacity must be a whole number, not ${seats}`);
  return seats;
}
