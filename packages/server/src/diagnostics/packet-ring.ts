/**
 * The newest packets of one connection: numbers in columns and payloads in a ring of bytes, both of a fixed size. Writing
 * costs a copy of the payload and a view of it; frames are only decoded when somebody reads.
 */

export const PACKET_SENT = 0;
export const PACKET_RECEIVED = 1;
export const PACKET_LOST = 2;

export type PacketKind = typeof PACKET_SENT | typeof PACKET_RECEIVED | typeof PACKET_LOST;

/** What loss recovery and congestion control measured when a packet was recorded. */
export interface RecoveryMetrics {
  smoothedRttMs: number;
  latestRttMs: number;
  minRttMs: number;
  rttVariationMs: number;
  windowBytes: number;
  bytesInFlight: number;
  packetsInFlight: number;
  /** `Infinity` while nothing is known of the path. */
  pacingRateBytesPerSec: number;
}

/** One packet as it is read: one record, reused. */
export interface RecordedPacket {
  kind: PacketKind;
  at: number;
  packetNumber: number;
  /** Of the payload; of a lost packet, the whole packet's, 0 for a probe of the path's MTU. */
  length: number;
  /** The payload; `undefined` when it was overwritten by later ones, and of lost packets. Valid until the next read. */
  payload: Uint8Array | undefined;
  /** What the packet had around its payload: header, number, tag. */
  overheadBytes: number;
  /** The payload of a plain netcode peer: no frames. */
  isRaw: boolean;
  readonly metrics: RecoveryMetrics;
}

const METRICS = 8;

export class PacketRing {
  /** Packets recorded so far; the ring holds the newest of them. */
  count = 0;
  readonly capacity: number;
  readonly #mask: number;
  readonly #kind: Uint8Array;
  readonly #isRaw: Uint8Array;
  readonly #overhead: Uint8Array;
  readonly #at: Float64Array;
  readonly #number: Float64Array;
  readonly #length: Float64Array;
  readonly #metrics: Float64Array;
  /** Where each payload begins, counted over all bytes ever written; -1: there is none. */
  readonly #start: Float64Array;
  readonly #bytes: Uint8Array;
  #written = 0;
  #scratch: Uint8Array = new Uint8Array(0);

  /** `packets` is rounded up to a power of two. */
  constructor(packets: number, bytes: number) {
    let capacity = 1;
    while (capacity < packets) capacity *= 2;
    this.capacity = capacity;
    this.#mask = capacity - 1;
    this.#kind = new Uint8Array(capacity);
    this.#isRaw = new Uint8Array(capacity);
    this.#overhead = new Uint8Array(capacity);
    this.#at = new Float64Array(capacity);
    this.#number = new Float64Array(capacity);
    this.#length = new Float64Array(capacity);
    this.#metrics = new Float64Array(capacity * METRICS);
    this.#start = new Float64Array(capacity);
    this.#bytes = new Uint8Array(bytes);
  }

  /** The first packet that is still there. */
  get first(): number {
    return Math.max(0, this.count - this.capacity);
  }

  get heldBytes(): number {
    return this.#bytes.length + this.capacity * (3 + 8 * (4 + METRICS));
  }

  add(kind: PacketKind, at: number, packetNumber: number, length: number, metrics: RecoveryMetrics): void {
    const slot = this.count++ & this.#mask;
    this.#kind[slot] = kind;
    this.#isRaw[slot] = 0;
    this.#overhead[slot] = 0;
    this.#at[slot] = at;
    this.#number[slot] = packetNumber;
    this.#length[slot] = length;
    this.#start[slot] = -1;
    const m = slot * METRICS;
    this.#metrics[m] = metrics.smoothedRttMs;
    this.#metrics[m + 1] = metrics.latestRttMs;
    this.#metrics[m + 2] = metrics.minRttMs;
    this.#metrics[m + 3] = metrics.rttVariationMs;
    this.#metrics[m + 4] = metrics.windowBytes;
    this.#metrics[m + 5] = metrics.bytesInFlight;
    this.#metrics[m + 6] = metrics.packetsInFlight;
    this.#metrics[m + 7] = metrics.pacingRateBytesPerSec;
  }

