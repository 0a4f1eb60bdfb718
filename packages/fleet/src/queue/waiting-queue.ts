/**
 * Players who wait because no node has a seat for them, at one balancer. Who has waited longest is tried first, wherever it
 * waited before: a ticket keeps its time. Who cannot be served (no node for its filter has seats) does not hold up others; a
 * large group is overtaken by smaller ones, but not for ever. Who does not ask when it should is passed over, and gone after
 * `patienceMs`.
 *
 * The balancer asks `next` whenever seats may have come, tries to place whom it gets, and says `placed` or `unplaced`. The answer
 * is then in the claim book, and the player finds it there when it asks again.
 *
 * Fair among those who wait at the same balancer. Between balancers, nodes share their seats by what each wants (`SeatPool`
 * wants more where players wait, and nothing to spare where none do while others have some).
 */
import type { Random } from "@riposte/protocol";
import type { QueueConfig } from "../config/load-balancer-config.ts";
import { TokenBucket } from "./token-bucket.ts";
import { FilterLines, comesBefore } from "./waiting-line.ts";
import type { Entry, Waiting } from "./waiting-line.ts";

/** What a player is told. */
export interface QueuePlace {
  /** Players of the same filter before it at this balancer, and one. */
  readonly position: number;
  /** At the rate of the last seconds; undefined: nobody has been let in yet. */
  readonly waitMs: number | undefined;
  readonly askAgainMs: number;
}

/** Who has just come: often more seats are lent an exchange later. */
const FIRST_ASK_AGAIN_MS = 300;
const MIN_ASK_AGAIN_MS = 1000;
const MAX_ASK_AGAIN_MS = 5000;
/** Filters with lines of their own. While somebody waits with each, who brings another one waits in a common line. */
const MAX_FILTERS = 256;
/** No filter's key: these are texts of JSON, or empty. */
const OTHERS = "others";

export class WaitingQueue<R> {
  /** Since the start: players let in from the queue, and those who went without. */
  admitted = 0;
  gone = 0;
  /** Refused, because too many waited. */
  refused = 0;
  readonly #random: Random;
  readonly #bucket: TokenBucket;
  readonly #filters: Map<string, FilterLines<R>> = new Map();
  /** In the order in which they asked last. */
  readonly #entries: Map<string, Entry<R>> = new Map();
  #config: QueueConfig;
  #order = 0;

  /** `admissionsPerSec` is this balancer's part of the fleet's. `random` spreads when players ask again. */
  constructor(config: QueueConfig, random: Random, now: number) {
    this.#config = config;
    this.#random = random;
    this.#bucket = new TokenBucket(config.admissionsPerSec, now);
  }

  /** Groups count as one. */
  get waiting(): number {
    return this.#entries.size;
  }

  /** Whether somebody waits with the key. */
  has(key: string): boolean {
    return this.#entries.has(key);
  }

  configure(config: QueueConfig, now: number): void {
    this.#config = config;
    this.#bucket.setRate(config.admissionsPerSec, now);
  }

  /** Whether a newcomer may be placed at once: nobody waits for the same, and the rate allows it. */
  mayPass(filterKey: string, seats: number, now: number): boolean {
    return this.#bucket.isReady(now) && this.#filters.get(filterKey)?.isTaken(seats, now) !== true;
  }

  /** A newcomer was placed at once. */
  passed(filterKey: string, seats: number, now: number): void {
    this.#bucket.spend(seats, now);
    this.#filters.get(filterKey)?.gave(seats, Infinity, now);
  }

