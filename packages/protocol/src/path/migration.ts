/** What `ConnectionMigrator` keeps of a connection that moves, and of each path it looks at. */

/** As the customer's document names them: nothing under way, our own wish, the peer's, done. */
export type MigrationState = "none" | "inProgress" | "validating" | "done";

/** New paths of one connection that are looked at: so many at once, then one in so much time. */
const BURST_PATHS = 6;
const PATH_INTERVAL_MS = 2_000;

type CandidateState = "validating" | "validated";

/** A path that a connection does not use, and may come to use. */
export class Candidate {
  readonly path: number;
  readonly challenge: Uint8Array;
  state: CandidateState = "validating";
  /** Our own wish: moved to as soon as it is validated. */
  ours = false;
  receivedBytes = 0;
  sentBytes = 0;
  challengesSent = 0;
  /** When the challenge goes again, or a validated path is forgotten. */
  dueAt: number;
  response: Uint8Array | undefined = undefined;

  constructor(path: number, challenge: Uint8Array, now: number) {
    this.path = path;
    this.challenge = challenge;
    this.dueAt = now;
  }
}

/** One connection with anything going on. */
export class Migration {
  current: number;
  /** Where the newest packet came from that was more than a probe. */
  wanted: number;
  state: MigrationState = "none";
  readonly candidates: Candidate[] = [];
  /** A challenge on the path in use: to answer the peer's, or to give it a chance to object to a move. */
  response: Uint8Array | undefined = undefined;
  checkCurrent: Uint8Array | undefined = undefined;
  #tokens: number = BURST_PATHS;
  #filledAt: number;

  constructor(current: number, now: number) {
    this.current = current;
    this.wanted = current;
    this.#filledAt = now;
  }

  /** Whether one more new path may be looked at; it is counted. */
  takeToken(now: number): boolean {
    this.#refill(now);
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /** When something is due: a challenge, a path to forget, or the whole entry. */
  dueAt(now: number): number {
    this.#refill(now);
    let at = this.isIdle ? now + (BURST_PATHS - this.#tokens) * PATH_INTERVAL_MS : Infinity;
    for (const candidate of this.candidates) if (candidate.dueAt < at) at = candidate.dueAt;
    return at;
  }

  get isIdle(): boolean {
    return this.candidates.length === 0 && this.response === undefined && this.checkCurrent === undefined;
  }

  #refill(now: number): void {
    this.#tokens = Math.min(BURST_PATHS, this.#tokens + (now - this.#filledAt) / PATH_INTERVAL_MS);
    this.#filledAt = now;
  }

  find(path: number): Candidate | undefined {
    return this.candidates.find((candidate) => candidate.path === path);
  }
}
