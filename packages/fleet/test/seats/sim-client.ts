/** A player, or a group of them, of the simulated fleet: asks until there is an answer, goes there, plays, leaves. */
import type { SeatClaim } from "../../src/seats/seat-claim.ts";
import type { SimAnswer, SimBalancer, SimReply } from "./sim-balancer.ts";
import { PATIENCE_MS, TOKEN_MS } from "./timing.ts";
import { Process } from "./simulation.ts";
import type { FleetWorld } from "./fleet-world.ts";

const ASK_TIMEOUT_MS = 700;
const KNOCK_TIMEOUT_MS = 250;

export class SimClient extends Process {
  readonly key: string;
  readonly clientIds: readonly string[];
  /** From the first question to the first answer. */
  answeredAfterMs: number | undefined;
  /** Different answers that came, also to questions that it had given up; and without those. */
  readonly answers = new Set<string>();
  readonly answersInTime = new Set<string>();
  readonly #world: FleetWorld;
  readonly #startedAt: number;
  #balancer: SimBalancer | undefined;
  #enqueuedAt: number | undefined;

  constructor(key: string, players: number, world: FleetWorld) {
    super(`client-${key}`, world.sim);
    this.key = key;
    this.clientIds = Array.from({ length: players }, (_, i) => `${key}.${i}`);
    this.#world = world;
    this.#startedAt = world.sim.now;
    this.#ask(false);
  }

  /** Another one than before, if there is one. */
  #anyBalancer(): SimBalancer {
    const { balancers } = this.#world;
    const others = balancers.filter((balancer) => balancer !== this.#balancer);
    return (others.length > 0 ? others : balancers)[this.sim.random.int(Math.max(1, others.length))];
  }

  #ask(isRetry: boolean): void {
    if (this.answers.size > 0 || this.sim.now - this.#startedAt > PATIENCE_MS) return;
    const { key, clientIds } = this;
    const balancer = (this.#balancer ??= this.#anyBalancer());
    const request = { key, clientIds, isRetry, enqueuedAt: this.#enqueuedAt };
    this.sim.request<SimReply>(
      this,
      balancer,
      ASK_TIMEOUT_MS,
      (reply) => balancer.allocate(request, reply),
      (reply) => this.#hear(reply),
      (reply) => this.#hearLate(reply),
    );
  }

  #hear(reply: SimReply | undefined): void {
    if (reply?.kind === "answer") {
      this.answersInTime.add(nameOf(reply.claim));
      this.#hearLate(reply);
      return;
    }
    let pauseMs = 50;
    if (reply?.kind === "wait") {
      this.#enqueuedAt = reply.enqueuedAt;
      pauseMs = reply.place.askAgainMs;
    }
    if (reply?.kind !== "wait" || this.sim.random.chance(0.3)) this.#balancer = this.#anyBalancer();
    this.after(pauseMs, () => this.#ask(true));
  }

  /** Of several answers it uses the first that came. */
  #hearLate(reply: SimReply): void {
    if (reply.kind !== "answer") return;
    const { claim } = reply;
    const isFirst = this.answers.size === 0;
    this.answers.add(nameOf(claim));
    this.#world.given(claim, this.key);
    if (!isFirst) return;
    this.answeredAfterMs = this.sim.now - this.#startedAt;
    const { random } = this.sim;
    for (const { seat, clientId } of claim.seats) {
      if (random.chance(0.1)) continue;
      const pauseMs = random.chance(0.2) ? this.sim.between(300, TOKEN_MS) : this.sim.between(0, 300);
      this.after(pauseMs, () => this.#knock(seat, clientId, claim));
    }
  }

  /** Until it is let in or the token is over. */
  #knock(seat: number, clientId: string, claim: SeatClaim<SimAnswer>): void {
    const { node, expiresAt } = claim.answer;
    this.sim.request<boolean>(
      this,
      node,
      KNOCK_TIMEOUT_MS,
      (reply) => {
        if (this.sim.now > expiresAt || node.ledger.epoch !== claim.epoch) return;
        if (node.used.has(clientId)) {
          reply(true);
          return;
        }
        node.used.add(clientId);
        const isIn = node.ledger.arrive({ clientId, seat, epoch: claim.epoch }, node.now);
        node.check();
        if (!isIn || node.ledger.counts.arrivedUnexpected > 0)
          this.#world.bounced.push(`${clientId} from seat ${seat} of ${node.id}`);
        node.after(this.sim.between(200, 4000), () => node.ledger.leave(clientId));
        reply(isIn);
      },
      (isIn) => {
        if (isIn === undefined && this.sim.now < expiresAt) this.#knock(seat, clientId, claim);
      },
    );
  }
}

function nameOf({ nodeId, epoch, seats }: SeatClaim<SimAnswer>): string {
  return `${nodeId} ${epoch} ${seats.map(({ seat }) => seat).join()}`;
}