  /**
   * A player waits, or asks again. `enqueuedAt` (Unix ms): of its ticket, or now. Undefined: too many wait; those who bring a
   * ticket, as from a balancer that is gone, are taken up to twice as many.
   */
  ask(player: Waiting<R>, enqueuedAt: number, hasTicket: boolean, now: number): QueuePlace | undefined {
    this.sweep(now);
    const entry = this.#enter(player, enqueuedAt, hasTicket, now);
    if (entry === undefined) {
      this.refused++;
      return undefined;
    }
    const position = entry.state === "placing" ? 1 : entry.lines.ahead(entry) + 1;
    const perSec = Math.min(entry.lines.perSec(now), this.#config.admissionsPerSec);
    const waitMs = perSec > 0 ? (position / perSec) * 1000 : undefined;
    const most = Math.min(MAX_ASK_AGAIN_MS, this.#config.patienceMs / 3);
    const spread = 0.9 + this.#random.next() * 0.2;
    const askIn = (least: number): number => Math.round(Math.min(Math.max((waitMs ?? 0) / 4, least), most) * spread);
    entry.askAgainMs = askIn(MIN_ASK_AGAIN_MS);
    return { position, waitMs, askAgainMs: hasTicket ? entry.askAgainMs : askIn(FIRST_ASK_AGAIN_MS) };
  }

  /** Who is to be placed now, if anybody: say `placed` or `unplaced` of each. */
  next(now: number): Waiting<R> | undefined {
    this.sweep(now);
    if (this.#entries.size === 0 || !this.#bucket.isReady(now)) return undefined;
    let first: Entry<R> | undefined;
    for (const lines of this.#filters.values()) {
      const head = lines.head(now);
      if (head !== undefined && (first === undefined || comesBefore(head, first))) first = head;
    }
    if (first === undefined) return undefined;
    first.lines.remove(first);
    first.state = "placing";
    this.#bucket.spend(first.player.seats, now);
    return first.player;
  }

  /** Since when it waited, Unix ms; undefined when it has left meanwhile. */
  placed(key: string, now: number): number | undefined {
    const entry = this.#entries.get(key);
    if (entry?.state !== "placing") return undefined;
    this.admitted++;
    this.#remove(entry);
    entry.lines.gave(entry.player.seats, entry.enqueuedAt, now);
    return entry.enqueuedAt;
  }

  /** It goes on waiting in its place. */
  unplaced(key: string, now: number): void {
    const entry = this.#entries.get(key);
    if (entry?.state !== "placing") return;
    entry.lines.insert(entry);
    entry.lines.failed(entry.player.seats, now);
    this.#bucket.spend(-entry.player.seats, now);
  }

  /** It wants no more. */
  leave(key: string): void {
    const entry = this.#entries.get(key);
    if (entry !== undefined) this.#remove(entry);
  }

  /** Ends the waiting of those who have not asked for `patienceMs`. */
  sweep(now: number): void {
    for (const entry of this.#entries.values()) {
      if (now - entry.askedAt <= this.#config.patienceMs) return;
      this.#remove(entry);
      this.gone++;
    }
  }

  #enter(player: Waiting<R>, enqueuedAt: number, hasTicket: boolean, now: number): Entry<R> | undefined {
    let entry = this.#entries.get(player.key);
    if (entry !== undefined && entry.player.filterKey === player.filterKey && entry.player.seats === player.seats) {
      if (entry.state !== "placing") {
        entry.lines.remove(entry);
        entry.enqueuedAt = Math.min(entry.enqueuedAt, enqueuedAt);
        entry.lines.insert(entry);
      }
      entry.askedAt = now;
      this.#entries.delete(player.key);
      this.#entries.set(player.key, entry);
      return entry;
    }
    if (entry !== undefined) this.#remove(entry);
    if (this.#entries.size >= this.#config.maxWaiting * (hasTicket ? 2 : 1)) return undefined;
    const lines = this.#linesOf(player.filterKey, now);
    const order = this.#order++;
    entry = { player, lines, enqueuedAt, order, askedAt: now, askAgainMs: 0, state: "waiting", overtaken: 0 };
    lines.insert(entry);
    lines.size++;
    this.#entries.set(player.key, entry);
    return entry;
  }

  #remove(entry: Entry<R>): void {
    entry.lines.remove(entry);
    entry.state = "gone";
    entry.lines.size--;
    this.#entries.delete(entry.player.key);
  }

  #linesOf(filterKey: string, now: number): FilterLines<R> {
    let lines = this.#filters.get(filterKey);
    if (lines !== undefined) return lines;
    if (this.#filters.size >= MAX_FILTERS && filterKey !== OTHERS) {
      // What was learnt about a filter that nobody waits with.
      const idle = Array.from(this.#filters.values()).find(({ size }) => size === 0);
      if (idle === undefined) return this.#linesOf(OTHERS, now);
      this.#filters.delete(idle.key);
    }
    lines = new FilterLines<R>(filterKey, now);
    this.#filters.set(filterKey, lines);
    return lines;
  }
}
