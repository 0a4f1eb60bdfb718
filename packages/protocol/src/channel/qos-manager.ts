/**
 * Who may send first, and how much: priority, weight and rate limit of each channel. One
 * `QosSettings` holds for a server; each connection has a `QosManager` that follows it, changed or
 * not by settings of its own. All of it may change while packets flow.
 */
import type { Channel } from "./connection-options.ts";

/** Lanes are the channels by number. */
export const LANE_RELIABLE = 0;
export const LANE_ORDERED = 1;
export const LANE_UNORDERED = 2;
const LANES = 3;
const CHANNELS: readonly Channel[] = ["reliableOrdered", "unreliableOrdered", "unreliableUnordered"];

/** A channel that could have sent, but for others before it, goes first after so long: no channel waits longer for its next packet. */
const STARVATION_MS = 100;

export interface ChannelQos {
  /** 0 to 255. A channel goes before all of lower priority. Default: unreliable channels 1, reliable 0. */
  readonly priority: number;
  /** Share among channels of the same priority. Default 1. */
  readonly weight: number;
  /** Bytes of messages a second. Default: no limit. */
  readonly rateBytesPerSec: number;
  /** Bytes that may go at once after a pause. Default: a tenth of a second's worth, at least 1,200. */
  readonly burstBytes: number;
}

export type QosOverrides = Readonly<Partial<Record<Channel, Partial<ChannelQos>>>>;

export function laneOf(channel: Channel): number {
  return channel === "reliableOrdered"
    ? LANE_RELIABLE
    : channel === "unreliableOrdered"
      ? LANE_ORDERED
      : LANE_UNORDERED;
}

/** Settings of the three channels, over those of a parent or the defaults. */
export class QosSettings {
  /** For the owner: called after every change, so that it looks again at what waits. */
  onChange: (() => void) | undefined;
  readonly #parent: QosSettings | undefined;
  readonly #own: Partial<ChannelQos>[];
  #revision: number;

  constructor(overrides: QosOverrides = {}, parent?: QosSettings) {
    this.onChange = undefined;
    this.#parent = parent;
    this.#own = CHANNELS.map(() => ({}));
    this.#revision = 0;
    for (const channel of CHANNELS) this.set(channel, overrides[channel] ?? {});
  }

  /** Changes whenever any setting does. */
  get revision(): number {
    return this.#revision + (this.#parent?.revision ?? 0);
  }

  of(channel: Channel): ChannelQos {
    const own = this.#own[laneOf(channel)];
    const base = this.#parent?.of(channel) ?? defaultsOf(channel);
    const rateBytesPerSec = own.rateBytesPerSec ?? base.rateBytesPerSec;
    const burstBytes =
      own.burstBytes ?? (own.rateBytesPerSec === undefined ? base.burstBytes : defaultBurst(rateBytesPerSec));
    return { priority: own.priority ?? base.priority, weight: own.weight ?? base.weight, rateBytesPerSec, burstBytes };
  }

  /** Sets some of a channel's values; the others stay. Throws `RangeError` naming what is out of range. */
  set(channel: Channel, values: Partial<ChannelQos>): void {
    check(values);
    this.#own[laneOf(channel)] = { ...this.#own[laneOf(channel)], ...values };
    this.#revision++;
    this.onChange?.();
  }

