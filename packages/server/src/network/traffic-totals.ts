/** Sums of what connections counted. Only ever made when somebody asks: packets know nothing of it. */

import { CHANNEL_COUNTERS, CONNECTION_COUNTERS } from "@riposte/protocol/channel";
import type { Channel, ChannelStats, ConnectionStats } from "@riposte/protocol/channel";

export const CHANNELS: readonly Channel[] = ["reliableOrdered", "unreliableOrdered", "unreliableUnordered"];

/** What only grows; for the meaning of each see `ConnectionStats`. */
const COUNTERS: readonly (keyof TrafficCounters)[] = [...CONNECTION_COUNTERS, "packetsLost", "spuriousLosses"];

export type TrafficCounters = Record<(typeof CONNECTION_COUNTERS)[number] | "packetsLost" | "spuriousLosses", number>;
export type ChannelCounters = Record<(typeof CHANNEL_COUNTERS)[number], number>;

export class TrafficTotals {
  readonly counters: TrafficCounters = zeros(COUNTERS);
  readonly channels: Readonly<Record<Channel, ChannelCounters>> = {
    reliableOrdered: zeros(CHANNEL_COUNTERS),
    unreliableOrdered: zeros(CHANNEL_COUNTERS),
    unreliableUnordered: zeros(CHANNEL_COUNTERS),
  };

  /** Adds one connection's. */
  add(stats: ConnectionStats): void {
    addAll(COUNTERS, this.counters, stats);
    for (const channel of CHANNELS) this.#addChannel(channel, stats.of(channel));
  }

  addTotals(other: TrafficTotals): void {
    addAll(COUNTERS, this.counters, other.counters);
    for (const channel of CHANNELS) this.#addChannel(channel, other.channels[channel]);
  }

  #addChannel(channel: Channel, stats: ChannelStats | ChannelCounters): void {
    addAll(CHANNEL_COUNTERS, this.channels[channel], stats);
  }
}

function zeros<Name extends string>(names: readonly Name[]): Record<Name, number> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>;
}

function addAll<Name extends string>(
  names: readonly Name[],
  to: Record<Name, number>,
  from: Readonly<Record<Name, number>>,
): void {
  for (const name of names) to[name] += from[name];
}
