/**
 * The other balancers, as this one meets them: who is alive, by gossip in both directions a few times a second; claims and
 * requests to them; and its own entry in the store, by which others and those that start later find it.
 */
import type { Allocation, AllocateReply, AllocateRequest } from "../http/balancer-api.ts";
import type { FleetMetrics } from "../metrics/fleet-metrics.ts";
import type { ClaimMessage, ClaimReply } from "../seats/seat-claim.ts";
import type { StateStore, StoreEvent } from "../store/state-store.ts";
import type { PeerLink } from "./peer-link.ts";
import type { Echo, Gossip, Peer } from "./peer-set.ts";
import { PeerSet } from "./peer-set.ts";

export interface BalancerPeersOptions {
  readonly self: string;
  /** Where the others reach this one. */
  readonly url: string;
  /** Of this run of the balancer. */
  readonly epoch: number;
  readonly link: PeerLink;
  readonly store: StateStore;
  /** Addresses of others, besides those that the store knows. */
  readonly addresses: readonly string[];
  /** What to tell the others. */
  readonly news: (now: number) => PeerNews;
  readonly onGossip: (gossip: Gossip) => void;
  /** Of those that are alive, these have not answered since they were heard last: no player is to wait for them. */
  readonly onSlow: (ids: readonly string[]) => void;
  readonly log: (line: string) => void;
  readonly metrics?: Pick<FleetMetrics, "noteClaim">;
}

export type PeerNews = Omit<Gossip, "from" | "url" | "epoch" | "sequence" | "sentAt">;

/** A claim as it is sent. */
export interface SentClaim<A> extends ClaimMessage<A> {
  readonly echo: Echo;
}

const GOSSIP_EVERY_MS = 250;
const GOSSIP_TIMEOUT_MS = 1000;
const MEMBER_LEASE_MS = 5000;
const CLAIM_TIMEOUT_MS = 200;
const FIND_TIMEOUT_MS = 150;
const FORWARD_TIMEOUT_MS = 800;
/** It is said again so often that there is another one of the same name. */
const NAMESAKE_EVERY_MS = 10_000;
/** Beyond, addresses that others name are not asked. */
const MAX_ADDRESSES = 64;

export class BalancerPeers<A> {
  readonly #options: BalancerPeersOptions;
  readonly #set: PeerSet;
  /** All that are asked whether they live. */
  readonly #addresses: Set<string> = new Set();
  /** By the key of its entry in the store. */
  readonly #listed: Map<string, string> = new Map();
  readonly #gossiping: Set<string> = new Set();
  readonly #stopWatching: () => void;
  #sequence = 0;
  #gossipDueAt = 0;
  #memberDueAt = 0;
  #namesakeDueAt = -Infinity;

  constructor(options: BalancerPeersOptions) {
    this.#options = options;
    this.#set = new PeerSet(options.self);
    for (const url of options.addresses) this.#add(url);
    this.#stopWatching = options.store.watch(PREFIX, (event) => this.#noteListed(event));
  }

  live(now: number): readonly Peer[] {
    return this.#set.live(now);
  }

  /** Whether any of them can be asked now. */
  hasAny(now: number): boolean {
    const slow = this.#set.slowIds;
    return this.live(now).some(({ id }) => !slow.includes(id));
  }

  /** Ids of all that are alive as of the last `update`, this one included, in order. */
  get liveIds(): readonly string[] {
    return this.#set.liveIds;
  }

  /** Who has come and who has gone since the last call. */
  update(now: number): { readonly came: readonly string[]; readonly went: readonly string[] } {
    return this.#set.update(now);
  }