  /** What was set here, without what the parent or the defaults say. */
  get overrides(): QosOverrides {
    return Object.fromEntries(CHANNELS.map((channel) => [channel, this.#own[laneOf(channel)]]));
  }

  /** Replaces what was set here. Throws `RangeError` as `set` does. */
  replace(overrides: QosOverrides): void {
    for (const channel of CHANNELS) {
      this.#own[laneOf(channel)] = {};
      this.set(channel, overrides[channel] ?? {});
    }
  }

  setChannelPriority(channel: Channel, priority: number): void {
    this.set(channel, { priority });
  }

  setChannelWeight(channel: Channel, weight: number): void {
    this.set(channel, { weight });
  }

  /** `Infinity`: no limit. */
  setChannelRateLimit(
    channel: Channel,
    rateBytesPerSec: number,
    burstBytes: number = defaultBurst(rateBytesPerSec),
  ): void {
    this.set(channel, { rateBytesPerSec, burstBytes });
  }

  /** Back to the parent's values, or the defaults. */
  clear(channel: Channel): void {
    this.#own[laneOf(channel)] = {};
    this.#revision++;
    this.onChange?.();
  }
}

/** The settings of one connection, over those of its server, and what they mean from packet to packet. */
export class QosManager extends QosSettings {
  #applied: number;
  readonly #priority: Uint8Array;
  readonly #weight: Float64Array;
  readonly #ratePerMs: Float64Array;
  readonly #burst: Float64Array;
  readonly #tokens: Float64Array;
  readonly #filledAt: Float64Array;
  /** Bytes sent by weight: who has least is next among equals. */
  readonly #served: Float64Array;
  /** Since when a lane could send and did not; `Infinity`: it has nothing to send, or may not. */
  readonly #waitingSince: Float64Array;

  constructor(parent?: QosSettings, overrides?: QosOverrides) {
    super(overrides, parent);
    this.#applied = -1;
    this.#priority = new Uint8Array(LANES);
    this.#weight = new Float64Array(LANES);
    this.#ratePerMs = new Float64Array(LANES);
    this.#burst = new Float64Array(LANES);
    this.#tokens = new Float64Array(LANES).fill(Infinity);
    this.#filledAt = new Float64Array(LANES);
    this.#served = new Float64Array(LANES);
    this.#waitingSince = new Float64Array(LANES).fill(Infinity);
  }

  /** The rate limit lets `bytes` of this channel pass now. What is larger than the burst needs a full bucket. */
  canSend(channel: Channel, bytes: number, now: number): boolean {
    return this.nextSendAt(laneOf(channel), bytes, now) <= now;
  }

  /** A lane has a rate limit. */
  isLimited(lane: number): boolean {
    return this.#ratePerMs[lane] !== Infinity;
  }

  /** When the rate limit lets `bytes` of this lane pass; not after `now` if at once. */
  nextSendAt(lane: number, bytes: number, now: number): number {
    this.#refresh();
    const rate = this.#ratePerMs[lane];
    if (rate === Infinity) return now;
    this.#refill(lane, now);
    const missing = Math.min(bytes, this.#burst[lane]) - this.#tokens[lane];
    return missing <= 0 ? now : now + missing / rate;
  }

  /** Which lanes (bits) could send in this packet; the others have nothing to wait for. */
  begin(lanes: number, now: number): void {
    this.#refresh();
    for (let lane = 0; lane < LANES; lane++) {
      if ((lanes & (1 << lane)) === 0) this.#waitingSince[lane] = Infinity;
      else if (this.#waitingSince[lane] === Infinity) {
        this.#waitingSince[lane] = now;
        this.#catchUp(lane, lanes);
      }
    }
  }

  /** The lane among `lanes` (bits, at least one) that sends next. */
  next(lanes: number, now: number): number {
    let best = -1;
    let longest = -1;
    for (let lane = 0; lane < LANES; lane++) {
      if ((lanes & (1 << lane)) === 0) continue;
      if (now - this.#waitingSince[lane] >= STARVATION_MS) {
        if (longest < 0 || this.#waitingSince[lane] < this.#waitingSince[longest]) longest = lane;
      }
      if (best < 0 || this.#goesBefore(lane, best)) best = lane;
    }
    return longest < 0 ? best : longest;
  }

  onSent(lane: number, bytes: number, now: number): void {
    this.#served[lane] += bytes / this.#weight[lane];
    this.#waitingSince[lane] = now;
    if (this.#ratePerMs[lane] === Infinity) return;
    this.#refill(lane, now);
    this.#tokens[lane] -= bytes;
  }

  #goesBefore(lane: number, other: number): boolean {
    if (this.#priority[lane] !== this.#priority[other]) return this.#priority[lane] > this.#priority[other];
    return this.#served[lane] < this.#served[other];
  }

  /** A lane that was silent must not make up for it: it starts level with the others of its priority. */
  #catchUp(lane: number, lanes: number): void {
    let least = Infinity;
    for (let other = 0; other < LANES; other++) {
      if (other === lane || (lanes & (1 << other)) === 0 || this.#priority[other] !== this.#priority[lane]) continue;
      if (this.#served[other] < least) least = this.#served[other];
    }
    if (least !== Infinity && this.#served[lane] < least) this.#served[lane] = least;
  }

  #refill(lane: number, now: number): void {
    const elapsed = now - this.#filledAt[lane];
    if (elapsed > 0) {
      this.#filledAt[lane] = now;
      this.#tokens[lane] += elapsed * this.#ratePerMs[lane];
    }
    if (this.#tokens[lane] > this.#burst[lane]) this.#tokens[lane] = this.#burst[lane];
  }

  #refresh(): void {
    const { revision } = this;
    if (revision === this.#applied) return;
    this.#applied = revision;
    for (let lane = 0; lane < LANES; lane++) {
      const { priority, weight, rateBytesPerSec, burstBytes } = this.of(CHANNELS[lane]);
      this.#priority[lane] = priority;
      this.#weight[lane] = weight;
      this.#ratePerMs[lane] = rateBytesPerSec / 1000;
      this.#burst[lane] = burstBytes;
    }
  }
}

function defaultsOf(channel: Channel): ChannelQos {
  const priority = channel === "reliableOrdered" ? 0 : 1;
  return { priority, weight: 1, rateBytesPerSec: Infinity, burstBytes: Infinity };
}

function defaultBurst(rateBytesPerSec: number): number {
  return Math.max(rateBytesPerSec / 10, 1200);
}

function check({ priority, weight, rateBytesPerSec, burstBytes }: Partial<ChannelQos>): void {
  if (priority !== undefined && !(Number.isInteger(priority) && priority >= 0 && priority <= 255)) {
    throw new RangeError(`priority must be an integer from 0 to 255, got ${priority}`);
  }
  if (weight !== undefined && !(weight > 0 && weight < Infinity)) {
    throw new RangeError(`weight must be above 0 and finite, got ${weight}`);
  }
  if (rateBytesPerSec !== undefined && !(rateBytesPerSec > 0)) {
    throw new RangeError(`rateBytesPerSec must be above 0, got ${rateBytesPerSec}`);
  }
  if (burstBytes !== undefined && !(burstBytes > 0)) {
    throw new RangeError(`burstBytes must be above 0, got ${burstBytes}`);
  }
}
