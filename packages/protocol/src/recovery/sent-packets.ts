/**
 * What is known of each packet under way: a power-of-two ring in structure-of-arrays form, keyed
 * by packet number. Numbers may have gaps (netcode's keep-alives share them); slots of numbers
 * that were never recorded are empty. A slot keeps its content until the ring comes round, so
 * that a late ACK of a packet given up for lost is recognised.
 */

/** States of a slot; 0: nothing recorded. */
export const SLOT_IN_FLIGHT = 1;
export const SLOT_ACKED = 2;
export const SLOT_LOST = 3;
/** The path it was sent on is given up: what becomes of it means nothing. */
export const SLOT_ABANDONED = 4;

/** The packet holds something that is sent again when lost: the peer acknowledges it soon. */
export const PACKET_EAGER = 1;
/** The sender had nothing more to send (BandwidthEstimate). */
export const PACKET_APP_LIMITED = 2;
/** A probe of the path's MTU (RFC 8899): recorded with 0 bytes, and its loss is no sign of congestion. */
export const PACKET_MTU_PROBE = 4;
/** First flag free for the layer above. */
export const PACKET_USER_FLAG = 8;

const INITIAL_CAPACITY = 64;
export const MAX_SENT_PACKETS = 8192;

export class SentPackets {
  /** Lowest number that may be in flight. */
  oldest: number;
  /** Highest number recorded, -1 before the first. */
  newest: number;
  capacity: number;
  number: Float64Array;
  sentAt: Float64Array;
  bytes: Int32Array;
  state: Uint8Array;
  flags: Uint8Array;
  /** Largest packet number that an ACK frame in this packet reported, or -1. */
  reported: Float64Array;
  /** The caller's: where its record of the packet's content starts, and how many entries it has. */
  content: Float64Array;
  contentCount: Uint8Array;
  /** BandwidthEstimate's: state of delivery when the packet was sent. */
  delivered: Float64Array;
  deliveredAt: Float64Array;
  firstSentAt: Float64Array;
  /** Bytes in flight with this packet, and all bytes lost before it, when it was sent. */
  inFlight: Float64Array;
  lost: Float64Array;

  constructor() {
    this.oldest = 0;
    this.newest = -1;
    this.capacity = INITIAL_CAPACITY;
    this.number = new Float64Array(INITIAL_CAPACITY).fill(-1);
    this.sentAt = new Float64Array(INITIAL_CAPACITY);
    this.bytes = new Int32Array(INITIAL_CAPACITY);
    this.state = new Uint8Array(INITIAL_CAPACITY);
    this.flags = new Uint8Array(INITIAL_CAPACITY);
    this.reported = new Float64Array(INITIAL_CAPACITY);
    this.content = new Float64Array(INITIAL_CAPACITY);
    this.contentCount = new Uint8Array(INITIAL_CAPACITY);
    this.delivered = new Float64Array(INITIAL_CAPACITY);
    this.deliveredAt = new Float64Array(INITIAL_CAPACITY);
    this.firstSentAt = new Float64Array(INITIAL_CAPACITY);
    this.inFlight = new Float64Array(INITIAL_CAPACITY);
    this.lost = new Float64Array(INITIAL_CAPACITY);
  }

  /** False when `packetNumber` is too far above the oldest in flight: that one must be given up first. */
  hasRoom(packetNumber: number): boolean {
    return packetNumber - this.oldest < MAX_SENT_PACKETS || this.newest < this.oldest;
  }

  /** Records a packet as in flight and returns its slot. Numbers must rise. */
  add(packetNumber: number, sentAt: number, bytes: number, flags: number): number {
    if (this.newest < this.oldest) this.oldest = packetNumber;
    while (packetNumber - this.oldest >= this.capacity) this.#grow();
    this.newest = packetNumber;
    const slot = this.#index(packetNumber);
    this.number[slot] = packetNumber;
    this.sentAt[slot] = sentAt;
    this.bytes[slot] = bytes;
    this.state[slot] = SLOT_IN_FLIGHT;
    this.flags[slot] = flags;
    this.reported[slot] = -1;
    this.content[slot] = 0;
    this.contentCount[slot] = 0;
    return slot;
  }

  /** The slot that still remembers this number, or -1. */
  slotOf(packetNumber: number): number {
    const slot = this.#index(packetNumber);
    return this.number[slot] === packetNumber ? slot : -1;
  }

  /** Moves `oldest` up to the lowest number in flight, or past the newest. */
  advance(): void {
    while (this.oldest <= this.newest) {
      const slot = this.#index(this.oldest);
      if (this.number[slot] === this.oldest && this.state[slot] === SLOT_IN_FLIGHT) return;
      this.oldest++;
    }
  }

  #index(packetNumber: number): number {
    return packetNumber & (this.capacity - 1); // right above 2^31 too: `&` takes its operands modulo 2^32
  }

  #grow(): void {
    const from = this.number;
    const capacity = this.capacity * 2;
    const to = new Int32Array(this.capacity); // new slot of each old one, -1: forgotten
    for (let slot = 0; slot < this.capacity; slot++) {
      const number = from[slot];
      const remembered = number > this.newest - this.capacity && number >= 0;
      to[slot] = remembered ? number & (capacity - 1) : -1;
    }
    this.number = spread(from, to, new Float64Array(capacity).fill(-1));
    this.sentAt = spread(this.sentAt, to, new Float64Array(capacity));
    this.bytes = spread(this.bytes, to, new Int32Array(capacity));
    this.state = spread(this.state, to, new Uint8Array(capacity));
    this.flags = spread(this.flags, to, new Uint8Array(capacity));
    this.reported = spread(this.reported, to, new Float64Array(capacity));
    this.content = spread(this.content, to, new Float64Array(capacity));
    this.contentCount = spread(this.contentCount, to, new Uint8Array(capacity));
    this.delivered = spread(this.delivered, to, new Float64Array(capacity));
    this.deliveredAt = spread(this.deliveredAt, to, new Float64Array(capacity));
    this.firstSentAt = spread(this.firstSentAt, to, new Float64Array(capacity));
    this.inFlight = spread(this.inFlight, to, new Float64Array(capacity));
    this.lost = spread(this.lost, to, new Float64Array(capacity));
    this.capacity = capacity;
  }
}

function spread<T extends Float64Array | Int32Array | Uint8Array>(from: T, to: Int32Array, target: T): T {
  for (let slot = 0; slot < to.length; slot++) if (to[slot] >= 0) target[to[slot]] = from[slot];
  return target;
}
