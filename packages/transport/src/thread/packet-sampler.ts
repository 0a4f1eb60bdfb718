import type { ConnectionTrace } from "@riposte/protocol/channel";
import { copyBytes } from "@riposte/datapath";
import { TRACE_HEADER_BYTES, TRACE_LOST, TRACE_RECEIVED, TRACE_SENT } from "./records.ts";
import type { NamedConnection, Upstream } from "./upstream.ts";

const MAX_PAYLOAD_BYTES = 9216;

/** Tells the game thread of the packets of traced connections: as many a second as it was allowed, of all of them together. */
export class PacketSampler {
  /** Packets that were not told of. */
  leftOut = 0;
  readonly #up: Upstream;
  readonly #perMs: number;
  readonly #burst: number;
  readonly #bytes: Uint8Array = new Uint8Array(TRACE_HEADER_BYTES + MAX_PAYLOAD_BYTES);
  readonly #header: DataView = new DataView(this.#bytes.buffer);
  #tokens: number;
  #filledAt = 0;

  constructor(up: Upstream, packetsPerSec: number) {
    this.#up = up;
    this.#perMs = packetsPerSec / 1000;
    this.#burst = packetsPerSec / 4;
    this.#tokens = this.#burst;
  }

  of(link: NamedConnection): ConnectionTrace {
    return {
      packetSent: (number, buffer, offset, length, now) =>
        this.#tell(link, TRACE_SENT, 0, number, buffer, offset, length, now),
      packetReceived: (number, buffer, offset, length, now) =>
        this.#tell(link, TRACE_RECEIVED, 0, number, buffer, offset, length, now),
      packetLost: (number, bytes, now) => this.#tell(link, TRACE_LOST, bytes, number, this.#bytes, 0, 0, now),
    };
  }

  #tell(
    link: NamedConnection,
    kind: number,
    argument: number,
    packetNumber: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    now: number,
  ): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#filledAt) * this.#perMs);
    this.#filledAt = now;
    if (this.#tokens < 1 || length > MAX_PAYLOAD_BYTES) {
      this.leftOut++;
      return;
    }
    this.#tokens--;
    this.#header.setFloat64(0, packetNumber, true);
    // Each thread counts from its own start.
    this.#header.setFloat64(8, performance.timeOrigin + now, true);
    copyBytes(buffer, offset, length, this.#bytes, TRACE_HEADER_BYTES);
    this.#up.unreliable(link, kind, argument, this.#bytes, 0, TRACE_HEADER_BYTES + length);
  }
}
