/**
 * When to acknowledge (RFC 9000 section 13.2), with a rule of our own for game traffic: a packet
 * that holds only unreliable messages is acknowledged lazily, since nothing waits for it but
 * statistics and the congestion window. In a game both sides send all the time, so nearly every
 * ACK rides on a data packet and none has to be sent for itself.
 */

/** Packets with anything that is sent again when lost: every second one, or this long after the first. */
export const MAX_ACK_DELAY_MS = 25;
const EAGER_PACKET_LIMIT = 2;
/** Packets of unreliable messages only. */
export const LAZY_ACK_DELAY_MS = 100;
const LAZY_PACKET_LIMIT = 32;

export class AckSchedule {
  /** Something came that should be acknowledged when a packet goes anyway. */
  pending: boolean;
  /** When an ACK must go even if nothing else does; `Infinity` when none must. */
  dueAt: number;
  #eager: number;
  #lazy: number;

  constructor() {
    this.pending = false;
    this.dueAt = Infinity;
    this.#eager = 0;
    this.#lazy = 0;
  }

  /** An ack-eliciting packet came. `outOfOrder`: it is not the successor of the largest before. */
  onElicited(eager: boolean, outOfOrder: boolean, now: number): void {
    this.pending = true;
    const count = eager ? ++this.#eager : ++this.#lazy;
    const limit = eager ? EAGER_PACKET_LIMIT : LAZY_PACKET_LIMIT;
    // RFC 9000 section 13.2.1: a gap is reported at once, so that the sender repairs it soon.
    // For lazy packets "soon" is the eager delay: what is missing may have been reliable.
    let delay = eager || outOfOrder ? MAX_ACK_DELAY_MS : LAZY_ACK_DELAY_MS;
    if (count >= limit || (eager && outOfOrder)) delay = 0;
    if (now + delay < this.dueAt) this.dueAt = now + delay;
  }

  onAckSent(): void {
    this.pending = false;
    this.dueAt = Infinity;
    this.#eager = 0;
    this.#lazy = 0;
  }
}
