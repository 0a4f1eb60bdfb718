/** A balancer of the simulated fleet: what the real one does around the seat pool, the claim book and the queue. */
import type { QueueConfig } from "../../src/config/load-balancer-config.ts";
import { WaitingQueue } from "../../src/queue/waiting-queue.ts";
import type { QueuePlace } from "../../src/queue/waiting-queue.ts";
import { ClaimBook } from "../../src/seats/claim-book.ts";
import { CLAIM_MS, LEASE_MS } from "../../src/seats/exchange.ts";
import type { SeatAnswer, SeatReport } from "../../src/seats/exchange.ts";
import type { PendingClaim } from "../../src/seats/pending-claim.ts";
import type { ClaimMessage, ClaimReply, SeatClaim } from "../../src/seats/seat-claim.ts";
import { SeatPool } from "../../src/seats/seat-pool.ts";
import type { TakenSeats } from "../../src/seats/seat-pool.ts";
import type { SimNode } from "./sim-node.ts";
import { Process } from "./simulation.ts";
import type { Simulation } from "./simulation.ts";
import {
  CLAIM_TIMEOUT_MS,
  HEARTBEAT_MS,
  PEER_TIMEOUT_MS,
  QUEUE_PATIENCE_MS,
  REMEMBER_MS,
  TOKEN_MS,
  TTL_MS,
} from "./timing.ts";

export interface SimAnswer {
  readonly node: SimNode;
  /** Until when the token is good, in the simulation's time. */
  readonly expiresAt: number;
}

interface Echo {
  readonly incarnation: number;
  readonly sentAt: number;
}

export interface SimRequest {
  readonly key: string;
  readonly clientIds: readonly string[];
  readonly isRetry: boolean;
  readonly enqueuedAt: number | undefined;
}

export type SimReply =
  | { readonly kind: "answer"; readonly claim: SeatClaim<SimAnswer> }
  | { readonly kind: "wait"; readonly place: QueuePlace; readonly enqueuedAt: number }
  | { readonly kind: "again" };

type Respond = (reply: SimReply) => void;

const queueConfig: QueueConfig = { maxWaiting: 1000, admissionsPerSec: Infinity, patienceMs: QUEUE_PATIENCE_MS };

export class SimBalancer extends Process {
  pool!: SeatPool;
  book!: ClaimBook<SimAnswer>;
  queue!: WaitingQueue<SimRequest>;
  peers: readonly SimBalancer[] = [];
  nodes: readonly SimNode[] = [];
  #heardAt = new Map<SimBalancer, number>();
  #epochs = new Map<string, number>();
  /** By peer: when it sent the newest of its heartbeats that came, by its own clock. */
  #echoes = new Map<SimBalancer, Echo>();
  #waitingAt = new Map<SimBalancer, number>();
  #responds = new Map<string, Respond[]>();
  #working = new Map<string, () => void>();

  constructor(index: number, sim: Simulation) {
    super(`balancer-${index}`, sim);
  }

