/** Which other balancers there are, which of them are alive, and what each said last. */
import type { HealthVote } from "../health/health-book.ts";

/** What a balancer posts to every other a few times a second, and answers such a post with. */
export interface Gossip {
  readonly from: string;
  /** Where the others reach it. */
  readonly url: string;
  /** Of this run of the balancer: one that starts anew has a larger one. */
  readonly epoch: number;
  /** Goes up with each message of a run. */
  readonly sequence: number;
  /** When it was sent, by the sender's clock: only the sender understands it, when it comes back in an `Echo`. */
  readonly sentAt: number;
  readonly vote: HealthVote;
  readonly counters: PeerCounters;
  readonly configVersion: number;
}

/** Of the newest gossip that was heard of whom a message is for: the message was sent after that one. */
export interface Echo {
  readonly epoch: number;
  readonly sentAt: number;
}

export interface PeerCounters {
  /** Players, or groups, who wait there. */
  readonly waiting: number;
  /** Seats that nodes have lent to it and that it can give away now. */
  readonly freeSeats: number;
  /** Players sent to nodes since it started. */
  readonly placements: number;
  readonly nodesHeard: number;
  readonly nodes: number;
}

export interface Peer {
  readonly id: string;
  readonly url: string;
  readonly gossip: Gossip;
  readonly heardAt: number;
  /** When the last message was sent to it that it did not answer in time. */
  readonly unansweredAt: number;
}

/** A balancer that has said nothing for so long is taken for dead: two or three messages may be lost. */
const LIVE_FOR_MS = 1000;
const FORGOTTEN_AFTER_MS = 60_000;

export class PeerSet {
  readonly #self: string;
  readonly #peers: Map<string, Peer> = new Map();
  #liveIds: readonly string[];

  constructor(self: string) {
    this.#self = self;
    this.#liveIds = [self];
  }

  /** Hears of a message. False when it is older than what was heard, or one's own. */
  note(gossip: Gossip, now: number): boolean {
    if (gossip.from === this.#self) return false;
    const last = this.#peers.get(gossip.from);
    if (last !== undefined) {
      const { epoch, sequence } = last.gossip;
      if (gossip.epoch === epoch && gossip.sequence <= sequence) return false;
      // A late message of an earlier run; or a new run after the clock was set back, once the last one is silent.
      if (gossip.epoch < epoch && now - last.heardAt <= LIVE_FOR_MS) return false;
    }
    const { from: id, url } = gossip;
    this.#peers.set(id, { id, url, gossip, heardAt: now, unansweredAt: last?.unansweredAt ?? -Infinity });
    return true;
  }

  /** A connection to it was refused: it is dead before its silence says so. */
  noteRefused(id: string): void {
    const peer = this.#peers.get(id);
    if (peer !== undefined) this.#peers.set(id, { ...peer, heardAt: -Infinity });
  }

  /** It did not answer what was sent to it at `sentAt`: it is *slow* until it is heard again. */
  noteUnanswered(id: string, sentAt: number): void {
    const peer = this.#peers.get(id);
    if (peer !== undefined) this.#peers.set(id, { ...peer, unansweredAt: Math.max(peer.unansweredAt, sentAt) });
  }

  /** Those that may be alive, but are of no use to a player who waits: one that is stopped is known by this before its silence is long. */
  get slowIds(): string[] {
    return Array.from(this.#peers.values())
      .filter(({ heardAt, unansweredAt }) => unansweredAt >= heardAt)
      .map(({ id }) => id);
  }

  /** Draws the conclusions: who has come and who has gone since the last call. */
  update(now: number): { readonly came: readonly string[]; readonly went: readonly string[] } {
    for (const { id, heardAt } of this.#peers.values()) if (now - heardAt > FORGOTTEN_AFTER_MS) this.#peers.delete(id);
    const before = this.#liveIds;
    this.#liveIds = [this.#self, ...this.live(now).map(({ id }) => id)].sort();
    return {
      came: this.#liveIds.filter((id) => !before.includes(id)),
      went: before.filter((id) => !this.#liveIds.includes(id)),
    };
  }

  live(now: number): readonly Peer[] {
    return [...this.#peers.values()].filter(({ heardAt }) => now - heardAt <= LIVE_FOR_MS);
  }

  get(id: string): Peer | undefined {
    return this.#peers.get(id);
  }

  /** Ids of all that are alive as of the last `update`, this one included, in order. */
  get liveIds(): readonly string[] {
    return this.#liveIds;
  }
}
