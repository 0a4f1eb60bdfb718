/**
 * The seats that nodes have lent to this balancer, by the node's index in the registry. Seats are taken out of them without
 * asking anybody; the node is told in the next answers, until it confirms.
 *
 * A lease ends `LEASE_MS` after this balancer *sent* the answer that the node echoes, by this balancer's clock. So a dead node
 * has no seats any more `LEASE_MS` after the last answer that it heard, and a balancer that was stopped has none when it
 * goes on: there is nothing to detect. A seat is taken once: a number that was ever taken, or listed before, does not come back.
 */
import { CLAIM_MS } from "./exchange.ts";
import type { SeatAnswer, SeatReport } from "./exchange.ts";
import { NodeSeats } from "./node-seats.ts";

export interface SeatPoolOptions {
  /** A random number of 1 to 2^52, another one whenever the balancer starts. */
  readonly firstSession: number;
  /** Seats of each node that are wanted beyond what is expected to be taken. Default 8. */
  readonly reserve?: number;
  /** Seats of one node that are wanted at most. Default 512. */
  readonly maxWanted?: number;
  /** Things that one node has not confirmed. Default 4096: beyond, nothing is taken there, nor held for others. */
  readonly maxNews?: number;
}

export interface SeatRequest {
  /** Idempotency key of the allocation. */
  readonly key: string;
  /** One seat for each. */
  readonly clientIds: readonly string[];
  /** How long the seats are kept. */
  readonly ttlMs: number;
}

interface HeldSeat {
  readonly seat: number;
  readonly clientId: string;
}

/** What `hold` needs of a `SeatClaim`. */
export interface HeldClaim {
  readonly key: string;
  /** Of the node's process. */
  readonly epoch: number;
  readonly seats: readonly HeldSeat[];
  /** Until when they are kept. */
  readonly until: number;
}

/** Seats that were taken here, all of one node. */
export interface TakenSeats extends HeldClaim {
  readonly index: number;
  /** The player must be answered by then, and before that the seats be copied to another balancer or confirmed by the node. */
  readonly answerBy: number;
  readonly session: number;
  readonly order: number;
  /** The node knows that only this balancer can tell it of them. */
  readonly alone: boolean;
}

/** Of a waiting queue, what is wanted of each node beyond the rest. */
const MAX_WANTED_TO_SERVE_QUEUE = 32;
/** A group that needs seats is expected to be tried again within. */
const GROUP_MS = 2000;

export class SeatPool {
  readonly #reserve: number;
  readonly #maxWanted: number;
  readonly #maxNews: number;
  readonly #nodes: (NodeSeats | undefined)[] = [];
  #leaseEndsAt: Float64Array = new Float64Array(64).fill(-Infinity);
  #free: Int32Array = new Int32Array(64);
  #nextSession: number;
  #waitingHere = 0;
  #waitingElsewhere = 0;
  #alone = false;
  #closed = false;

  constructor(options: SeatPoolOptions) {
    this.#nextSession = options.firstSession;
    this.#reserve = options.reserve ?? 8;
    this.#maxWanted = options.maxWanted ?? 512;
    this.#maxNews = options.maxNews ?? 4096;
  }

  /** Seats that can be taken now. */
  seatsOf(index: number, now: number): number {
    return now < this.#leaseEndsAt[index] ? this.#free[index] : 0;
  }

  /** Whether the node can have lent anything now: it was heard, and has heard this balancer, a moment ago. */
  isLent(index: number, now: number): boolean {
    return now < this.#leaseEndsAt[index];
  }

  receive(index: number, report: SeatReport): void {
    const node = this.#node(index);
    node.receive(report);
    this.#free[index] = node.free;
    this.#leaseEndsAt[index] = this.#closed ? -Infinity : node.leaseEndsAt;
  }