  /** Says what is due. */
  tick(now: number): void {
    if (now >= this.#gossipDueAt) {
      this.#gossipDueAt = now + GOSSIP_EVERY_MS;
      for (const url of this.#addresses) void this.#gossipTo(url);
    }
    if (now < this.#memberDueAt) return;
    this.#memberDueAt = now + MEMBER_LEASE_MS / 3;
    const { self, url, store } = this.#options;
    store.put(`${PREFIX}${self}`, url, { leaseMs: MEMBER_LEASE_MS }).catch(() => undefined);
  }

  /** What another one has said; the answer. */
  answer(gossip: Gossip, now: number): Gossip {
    this.#hear(gossip, now);
    return this.#gossip();
  }

  /** Has another balancer take the claim. Rejects when that does not answer in time. */
  async askClaim(peer: string, claim: ClaimMessage<A>): Promise<ClaimReply<A>> {
    const { link, metrics } = this.#options;
    const known = this.#set.get(peer);
    const sentAt = performance.now();
    if (known === undefined) throw new Error(`balancer ${peer} is not known`);
    const { epoch, sentAt: heardOf } = known.gossip;
    const sent: SentClaim<A> = { ...claim, echo: { epoch, sentAt: heardOf } };
    try {
      const reply = (await link.claim(known.url, sent, CLAIM_TIMEOUT_MS)) as ClaimReply<A>;
      metrics?.noteClaim(RESULTS[reply.kind]);
      return reply;
    } catch (error) {
      metrics?.noteClaim("failed");
      return this.#noteFailure(peer, sentAt, error);
    }
  }

  /** How long a message with that echo was under way at most. */
  ageOf({ epoch, sentAt }: Echo, now: number): number {
    return epoch === this.#options.epoch ? now - sentAt : Infinity;
  }

  /** The answer that any of the others knows for a key: of who answers first that it knows one. Never rejects. */
  async find(key: string, now: number): Promise<ClaimMessage<A> | undefined> {
    const slow = this.#set.slowIds;
    const able = this.live(now).filter(({ id }) => !slow.includes(id));
    const asked = able.map(async ({ id, url }) => {
      const sentAt = performance.now();
      const sent = this.#options.link.claim(url, { find: key }, FIND_TIMEOUT_MS);
      const reply = (await sent.catch((error: unknown) => this.#noteFailure(id, sentAt, error))) as FindReply<A>;
      if (reply.claim === null) throw new Error("not known there");
      return reply.claim;
    });
    return Promise.any(asked).catch(() => undefined);
  }

  /** Asks the balancer that has most free seats to answer, from its own. */
  async forward(request: AllocateRequest, ip: string, now: number): Promise<Allocation | undefined> {
    let best: Peer | undefined;
    for (const peer of this.live(now)) if (freeSeats(peer) > (best === undefined ? 0 : freeSeats(best))) best = peer;
    if (best === undefined) return undefined;
    const asked = this.#options.link.post(best.url, "allocate", { request, ip }, FORWARD_TIMEOUT_MS);
    const reply = (await asked.catch(() => undefined)) as AllocateReply | undefined;
    return reply?.status === "allocated" ? reply : undefined;
  }

  /** Takes its own entry out of the store. */
  async leave(): Promise<void> {
    const { store, self } = this.#options;
    await store.delete(`${PREFIX}${self}`).catch(() => false);
    this.#stopWatching();
  }

  /** Nobody is to wait for it again. Throws the error. */
  #noteFailure(peer: string, sentAt: number, error: unknown): never {
    if (error instanceof Error && "code" in error && error.code === "ECONNREFUSED") this.#set.noteRefused(peer);
    else this.#set.noteUnanswered(peer, sentAt);
    this.#options.onSlow(this.#set.slowIds);
    throw error;
  }

  #noteListed(event: StoreEvent): void {
    const key = "put" in event ? event.put.key : event.deleted;
    const before = this.#listed.get(key);
    if ("put" in event) {
      this.#listed.set(key, event.put.value);
      this.#add(event.put.value);
    } else this.#listed.delete(key);
    // Who is alive without an entry, as while the store is away, is asked on.
    const isAlive = this.live(performance.now()).some(({ url }) => url === before);
    if (before === undefined || isAlive || this.#options.addresses.includes(before)) return;
    if (!Array.from(this.#listed.values()).includes(before)) this.#addresses.delete(before);
  }

  #add(url: string): void {
    if (url !== this.#options.url && this.#addresses.size < MAX_ADDRESSES) this.#addresses.add(url);
  }

  async #gossipTo(url: string): Promise<void> {
    if (this.#gossiping.has(url)) return;
    this.#gossiping.add(url);
    try {
      const reply = await this.#options.link.post(url, "gossip", this.#gossip(), GOSSIP_TIMEOUT_MS);
      this.#hear(reply as Gossip, performance.now());
    } catch {
      // Its silence says enough.
    } finally {
      this.#gossiping.delete(url);
    }
  }

  #hear(gossip: Gossip, now: number): void {
    const { self, epoch, log } = this.#options;
    if (gossip.from === self && gossip.epoch !== epoch && now >= this.#namesakeDueAt) {
      this.#namesakeDueAt = now + NAMESAKE_EVERY_MS;
      log(
        `the balancer at ${gossip.url} is called "${self}" as well: give each an id of its own, or each believes itself alone`,
      );
    }
    if (!this.#set.note(gossip, now)) return;
    this.#add(gossip.url);
    this.#options.onSlow(this.#set.slowIds);
    this.#options.onGossip(gossip);
  }

  #gossip(): Gossip {
    const { self, url, epoch, news } = this.#options;
    const now = performance.now();
    return { from: self, url, epoch, sequence: ++this.#sequence, sentAt: now, ...news(now) };
  }
}

/** Goes together with claims, so that many that are asked again cost few messages. */
export interface FindMessage {
  readonly find: string;
}

/** Of `find`, as it is sent. */
export interface FindReply<A> {
  readonly claim: ClaimMessage<A> | null;
}

const PREFIX = "balancers/";
const RESULTS = { stored: "stored", exists: "existing", pending: "failed", busy: "failed" } as const;

function freeSeats({ gossip }: Peer): number {
  return gossip.counters.freeSeats;
}
