/**
 * How BBR raises its limit of bytes in flight while it probes (draft-ietf-ccwg-bbr section 5.3.3.4):
 * a few packets in the first round trip, twice as many in each that follows.
 */

/**
 * Packets in the first round trip. The draft begins with one; with four, flows whose windows are hundreds
 * of packets move their shares several times as far before the buffer is full (docs/congestion.md).
 */
const FIRST_ROUND_PACKETS = 4;
const MAX_DOUBLINGS = 30;

export class UpwardProbe {
  readonly #packetBytes: number;
  #rounds: number;
  #acked: number;
  #ackedPerPacket: number;

  constructor(packetBytes: number) {
    this.#packetBytes = packetBytes;
    this.#rounds = 0;
    this.#acked = 0;
    this.#ackedPerPacket = Infinity;
  }

  /** The next probe begins with small steps again. */
  reset(): void {
    this.#rounds = 0;
    this.#acked = 0;
  }

  /** Raises nothing until `steepen` is called. */
  stop(): void {
    this.#ackedPerPacket = Infinity;
  }

  /** RaiseInflightLongtermSlope: once per round trip. */
  steepen(windowBytes: number): void {
    const packets = FIRST_ROUND_PACKETS * 2 ** this.#rounds;
    if (this.#rounds < MAX_DOUBLINGS) this.#rounds++;
    this.#ackedPerPacket = Math.max(windowBytes / packets, this.#packetBytes);
  }

  /** By how many bytes the limit goes up for so many acknowledged ones. */
  raise(ackedBytes: number): number {
    this.#acked += ackedBytes;
    const packets = Math.floor(this.#acked / this.#ackedPerPacket);
    if (packets === 0) return 0;
    this.#acked -= packets * this.#ackedPerPacket;
    return packets * this.#packetBytes;
  }
}
