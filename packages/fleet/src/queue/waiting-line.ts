/** Who waits for the same: players in the order of since when, those of one group size in one line. Used by `WaitingQueue`. */

export interface Waiting<R> {
  /** Idempotency key of the allocation. */
  readonly key: string;
  /** Who has the same can be served by the same nodes: `filterKeyOf`. */
  readonly filterKey: string;
  /** Of a group that plays together; 1 for a single player. */
  readonly seats: number;
  /** What the caller needs to place it. */
  readonly request: R;
}

export interface Entry<R> {
  readonly player: Waiting<R>;
  readonly lines: FilterLines<R>;
  /** Since when it waits, Unix ms, and in the order in which they came. */
  enqueuedAt: number;
  readonly order: number;
  askedAt: number;
  /** When it was told to ask again. */
  askAgainMs: number;
  /** `absent`: it has not asked when it should have. `placing`: it is being served. */
  state: "waiting" | "absent" | "placing" | "gone";
  /** Seats that went to smaller groups that came later. */
  overtaken: number;
}

interface Line<R> {
  readonly seats: number;
  readonly entries: Entry<R>[];
  /** It could not be served a moment ago. */
  retryAt: number;
}

/** A group that was overtaken by so many times its size holds up smaller ones that came later, for so long. */
const OVERTAKEN_LIMIT = 8;
const HOLD_MS = 3000;
/** Seats come with nodes' reports. */
const RETRY_MS = 100;
/** What is recent, where a rate is estimated. */
const RATE_MS = 20_000;

export class FilterLines<R> {
  readonly key: string;
  /** Entries, those that are in no line included. */
  size = 0;
  readonly #lines: Line<R>[] = [];
  #held: Entry<R> | undefined;
  #holdUntil = -Infinity;
  /** Seats given, the older the less they count. */
  #given = 0;
  #givenAt: number;
  readonly #since: number;

  constructor(key: string, now: number) {
    this.key = key;
    this.#givenAt = now;
    this.#since = now;
  }

  insert(entry: Entry<R>): void {
    const { entries } = this.#line(entry.player.seats);
    entries.splice(placeOf(entries, entry), 0, entry);
    entry.state = "waiting";
  }

  remove(entry: Entry<R>): void {
    if (entry.state !== "waiting") return;
    const { entries } = this.#line(entry.player.seats);
    entries.splice(placeOf(entries, entry), 1);
  }

  /** Players before the entry, by when they came. */
  ahead(entry: Entry<R>): number {
    let players = 0;
    for (const { seats, entries } of this.#lines) players += placeOf(entries, entry) * seats;
    return players;
  }

  /** Whether somebody waits who would have to be served before a newcomer of that size. */
  isTaken(seats: number, now: number): boolean {
    if (this.#held !== undefined && this.#isHeldUp(seats, Infinity, now)) return true;
    return this.#lines.some((line) => line.seats <= seats && line.entries.length > 0);
  }

  /** Who is to be tried next, if anybody can be; who is absent steps aside. */
  head(now: number): Entry<R> | undefined {
    let first: Entry<R> | undefined;
    for (const line of this.#lines) {
      if (now < line.retryAt) continue;
      const entry = presentHead(line, now);
      if (entry === undefined || (first !== undefined && comesBefore(first, entry))) continue;
      if (!this.#isHeldUp(line.seats, entry.enqueuedAt, now)) first = entry;
    }
    return first;
  }

  /** Seats were given: to somebody of the line, or to a newcomer (`enqueuedAt` Infinity). */
  gave(seats: number, enqueuedAt: number, now: number): void {
    this.#given = this.#given * Math.exp((this.#givenAt - now) / RATE_MS) + seats;
    this.#givenAt = now;
    for (const line of this.#lines) {
      const head = line.entries[0];
      if (line.seats <= seats || head === undefined || head.enqueuedAt >= enqueuedAt) continue;
      head.overtaken += seats;
      if (head.overtaken < OVERTAKEN_LIMIT * line.seats || now < this.#holdUntil) continue;
      head.overtaken = 0;
      this.#held = head;
      this.#holdUntil = now + HOLD_MS;
    }
  }

  /** There were not seats enough for one of that size: neither are there for larger ones. */
  failed(seats: number, now: number): void {
    for (const line of this.#lines) if (line.seats >= seats) line.retryAt = now + RETRY_MS;
  }

  /** Seats a second, lately; 0: none yet. */
  perSec(now: number): number {
    const given = this.#given * Math.exp((this.#givenAt - now) / RATE_MS);
    const seen = 1 - Math.exp((this.#since - now) / RATE_MS);
    return seen > 0 ? (given / (RATE_MS * seen)) * 1000 : 0;
  }

  #isHeldUp(seats: number, enqueuedAt: number, now: number): boolean {
    const held = this.#held;
    if (held === undefined || now >= this.#holdUntil || held.state !== "waiting") return false;
    return seats < held.player.seats && enqueuedAt > held.enqueuedAt;
  }

  #line(seats: number): Line<R> {
    let line = this.#lines.find((other) => other.seats === seats);
    if (line === undefined) {
      line = { seats, entries: [], retryAt: -Infinity };
      this.#lines.push(line);
    }
    return line;
  }
}

export function comesBefore<R>(a: Entry<R>, b: Entry<R>): boolean {
  return a.enqueuedAt === b.enqueuedAt ? a.order < b.order : a.enqueuedAt < b.enqueuedAt;
}

function presentHead<R>({ entries }: Line<R>, now: number): Entry<R> | undefined {
  for (let head = entries[0]; head !== undefined; head = entries[0]) {
    if (now <= head.askedAt + 2 * head.askAgainMs) return head;
    head.state = "absent";
    entries.shift();
  }
  return undefined;
}

/** Where it stands, or would stand. */
function placeOf<R>(entries: readonly Entry<R>[], entry: Entry<R>): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (comesBefore(entries[middle], entry)) low = middle + 1;
    else high = middle;
  }
  return low;
}
