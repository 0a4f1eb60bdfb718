/** What a server's connection would measure of the links of a `TestNetwork`, and tells its match (RFC 9002 section 5). */
import type { AnyGame, MeasuredLink } from "@riposte/simulation";
import { TickRandom } from "../src/game/random.ts";
import type { LinkConditions, Player, TestNetwork } from "./link.ts";

/** What a client's transport does to acknowledgements. */
export interface AckTampering {
  /** Milliseconds that it holds back the acknowledgement of a packet that arrives at `now`. */
  readonly delayMs?: (now: number) => number;
  /** Whether it says nothing of a packet that arrives at `now`. */
  readonly conceals?: (now: number) => boolean;
}

/** Over about 128 packets and 32 runs of losses; the first weigh as in a plain average. */
class LossMeter {
  rate = 0;
  meanRun = 1;
  #packets = 0;
  #runs = 0;
  #run = 0;

  note(isLost: boolean): void {
    this.rate += (Number(isLost) - this.rate) / Math.min(128, ++this.#packets);
    if (isLost) this.#run++;
    else if (this.#run > 0) {
      this.meanRun += (this.#run - this.meanRun) / Math.min(32, ++this.#runs);
      this.#run = 0;
    }
  }
}

class LinkMeter implements MeasuredLink {
  tampering: AckTampering = {};
  rttMs = 0;
  latestRttMs = 0;
  jitterMs = 0;
  readonly #down = new LossMeter();
  readonly #up = new LossMeter();
  #samples: { at: number; rttMs: number }[] = [];
  readonly #random = new TickRandom();

  constructor(seed: number) {
    this.#random.reseed(seed, 77);
  }

  get lossRate(): number {
    return this.#down.rate;
  }

  get receiveLossRate(): number {
    return this.#up.rate;
  }

  get meanBurstPackets(): number {
    return this.#down.meanRun;
  }

  /** A packet to the client leaves at `now` and arrives at `arrivesAt`. */
  noteDown(now: number, arrivesAt: number, { latencyMs, jitterMs = 0 }: LinkConditions): void {
    const isLost = arrivesAt === Infinity || this.tampering.conceals?.(arrivesAt) === true;
    this.#down.note(isLost);
    if (!isLost) {
      // Nothing arrives before it is sent, however large the jitter.
      const back = Math.max(0, latencyMs / 2 + (this.#random.next() * 2 - 1) * jitterMs);
      const at = Math.max(now, arrivesAt) + (this.tampering.delayMs?.(arrivesAt) ?? 0) + back;
      this.#samples.push({ at, rttMs: at - now });
    }
    for (const sample of this.#samples) if (sample.at <= now) this.#update(sample.rttMs);
    this.#samples = this.#samples.filter(({ at }) => at > now);
  }

  noteUp(arrivesAt: number): void {
    this.#up.note(arrivesAt === Infinity);
  }

  #update(rttMs: number): void {
    this.latestRttMs = rttMs;
    if (this.rttMs === 0) {
      this.rttMs = rttMs;
      this.jitterMs = rttMs / 2;
      return;
    }
    this.jitterMs += (Math.abs(this.rttMs - rttMs) - this.jitterMs) / 4;
    this.rttMs += (rttMs - this.rttMs) / 8;
  }
}

/** Measures all links of a network, for its match; what it returns gives the meter of a player's. */
export function meterLinks<G extends AnyGame>(network: TestNetwork<G>): (player: Player<G>) => LinkMeter {
  const meters = new Map<Player<G>, LinkMeter>();
  const meterOf = (player: Player<G>): LinkMeter => {
    let meter = meters.get(player);
    if (meter === undefined) meters.set(player, (meter = new LinkMeter(Number(player.clientId))));
    return meter;
  };
  network.onPacket = (player, way, arrivesAt) => {
    const meter = meterOf(player);
    if (way === "up") return meter.noteUp(arrivesAt);
    meter.noteDown(network.now, arrivesAt, player.conditions);
    network.match.updateLink(player.seat, meter);
  };
  return meterOf;
}
