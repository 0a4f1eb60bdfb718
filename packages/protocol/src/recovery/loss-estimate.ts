/** Share of packets lost in each direction, over roughly the newest 128 packets. */

const WINDOW_PACKETS = 128;
/** A jump of the sender's numbers counts as this many lost at most. */
const MAX_GAP_PACKETS = 64;

export class LossEstimate {
  /** Of what we sent, 0..1. */
  sendRate: number;
  /** Of what the peer sent, 0..1, by gaps in its packet numbers. */
  receiveRate: number;
  #sent: number;
  #received: number;
  #largestReceived: number;

  constructor() {
    this.sendRate = 0;
    this.receiveRate = 0;
    this.#sent = 0;
    this.#received = 0;
    this.#largestReceived = -1;
  }

  onAcked(): void {
    this.sendRate += (0 - this.sendRate) / this.#nextSent();
  }

  onLost(): void {
    this.sendRate += (1 - this.sendRate) / this.#nextSent();
  }

  /** A packet declared lost was acknowledged after all. */
  onSpuriousLoss(): void {
    this.sendRate = Math.max(0, this.sendRate - 1 / WINDOW_PACKETS);
  }

  /** A packet number came for the first time. */
  onReceived(packetNumber: number): void {
    if (packetNumber < this.#largestReceived) {
      this.receiveRate = Math.max(0, this.receiveRate - 1 / WINDOW_PACKETS); // late, not lost
      return;
    }
    const missing = this.#largestReceived < 0 ? 0 : packetNumber - this.#largestReceived - 1;
    this.#largestReceived = packetNumber;
    for (let i = Math.min(missing, MAX_GAP_PACKETS); i > 0; i--) {
      this.receiveRate += (1 - this.receiveRate) / this.#nextReceived();
    }
    this.receiveRate += (0 - this.receiveRate) / this.#nextReceived();
  }

  /** The first packets weigh as in a plain average. */
  #nextSent(): number {
    if (this.#sent < WINDOW_PACKETS) this.#sent++;
    return this.#sent;
  }

  #nextReceived(): number {
    if (this.#received < WINDOW_PACKETS) this.#received++;
    return this.#received;
  }
}