  /** To be sent to the node now, in answer to a report. */
  answer(index: number, now: number): SeatAnswer {
    const node = this.#node(index);
    return node.answer(this.#wanted(node, now), this.#alone, now);
  }

  /** All or none. */
  take(index: number, request: SeatRequest, now: number): TakenSeats | undefined {
    const { key, clientIds } = request;
    const node = this.#nodes[index];
    const count = clientIds.length;
    if (node === undefined || this.seatsOf(index, now) < count || node.newsCount + count > this.#maxNews)
      return undefined;
    const until = now + request.ttlMs;
    let order = 0;
    const seats = node.take(count).map((seat, i): HeldSeat => {
      const clientId = clientIds[i];
      order = node.tell({ seat, key, clientId, until, givenBack: false });
      return { seat, clientId };
    });
    node.demand.took(count);
    this.#free[index] = node.free;
    const { epoch, session, aloneKnown: alone } = node;
    return { index, epoch, key, seats, until, answerBy: node.leaseEndsAt + CLAIM_MS, session, order, alone };
  }

  /** A group found no seats on the node although it could have played there: more are wanted for a while. */
  need(index: number, seats: number, now: number): void {
    this.#nodes[index]?.demand.need(seats, now + GROUP_MS);
  }

  /** Nobody was or will be told of these seats: the node gets them back. They are not taken again here. */
  giveBack(taken: TakenSeats): void {
    const node = this.#nodes[taken.index];
    if (node === undefined || node.session !== taken.session || node.epoch !== taken.epoch) return;
    for (const { seat, clientId } of taken.seats) {
      node.untell(seat);
      node.tell({ seat, key: taken.key, clientId, until: taken.until, givenBack: true });
    }
  }

  /**
   * Whether the node keeps them although no other balancer has a copy: it has heard of them, or knows that this balancer is
   * alone and waits for its word.
   */
  isKept(taken: TakenSeats): boolean {
    const node = this.#nodes[taken.index];
    if (node === undefined || node.session !== taken.session) return false;
    return taken.alone || node.isConfirmed(taken.epoch, taken.order);
  }

  /** A player waits until they are kept: the node is asked to say so at once when it has heard. */
  hurry(taken: TakenSeats): void {
    const node = this.#nodes[taken.index];
    if (node?.session === taken.session) node.awaited = Math.max(node.awaited, taken.order);
  }

  /**
   * No other balancer is alive (which one does not know in the first moments after its start). Nodes are told; once they know,
   * players are answered without a copy elsewhere.
   */
  setAlone(alone: boolean): void {
    this.#alone = alone;
  }

  /**
   * Seats that another balancer took, which copies that to this one: the node hears of them from here, too. False: they are too
   * many, or it is not sure that the node would wait for this balancer's word, as it has not heard from it within a lease.
   */
  hold(index: number, claim: HeldClaim, now: number): boolean {
    const node = this.#nodes[index];
    const { key, seats, until } = claim;
    if (node === undefined || node.epoch !== claim.epoch || !(now < node.leaseEndsAt)) return false;
    if (node.newsCount + seats.length > this.#maxNews) return false;
    for (const { seat, clientId } of seats) node.tell({ seat, key, clientId, until, givenBack: false });
    return true;
  }

  /** Players who wait at this balancer, and at others: free seats are left to those where somebody waits. */
  setWaiting(here: number, elsewhere: number): void {
    this.#waitingHere = here;
    this.#waitingElsewhere = elsewhere;
  }

  /** The index will stand for another node. */
  forget(index: number): void {
    if (index >= this.#nodes.length) return;
    this.#nodes[index] = undefined;
    this.#free[index] = 0;
    this.#leaseEndsAt[index] = -Infinity;
  }

  /** Takes nothing any more, so that nodes get back what they lent, within two exchanges. Before a balancer stops. */
  close(): void {
    this.#closed = true;
    this.#leaseEndsAt.fill(-Infinity);
  }

  #wanted(node: NodeSeats, now: number): number {
    if (this.#closed) return 0;
    const leavesToOthers = this.#waitingHere === 0 && this.#waitingElsewhere > 0;
    const reserve = leavesToOthers ? 0 : this.#reserve + Math.min(this.#waitingHere, MAX_WANTED_TO_SERVE_QUEUE);
    return Math.min(node.demand.wanted(node.free, now) + reserve, this.#maxWanted);
  }

  #node(index: number): NodeSeats {
    let node = this.#nodes[index];
    if (node !== undefined) return node;
    if (!(Number.isInteger(index) && index >= 0)) throw new RangeError(`index must be a whole number, not ${index}`);
    if (index >= this.#free.length) this.#grow(index + 1);
    node = new NodeSeats(this.#nextSession++);
    this.#nodes[index] = node;
    return node;
  }

  #grow(length: number): void {
    let size = this.#free.length;
    while (size < length) size *= 2;
    const leaseEndsAt = new Float64Array(size).fill(-Infinity);
    leaseEndsAt.set(this.#leaseEndsAt);
    this.#leaseEndsAt = leaseEndsAt;
    const free = new Int32Array(size);
    free.set(this.#free);
    this.#free = free;
  }
}
