/**
 * One node's seats, as a balancer knows them: the blocks that it may take from, and what it tells the node until the node has
 * confirmed to have heard it. Used by `SeatPool`.
 */
import { LEASE_MS, MAX_BLOCK_SEATS, MAX_GRANTS, countSeats, fullMask } from "./exchange.ts";
import type { Grant, SeatAnswer, SeatReport, TakenSeat } from "./exchange.ts";
import { SeatDemand } from "./seat-demand.ts";

/** Something that the node is to hear. */
export interface SeatNews {
  readonly seat: number;
  readonly key: string;
  readonly clientId: string;
  /** Until when the seat is kept, and this is told. */
  readonly until: number;
  readonly givenBack: boolean;
}

interface Block {
  readonly block: number;
  /** What was not taken, as a mask. */
  left: number;
}

interface Untold {
  /** Counts what was to be told. */
  readonly order: number;
  readonly news: SeatNews;
}

/** Answers whose sending is remembered: more than are sent within a lease. */
const TURNS = 16;
/** Processes of the node that are over and whose late reports are known as such. */
const MAX_RETIRED = 4;
const MAX_NEWS_PER_ANSWER = 256;

export class NodeSeats {
  /** Of this record, from nothing on. */
  readonly session: number;
  /** Of the node's process; -1: it was not heard yet. */
  epoch = -1;
  /** Until when seats may be taken. */
  leaseEndsAt: number = -Infinity;
  /** Seats in the blocks. */
  free = 0;
  /** The node knows that nobody else knows what is taken out of these blocks. */
  aloneKnown = false;
  readonly demand: SeatDemand = new SeatDemand();
  /** A player waits for the node to have heard of what was to be told up to this. */
  awaited = 0;
  /** Of all that was to be told, the node has heard up to this. */
  #confirmed = 0;
  #untold: Untold[] = [];
  #order = 0;
  #blocks: Block[] = [];
  #newestBlock = -1;
  #report = 0;
  #turn = 0;
  /** The first turn of those that said so up to now. */
  #aloneSince = Infinity;
  readonly #retired: number[] = [];
  /** Of each turn: when it was sent, and what it told up to. */
  readonly #turns: Float64Array = new Float64Array(2 * TURNS);

  constructor(session: number) {
    this.session = session;
  }

  /** Things that are to be told. */
  get newsCount(): number {
    return this.#untold.length;
  }

  /** Old and doubled reports change nothing. */
  receive(report: SeatReport): void {
    if (report.epoch !== this.epoch && !this.#adopt(report.epoch)) return;
    if (!(report.report > this.#report)) return;
    this.#report = report.report;
    if (report.session !== this.session) return;
    const { turn } = report;
    const isKnown = Number.isInteger(turn) && turn > this.#turn - TURNS && turn <= this.#turn && turn > 0;
    const slot = 2 * (turn % TURNS);
    this.leaseEndsAt = isKnown ? this.#turns[slot] + LEASE_MS : -Infinity;
    this.aloneKnown = turn >= this.#aloneSince;
    if (isKnown) this.#confirm(this.#turns[slot + 1]);
    this.#sync(report.grants);
  }

  /** To be sent now. `alone`: as in the answer. */
  answer(wanted: number, alone: boolean, now: number): SeatAnswer {
    if (this.#untold.length > 0) this.#keepUntold(({ news }) => news.until > now);
    const told = this.#untold.slice(0, MAX_NEWS_PER_ANSWER);
    const slot = 2 * (++this.#turn % TURNS);
    if (alone) this.#aloneSince = Math.min(this.#aloneSince, this.#turn);
    else this.#aloneSince = Infinity;
    this.aloneKnown &&= alone;
    const group = wanted > 0 ? this.demand.group(now) : 0;
    this.#turns[slot] = now;
    this.#turns[slot + 1] = told.at(-1)?.order ?? this.#confirmed;
    return {
      session: this.session,
      epoch: this.epoch,
      report: this.#report,
      turn: this.#turn,
      taken: told.map(({ news }) => toTaken(news, now)),
      more: this.#untold.length > told.length,
      wanted,
      ...(group > 0 ? { group } : {}),
      alone,
      ...(this.awaited > this.#confirmed ? { reportNow: true } : {}),
    };
  }

  /** The oldest blocks first. There must be as many. */
  take(count: number): number[] {
    const seats: number[] = [];
    for (const block of this.#blocks) {
      while (block.left !== 0 && seats.length < count) {
        const bit = 31 - Math.clz32(block.left & -block.left);
        block.left &= ~(1 << bit);
        seats.push(block.block * MAX_BLOCK_SEATS + bit);
      }
    }
    this.free -= seats.length;
    return seats;
  }

  /** What `isConfirmed` is asked with. */
  tell(news: SeatNews): number {
    this.#untold.push({ order: ++this.#order, news });
    return this.#order;
  }

  /** What was to be told of the seat is not any more. */
  untell(seat: number): void {
    this.#keepUntold(({ news }) => news.seat !== seat);
  }

  isConfirmed(epoch: number, order: number): boolean {
    return epoch === this.epoch && order <= this.#confirmed;
  }

  /** A new process of the node: what was of the one before is over. */
  #adopt(epoch: number): boolean {
    if (this.#retired.includes(epoch)) return false;
    if (this.epoch !== -1) this.#retired.push(this.epoch);
    if (this.#retired.length > MAX_RETIRED) this.#retired.shift();
    this.epoch = epoch;
    this.leaseEndsAt = -Infinity;
    this.free = 0;
    this.aloneKnown = false;
    this.#report = 0;
    this.#blocks = [];
    this.#newestBlock = -1;
    this.#keepUntold(() => false);
    return true;
  }

  #confirm(order: number): void {
    if (order <= this.#confirmed) return;
    this.#confirmed = order;
    this.#keepUntold((untold) => untold.order > order);
  }

  #keepUntold(isKept: (untold: Untold) => boolean): void {
    this.#untold = this.#untold.filter(isKept);
  }

  /** Keeps the blocks that are listed, and what is left of them; a number that is not higher than all before is no new block. */
  #sync(grants: readonly Grant[]): void {
    const blocks: Block[] = [];
    let i = 0;
    let last = -1;
    this.free = 0;
    for (const { block, seats } of grants.slice(0, MAX_GRANTS)) {
      if (!(Number.isSafeInteger(block) && block > last)) break;
      last = block;
      while (i < this.#blocks.length && this.#blocks[i].block < block) i++;
      if (i < this.#blocks.length && this.#blocks[i].block === block) blocks.push(this.#blocks[i]);
      else if (block > this.#newestBlock && seats >= 1 && seats <= MAX_BLOCK_SEATS) {
        blocks.push({ block, left: fullMask(seats) });
      }
    }
    for (const { left } of blocks) this.free += countSeats(left);
    this.#newestBlock = Math.max(this.#newestBlock, last);
    this.#blocks = blocks;
  }
}

function toTaken({ seat, key, clientId, until, givenBack }: SeatNews, now: number): TakenSeat {
  return { seat, key, clientId, ttlMs: givenBack ? 0 : until - now };
}