  /** Copies the payload of the packet just added, which had `overheadBytes` around it. */
  addPayload(buffer: Uint8Array, offset: number, length: number, overheadBytes: number, isRaw: boolean): void {
    const slot = (this.count - 1) & this.#mask;
    const ring = this.#bytes;
    this.#isRaw[slot] = isRaw ? 1 : 0;
    this.#overhead[slot] = overheadBytes;
    if (length > ring.length) return;
    const at = this.#written % ring.length;
    const head = Math.min(length, ring.length - at);
    ring.set(buffer.subarray(offset, offset + head), at);
    if (head < length) ring.set(buffer.subarray(offset + head, offset + length), 0);
    this.#start[slot] = this.#written;
    this.#written += length;
  }

  /** Reads packet `index`, from `first` to `count - 1`. */
  read(index: number, into: RecordedPacket): void {
    const slot = index & this.#mask;
    const { metrics } = into;
    const m = slot * METRICS;
    into.kind = this.#kind[slot] as PacketKind;
    into.isRaw = this.#isRaw[slot] === 1;
    into.overheadBytes = this.#overhead[slot];
    into.at = this.#at[slot];
    into.packetNumber = this.#number[slot];
    into.length = this.#length[slot];
    into.payload = this.#payload(slot);
    metrics.smoothedRttMs = this.#metrics[m];
    metrics.latestRttMs = this.#metrics[m + 1];
    metrics.minRttMs = this.#metrics[m + 2];
    metrics.rttVariationMs = this.#metrics[m + 3];
    metrics.windowBytes = this.#metrics[m + 4];
    metrics.bytesInFlight = this.#metrics[m + 5];
    metrics.packetsInFlight = this.#metrics[m + 6];
    metrics.pacingRateBytesPerSec = this.#metrics[m + 7];
  }

  /** A copy that later packets do not change. */
  snapshot(): PacketRing {
    const copy = new PacketRing(this.capacity, this.#bytes.length);
    copy.count = this.count;
    copy.#written = this.#written;
    copy.#kind.set(this.#kind);
    copy.#isRaw.set(this.#isRaw);
    copy.#overhead.set(this.#overhead);
    copy.#at.set(this.#at);
    copy.#number.set(this.#number);
    copy.#length.set(this.#length);
    copy.#metrics.set(this.#metrics);
    copy.#start.set(this.#start);
    copy.#bytes.set(this.#bytes);
    return copy;
  }

  #payload(slot: number): Uint8Array | undefined {
    const start = this.#start[slot];
    const length = this.#length[slot];
    const ring = this.#bytes;
    if (start < 0 || this.#written - start > ring.length) return undefined;
    const at = start % ring.length;
    if (at + length <= ring.length) return ring.subarray(at, at + length);
    if (this.#scratch.length < length) this.#scratch = new Uint8Array(length);
    const head = ring.length - at;
    this.#scratch.set(ring.subarray(at), 0);
    this.#scratch.set(ring.subarray(0, length - head), head);
    return this.#scratch.subarray(0, length);
  }
}

export function emptyMetrics(): RecoveryMetrics {
  return {
    smoothedRttMs: 0,
    latestRttMs: 0,
    minRttMs: 0,
    rttVariationMs: 0,
    windowBytes: 0,
    bytesInFlight: 0,
    packetsInFlight: 0,
    pacingRateBytesPerSec: 0,
  };
}

export function emptyPacket(): RecordedPacket {
  return {
    kind: PACKET_SENT,
    at: 0,
    packetNumber: 0,
    length: 0,
    payload: undefined,
    overheadBytes: 0,
    isRaw: false,
    metrics: emptyMetrics(),
  };
}
