import { setTimeout as wait } from "node:timers/promises";
import type { ClientTransport } from "@riposte/transport";
import { quantile } from "../statistics.ts";
import { MESSAGE_BYTES, WISH_NOTHING, writeMessage } from "./message.ts";

/** Pauses between messages, so that they meet every phase of what the server does. */
const MIN_PAUSE_MS = 2;
const PAUSE_SPREAD_MS = 5;

/**
 * How long a server takes to acknowledge. Messages go in pairs, a packet each: a single one may be acknowledged up to
 * 25 ms later, so that the acknowledgement finds company, but every second one at once.
 */
export class AckDelay {
  readonly #transport: ClientTransport;
  readonly #message: Uint8Array = new Uint8Array(MESSAGE_BYTES);
  readonly #delays: number[] = [];
  #sentAt = -1;

  constructor(transport: ClientTransport) {
    this.#transport = transport;
    writeMessage(this.#message, 0, 0, WISH_NOTHING);
  }

  /** Measures for a while, beside what was measured before. */
  async measure(durationMs: number): Promise<{ readonly messages: number }> {
    const { connection } = this.#transport;
    const before = this.#delays.length;
    // Looks right behind each packet that came.
    const look = (): void => queueMicrotask(this.#look);
    connection.trace = { packetReceived: look, packetSent: () => {}, packetLost: () => {} };
    const end = performance.now() + durationMs;
    while (performance.now() < end) {
      if (this.#sentAt < 0 && connection.stats.reliableQueuedBytes === 0) {
        this.#sentAt = performance.now();
        for (let i = 0; i < 2; i++) {
          connection.send("reliableOrdered", this.#message);
          this.#transport.flush();
        }
      }
      await wait(MIN_PAUSE_MS + Math.random() * PAUSE_SPREAD_MS);
    }
    while (connection.stats.reliableQueuedBytes > 0) await wait(1);
    connection.trace = undefined;
    return { messages: this.#delays.length - before };
  }

  /** Forgets what was measured. */
  reset(): object {
    this.#delays.length = 0;
    return {};
  }

  /** Of everything measured. */
  quantiles(): { readonly p50Ms: number; readonly p99Ms: number; readonly maxMs: number; readonly count: number } {
    const at = (fraction: number): number => quantile(this.#delays, fraction);
    return { p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1), count: this.#delays.length };
  }

  readonly #look = (): void => {
    if (this.#sentAt < 0 || this.#transport.connection.stats.reliableQueuedBytes > 0) return;
    this.#delays.push(performance.now() - this.#sentAt);
    this.#sentAt = -1;
  };
}