  start(peers: readonly SimBalancer[], nodes: readonly SimNode[]): void {
    this.peers = peers;
    this.nodes = nodes;
    this.pool = new SeatPool({ firstSession: 1 + this.sim.random.uint32() });
    this.book = new ClaimBook({ self: this.id, rememberMs: REMEMBER_MS });
    this.queue = new WaitingQueue(queueConfig, this.sim.random, this.now);
    for (const map of [this.#heardAt, this.#epochs, this.#echoes, this.#waitingAt, this.#responds, this.#working])
      map.clear();
    this.#heartbeat();
    this.every(HEARTBEAT_MS, () => this.#heartbeat());
    this.every(50, () => {
      this.#advance();
      this.#serveQueue();
    });
  }

  exchange(node: SimNode, report: SeatReport): SeatAnswer {
    this.pool.receive(node.index, report);
    this.#advance();
    this.#serveQueue();
    return this.pool.answer(node.index, this.now);
  }

  /** A player's request; `respond` may be called later. */
  allocate(request: SimRequest, respond: Respond): void {
    const { key } = request;
    if (this.#respondKnown(key, respond)) return;
    if (!request.isRetry || this.book.live.size === 0) {
      this.#place(request, respond);
      return;
    }
    let left = 0;
    for (const peer of this.peers) {
      if (!this.book.live.has(peer.id)) continue;
      left++;
      this.sim.request<SeatClaim<SimAnswer> | undefined>(
        this,
        peer,
        CLAIM_TIMEOUT_MS,
        (reply) => {
          const claim = peer.book.find(key, peer.now);
          reply(claim === undefined ? undefined : { ...claim, until: this.now + claim.until - peer.now });
        },
        (claim) => {
          left--;
          if (left < 0) return;
          if (claim !== undefined) {
            left = 0;
            respond({ kind: "answer", claim });
          } else if (left === 0 && !this.#respondKnown(key, respond)) this.#place(request, respond);
        },
      );
    }
  }

  #respondKnown(key: string, respond: Respond): boolean {
    const known = this.book.find(key, this.now);
    if (known !== undefined) respond({ kind: "answer", claim: known });
    else if (this.book.pending(key) !== undefined) this.#responds.get(key)?.push(respond);
    else return false;
    return true;
  }

  #place(request: SimRequest, respond: Respond): void {
    const { key, clientIds } = request;
    const seats = clientIds.length;
    if (request.enqueuedAt === undefined && this.queue.mayPass("", seats, this.now)) {
      if (this.#take(request, respond)) {
        this.queue.passed("", seats, this.now);
        return;
      }
    }
    const enqueuedAt = request.enqueuedAt ?? this.sim.now;
    const waiting = { key, filterKey: "", seats, request };
    const place = this.queue.ask(waiting, enqueuedAt, request.enqueuedAt !== undefined, this.now);
    respond(place === undefined ? { kind: "again" } : { kind: "wait", place, enqueuedAt });
  }

  #serveQueue(): void {
    for (let player = this.queue.next(this.now); player !== undefined; player = this.queue.next(this.now)) {
      const { key, request } = player;
      const isKnown = this.book.find(key, this.now) !== undefined || this.book.pending(key) !== undefined;
      if (isKnown || this.#take(request, undefined)) this.queue.placed(key, this.now);
      else this.queue.unplaced(key, this.now);
    }
  }

  /** On the node with most seats of two. */
  #take(request: SimRequest, respond: Respond | undefined): boolean {
    const { key, clientIds } = request;
    const { random } = this.sim;
    const [a, b] = [random.int(this.nodes.length), random.int(this.nodes.length)];
    const byChance = this.pool.seatsOf(a, this.now) >= this.pool.seatsOf(b, this.now) ? a : b;
    const candidates = [byChance, ...this.nodes.keys()];
    const index = candidates.find((i) => this.pool.seatsOf(i, this.now) >= clientIds.length);
    if (index === undefined) {
      this.pool.need(byChance, clientIds.length, this.now);
      return false;
    }
    const taken = this.pool.take(index, { key, clientIds, ttlMs: TTL_MS }, this.now);
    if (taken === undefined) return false;
    const node = this.nodes[index];
    const { epoch, seats, until } = taken;
    node.checkGiven(epoch, LEASE_MS);
    const answer = { node, expiresAt: this.sim.now + TOKEN_MS };
    const claim = { key, by: this.id, nodeId: node.id, epoch, seats, until, answer };
    this.#responds.set(key, respond === undefined ? [] : [respond]);
    this.#work(taken, this.book.begin(claim, taken.answerBy));
    return true;
  }

  #work(taken: TakenSeats, pending: PendingClaim<SimAnswer>): void {
    const { claim } = pending;
    const { key } = claim;
    let isDone = false;
    const advance = (): void => {
      if (isDone) return;
      const step = pending.step(this.pool.isKept(taken), this.now);
      if (step.kind === "ask") {
        this.#ask(step.peer, pending, advance);
        return;
      }
      this.#working.set(key, advance);
      if (step.kind === "wait") return;
      this.#working.delete(key);
      isDone = true;
      const { use, giveBack } = step.outcome;
      if (giveBack) this.pool.giveBack(taken);
      if (use === claim) claim.answer.node.checkGiven(claim.epoch, LEASE_MS + CLAIM_MS);
      const responds = this.#responds.get(key) ?? [];
      this.#responds.delete(key);
      for (const respond of responds) respond(use === undefined ? { kind: "again" } : { kind: "answer", claim: use });
    };
    advance();
  }

  #ask(peerId: string, pending: PendingClaim<SimAnswer>, advance: () => void): void {
    const peer = this.peers.find(({ id }) => id === peerId)!;
    const message = this.book.toMessage(pending.claim, this.now);
    const echo = this.#echoes.get(peer);
    this.sim.request<ClaimReply<SimAnswer>>(
      this,
      peer,
      CLAIM_TIMEOUT_MS,
      (reply) => reply(peer.receiveClaim(message, this.id, echo)),
      (reply) => {
        if (reply === undefined) pending.unanswered(peerId);
        else pending.replied(peerId, reply, this.now);
        advance();
      },
      (reply) => {
        pending.replied(peerId, reply, this.now);
        this.#working.get(pending.claim.key)?.();
      },
    );
    this.#working.set(pending.claim.key, advance);
  }

  receiveClaim(message: ClaimMessage<SimAnswer>, from: string, echo: Echo | undefined): ClaimReply<SimAnswer> {
    const ageMs = echo?.incarnation === this.incarnation ? this.now - echo.sentAt : Infinity;
    const hold = (claim: SeatClaim<SimAnswer>): boolean => this.pool.hold(claim.answer.node.index, claim, this.now);
    return this.book.receive(message, { from, ageMs, hold, now: this.now });
  }

  /** Claims that wait for a node's word, or for time. */
  #advance(): void {
    for (const advance of Array.from(this.#working.values())) advance();
  }

  #heartbeat(): void {
    const { waiting } = this.queue;
    const { incarnation, now: sentAt } = this;
    for (const peer of this.peers) {
      this.sim.send(this, peer, () => {
        const last = peer.#echoes.get(this);
        if (last?.incarnation !== incarnation || last.sentAt < sentAt) peer.#echoes.set(this, { incarnation, sentAt });
        peer.#heardAt.set(this, peer.now);
        peer.#epochs.set(this.id, incarnation);
        peer.#waitingAt.set(this, waiting);
      });
    }
    const live = new Map<string, number>();
    let waitingElsewhere = 0;
    for (const [peer, at] of this.#heardAt) {
      if (this.now - at > PEER_TIMEOUT_MS) continue;
      live.set(peer.id, this.#epochs.get(peer.id) ?? 0);
      waitingElsewhere += this.#waitingAt.get(peer) ?? 0;
    }
    this.book.setLive(live);
    this.pool.setAlone(live.size === 0);
    this.pool.setWaiting(waiting, waitingElsewhere);
    this.book.sweep(this.now);
    for (const { peer: peerId, claim } of this.book.toCopy(100, this.now)) {
      const peer = this.peers.find(({ id }) => id === peerId)!;
      this.sim.request<ClaimReply<SimAnswer>>(
        this,
        peer,
        CLAIM_TIMEOUT_MS,
        (reply) => reply(peer.receiveClaim(claim, this.id, undefined)),
        (reply) => {
          if (reply === undefined) this.book.copyFailed(claim.key);
        },
      );
    }
  }
}
