/**
 * One balancer, as the node that lends to it sees it: which of its answers is the newest, what it may take from, and up to which
 * moment the node has heard everything from it.
 */
import { countSeats } from "./exchange.ts";
import type { SeatAnswer } from "./exchange.ts";
import type { Want } from "./fair-share.ts";
import type { LentBlock } from "./lent-blocks.ts";
import { rendezvousScore } from "./rendezvous.ts";

/** Reports whose sending is remembered: more than are under way. */
const REPORTS = 32;
/** Sessions that are over and whose late answers are known as such. */
const MAX_RETIRED = 8;

export class Borrower implements Want {
  readonly id: string;
  readonly tieBreak: number;
  /** Of its newest answer; 0: none yet. */
  session = 0;
  turn = 0;
  /** When the newest answer came: it was sent before, so that any lease by it ends at most `LEASE_MS` later. */
  answeredAt: number = -Infinity;
  /** When it was heard last, or came to be known. */
  seenAt: number;
  wanted = 0;
  group = 0;
  /** Nobody else knows what it takes. */
  alone = false;
  /** Free seats that it should have, as shared last. */
  target = 0;
  /** The newest report which it has taken in and to which it had no more to tell. */
  settledReport = 0;
  /** Everything that it knew before this moment has been heard. */
  heardUntil: number = -Infinity;
  /** Since when it has been known that it had forgotten what it knew. */
  forgotAt: number = -Infinity;
  /** What it may take from, in the order of the blocks' numbers. */
  listed: LentBlock[] = [];
  readonly #reports: Float64Array = new Float64Array(REPORTS);
  readonly #sentAt: Float64Array = new Float64Array(REPORTS);
  readonly #retired: number[] = [];
  #sent = 0;

  /** `salt`: another one for each node, so that not the same balancer is the last everywhere. */
  constructor(id: string, salt: string, now: number) {
    this.id = id;
    this.tieBreak = rendezvousScore(salt, id);
    this.seenAt = now;
  }

  /** Free seats that it may take. */
  get held(): number {
    let seats = 0;
    for (const block of this.listed) seats += countSeats(block.open);
    return seats;
  }

  /** A report is sent to it. */
  sent(report: number, now: number): void {
    const slot = this.#sent++ % REPORTS;
    this.#reports[slot] = report;
    this.#sentAt[slot] = now;
  }

  /** Whether the answer is news; else it is to be ignored. */
  accept(answer: SeatAnswer, now: number): boolean {
    if (answer.session !== this.session) {
      if (this.#retired.includes(answer.session)) return false;
      this.#begin(answer.session, now);
    }
    if (!(answer.turn > this.turn)) return false;
    this.turn = answer.turn;
    this.answeredAt = now;
    this.seenAt = now;
    this.wanted = Math.max(0, Math.floor(answer.wanted));
    this.group = Math.max(0, Math.floor(answer.group ?? 0));
    this.alone = answer.alone;
    return true;
  }

  /** After all that the answer tells was taken in. */
  settle(answer: SeatAnswer): void {
    const slot = this.#reports.indexOf(answer.report);
    if (answer.more || slot < 0) return;
    this.settledReport = Math.max(this.settledReport, answer.report);
    this.heardUntil = Math.max(this.heardUntil, this.#sentAt[slot]);
  }

  #begin(session: number, now: number): void {
    if (this.session !== 0) {
      this.forgotAt = now;
      this.#retired.push(this.session);
      if (this.#retired.length > MAX_RETIRED) this.#retired.shift();
    }
    this.session = session;
    this.turn = 0;
    this.settledReport = 0;
    this.listed = [];
  }
}
