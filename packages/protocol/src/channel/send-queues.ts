import { checkMessage } from "./checks.ts";
import type { Channel, ConnectionLimits, SendOptions, SendResult } from "./connection-options.ts";
import type { ConnectionStats } from "./connection-stats.ts";
import { LANE_ORDERED, laneOf } from "./qos-manager.ts";
import type { ReliableStreams } from "./reliable-streams.ts";
import { UnreliableQueue } from "./unreliable-queue.ts";

/** After `full`, room is announced when this share of the reliable queue is used, at most. */
const DRAINED_SHARE = 0.5;

/** What a connection's three channels hold until it is sent. */
export class SendQueues {
  readonly ordered: UnreliableQueue;
  readonly unordered: UnreliableQueue;
  readonly #reliable: ReliableStreams;
  readonly #limits: ConnectionLimits;
  readonly #stats: ConnectionStats;
  #wasFull: boolean;

  constructor(reliable: ReliableStreams, limits: ConnectionLimits, stats: ConnectionStats) {
    this.ordered = new UnreliableQueue(true, limits.unreliableSendBytes);
    this.unordered = new UnreliableQueue(false, limits.unreliableSendBytes);
    this.#reliable = reliable;
    this.#limits = limits;
    this.#stats = stats;
    this.#wasFull = false;
  }

  /** Nothing waits for being sent or acknowledged. */
  get isEmpty(): boolean {
    return this.#reliable.queuedBytes === 0 && this.ordered.count === 0 && this.unordered.count === 0;
  }

  /** Throws `RangeError` for what no queue of this channel ever takes. */
  check(channel: Channel, length: number, options: SendOptions | undefined): void {
    checkMessage(this.#limits, channel, length, options);
  }

  /** Copies a message in. */
  push(channel: Channel, buffer: Uint8Array, offset: number, length: number, options?: SendOptions): SendResult {
    const lane = laneOf(channel);
    const stats = this.#stats.channels[lane];
    if (channel === "reliableOrdered") {
      if (!this.#reliable.write(options?.stream ?? 0, buffer, offset, length)) {
        stats.sendsRefused++;
        this.#wasFull = true;
        return "full";
      }
      stats.queuedBytes = this.#reliable.queuedBytes;
    } else {
      const queue = lane === LANE_ORDERED ? this.ordered : this.unordered;
      stats.droppedFull += queue.push(buffer, offset, length, options?.deadlineMs ?? this.#limits.unreliableMaxAgeMs);
      stats.queuedBytes = queue.queuedBytes;
    }
    stats.messagesSent++;
    stats.bytesSent += length;
    return "queued";
  }

  /** Whether a message of this length would be queued now without another one dropped for it. */
  hasRoom(channel: Channel, length: number): boolean {
    if (channel === "reliableOrdered") return this.#reliable.queuedBytes + length <= this.#limits.reliableSendBytes;
    const queue = channel === "unreliableOrdered" ? this.ordered : this.unordered;
    return queue.queuedBytes + length <= this.#limits.unreliableSendBytes;
  }

  /** True once after each `full`, when half of the reliable queue is free again. */
  takeDrained(): boolean {
    if (!this.#wasFull || this.#reliable.queuedBytes > DRAINED_SHARE * this.#limits.reliableSendBytes) return false;
    this.#wasFull = false;
    return true;
  }

  /** Tells the queues the time: `push` comes without. */
  stamp(now: number): void {
    this.ordered.stamp(now);
    this.unordered.stamp(now);
  }

  /** Drops the unreliable messages and frees their storage. */
  release(): void {
    this.ordered.release();
    this.unordered.release();
  }
}
