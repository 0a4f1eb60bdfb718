/**
 * `MtuDiscovery`: how large a packet one path carries, found out with probes the path may lose (DPLPMTUD, RFC 8899).
 *
 * Pure: the owner sends what `pollProbe` asks for and reports what became of it. Sizes are UDP payloads in bytes.
 * Simplifying assumptions: packets are acknowledged (so there is no CONFIRMATION_TIMER, section 5.1.1); IP headers
 * carry no options; ICMP is not read (section 4.4 makes that optional, and UDP sockets hide it), except for a socket
 * that refuses a packet as too large.
 *
 * The owner's side of the contract, which keeps probes from ever delaying or losing game data:
 * - a probe is a packet of its own with a ping and padding; it carries nothing that would have to be sent again (item 4);
 * - it is sent after everything else that is waiting, outside the congestion window and the pacer (section 3, item 7:
 *   then at most one a round trip, which one in flight gives);
 * - it has the don't-fragment bit set (section 3, item 2), as every packet has;
 * - its loss is not a sign of congestion (section 3, item 7).
 */

/** As RFC 8899 section 5.2 names them. */
export type MtuDiscoveryState = "DISABLED" | "BASE" | "SEARCHING" | "SEARCH_COMPLETE" | "ERROR";

export interface MtuDiscoveryOptions {
  /** Of the path: its headers take 28 (IPv4 and UDP) or 48 bytes (IPv6 and UDP). Default 4. */
  readonly ipVersion?: 4 | 6;
  /** UDP payload that is taken to work until shown otherwise (BASE_PLPMTU). Default 1200. */
  readonly basePayloadBytes?: number;
  /** Smallest IP packet it falls back to (MIN_PLPMTU), with headers. Default 576. */
  readonly floorPacketBytes?: number;
  /** Largest IP packet searched for (MAX_PLPMTU), with headers. Default 1500; up to 9000 where networks allow it. */
  readonly maxPacketBytes?: number;
  /** A probe neither acknowledged nor reported lost for so long is lost (PROBE_TIMER). Default 16,000. */
  readonly probeTimeoutMs?: number;
  /** After it a finished search is repeated (PMTU_RAISE_TIMER). Default 600,000. */
  readonly raiseIntervalMs?: number;
  /** Pause before a lost probe is repeated, doubled for the second repetition. Default 500. */
  readonly retryDelayMs?: number;
}

/** RFC 8899 section 5.1.2. */
const MAX_PROBES = 3;
/** A gain smaller than this is not worth another probe (section 5.3.2 leaves the granularity open). */
const MIN_GAIN_BYTES = 8;
/** So many reports of lost large packets, with no success among them, are a black hole. */
const BLACK_HOLE_REPORTS = 6;
const ETHERNET_PACKET_BYTES = 1500;
const MAX_PACKET_BYTES = 9000;
const HEADER_BYTES = { 4: 28, 6: 48 } as const;

export class MtuDiscovery {
  /** Largest UDP payload to send now (PLPMTU). */
  currentPayloadBytes: number;
  readonly floorPayloadBytes: number;
  readonly basePayloadBytes: number;
  probesSent = 0;
  probesLost = 0;
  blackHoles = 0;
  #state: MtuDiscoveryState = "DISABLED";
  #maxPayloadBytes: number;
  readonly #ethernetPayloadBytes: number;
  readonly #probeTimeoutMs: number;
  readonly #raiseIntervalMs: number;
  readonly #retryDelayMs: number;
  /** The search looks between the current size and this one. */
  #searchLimitBytes = 0;
  /** PROBED_SIZE; 0 when no size is being probed. */
  #probedBytes = 0;
  /** PROBE_COUNT: losses at the probed size. */
  #probeCount = 0;
  #inFlight = false;
  #probeSentAt = 0;
  #nextProbeAt = 0;
  #raiseAt = Infinity;
  #startedOnce = false;

  // Lost large packets without a success among them; no suspicion while the count is 0.
  #suspectReports = 0;
  #suspectReportedAt = -Infinity;
  #suspectNumber = 0;
  #suspectBytes = Infinity;
  #highestLostNumber = -1;
  /** In BASE, packets after it confirm the base size. */
  #confirmAfterNumber = -1;
  #lastBlackHoleAt = -Infinity;
  /** Limit of all searches before `#raiseAt`, after a second black hole. */
  #quarantineBytes = Infinity;

  constructor(options: MtuDiscoveryOptions = {}) {
    const headers = HEADER_BYTES[options.ipVersion ?? 4];
    const maxPacketBytes = options.maxPacketBytes ?? ETHERNET_PACKET_BYTES;
    const floorPacketBytes = options.floorPacketBytes ?? 576;
    const base = options.basePayloadBytes ?? 1200;
    within("floorPacketBytes", floorPacketBytes, headers + 1, MAX_PACKET_BYTES);
    within("basePayloadBytes", base, floorPacketBytes - headers, MAX_PACKET_BYTES - headers);
    within("maxPacketBytes", maxPacketBytes, base + headers, MAX_PACKET_BYTES);
    this.floorPayloadBytes = floorPacketBytes - headers;
    this.basePayloadBytes = base;
    this.#maxPayloadBytes = maxPacketBytes - headers;
    this.#ethernetPayloadBytes = ETHERNET_PACKET_BYTES - headers;
    // RFC 8899 section 5.1.1: not below one second, should be above 15.
    this.#probeTimeoutMs = within("probeTimeoutMs", options.probeTimeoutMs ?? 16_000, 1000, Infinity);
    this.#raiseIntervalMs = within("raiseIntervalMs", options.raiseIntervalMs ?? 600_000, 1000, Infinity);
    this.#retryDelayMs = within("retryDelayMs", options.retryDelayMs ?? 500, 0, Infinity);
    this.currentPayloadBytes = base;
  }

  get state(): MtuDiscoveryState {
    return this.#state;
  }

  /** The largest size this path is searched for. */
  get maxPayloadBytes(): number {
    return this.#maxPayloadBytes;
  }

  /** The path has connectivity (section 5.2, DISABLED to BASE). Once; later calls do nothing. */
  start(now: number): void {
    if (this.#startedOnce) return;
    this.#startedOnce = true;
    this.#enterBase(now);
  }

  /** The other side takes no larger ones (section 5.3.1: EMTU_R lowers MAX_PLPMTU). Only ever lowers. */
  limitPayloadBytes(bytes: number, now: number): void {
    within("bytes", bytes, this.basePayloadBytes, Infinity);
    this.#maxPayloadBytes = Math.min(this.#maxPayloadBytes, bytes);
    this.#searchLimitBytes = Math.min(this.#searchLimitBytes, this.#maxPayloadBytes);
    this.currentPayloadBytes = Math.min(this.currentPayloadBytes, this.#maxPayloadBytes);
    if (this.#state !== "SEARCHING" || this.#probedBytes <= this.#maxPayloadBytes) return;
    this.#probeNext(now);
  }

  /**
   * The size of the probe to send now, or 0. The probe counts as sent: send it, and report it by `onProbeAcked`,
   * `onProbeLost` or `onProbeRefused`. One is in flight at a time.
   */
  pollProbe(now: number): number {
    if (this.#inFlight) {
      // Section 5.1.1, PROBE_TIMER.
      if (now < this.#probeSentAt + this.#probeTimeoutMs) return 0;
      this.#lose(now);
    }
    if (this.#state === "SEARCH_COMPLETE" && now >= this.#raiseAt) {
      this.#quarantineBytes = Infinity;
      this.#enterSearching(now);
    }
    if (this.#probedBytes === 0 || now < this.#nextProbeAt) return 0;
    this.#inFlight = true;
    this.#probeSentAt = now;
    this.probesSent++;
    return this.#probedBytes;
  }

  /** When `pollProbe` is next worth calling, or `Infinity`. */
  nextTimeout(): number {
    if (this.#inFlight) return this.#probeSentAt + this.#probeTimeoutMs;
    if (this.#probedBytes !== 0) return this.#nextProbeAt;
    return this.#state === "SEARCH_COMPLETE" ? this.#raiseAt : Infinity;
  }

  /** A late answer, while the same size is tried again, counts too. Answers about other sizes are stale. */
  onProbeAcked(bytes: number, now: number): void {
    if (bytes !== this.#probedBytes) return;
    this.#inFlight = false;
    switch (this.#state) {
      case "BASE":
      case "ERROR":
        // Section 5.2: the base size works, or probes no longer detect the error.
        return this.#enterSearching(now);
      case "SEARCHING":
        // Section 5.2: PLPMTU becomes PROBED_SIZE.
        this.currentPayloadBytes = bytes;
        this.#clearSuspicion();
        return this.#probeNext(now);
      case "DISABLED":
      case "SEARCH_COMPLETE":
    }
  }

  onProbeLost(bytes: number, now: number): void {
    if (bytes === this.#probedBytes && this.#inFlight) this.#lose(now);
  }

  /** The socket would not send it (EMSGSIZE): no use trying this size again. */
  onProbeRefused(bytes: number, now: number): void {
    if (bytes !== this.#probedBytes || !this.#inFlight) return;
    this.#probeCount = MAX_PROBES - 1;
    this.#lose(now);
  }

  /** A packet that was no probe has arrived. `bytes` is its UDP payload; numbers rise in the order of sending. */
  onPacketAcked(packetNumber: number, bytes: number, now: number): void {
    if (packetNumber > this.#suspectNumber && bytes >= this.#suspectBytes) this.#clearSuspicion();
    if (this.#state === "DISABLED") {
      // Section 5.2: connectivity is back.
      if (this.#startedOnce) this.#enterBase(now);
    } else if (this.#state === "BASE" && bytes >= this.basePayloadBytes && packetNumber > this.#confirmAfterNumber) {
      // Section 4.1: user data that is acknowledged confirms its size as a probe would.
      this.#inFlight = false;
      this.#enterSearching(now);
    }
  }

  /** A packet that was no probe is lost. */
  onPacketLost(packetNumber: number, bytes: number, now: number): void {
    this.#highestLostNumber = Math.max(this.#highestLostNumber, packetNumber);
    if (this.#state !== "SEARCHING" && this.#state !== "SEARCH_COMPLETE") return;
    // What has gone out before a fall back says nothing about the size in use now.
    if (bytes > this.currentPayloadBytes) return;
    const safeBytes = this.currentPayloadBytes > this.basePayloadBytes ? this.basePayloadBytes : this.floorPayloadBytes;
    if (bytes <= safeBytes) {
      // Small ones are lost too: that is loss, or an outage, not size.
      if (this.#suspectReports > 0 && packetNumber > this.#suspectNumber) this.#clearSuspicion();
      return;
    }
    if (this.#suspectReports === 0) this.#suspectNumber = packetNumber;
    this.#suspectBytes = Math.min(this.#suspectBytes, bytes);
    // Losses reported together were one event, a queue that overflowed perhaps.
    if (this.#suspectReports > 0 && now === this.#suspectReportedAt) return;
    this.#suspectReportedAt = now;
    if (++this.#suspectReports >= BLACK_HOLE_REPORTS) this.#onBlackHole(now);
  }

  /**
   * Nothing of what was sent came through for several probe timeouts (section 4.3). That may be an outage, or the path
   * swallows packets of the present size: falls back to the base, and from there to the floor, until the search has
   * shown otherwise.
   */
  onTimeouts(now: number): void {
    if (this.#state === "DISABLED" || this.#state === "ERROR") return;
    if (this.currentPayloadBytes > this.basePayloadBytes) this.#enterBase(now);
    else this.#enterError(now);
  }

  /** Section 4.3, third indicator: excessive loss of data of one size. */
  #onBlackHole(now: number): void {
    this.blackHoles++;
    const lostBytes = this.#suspectBytes;
    const again = now - this.#lastBlackHoleAt < this.#raiseIntervalMs;
    this.#lastBlackHoleAt = now;
    this.#clearSuspicion();
    if (again) {
      // Section 5.4: a path that keeps swallowing sizes it has acknowledged is not asked for them until the raise timer.
      this.#quarantineBytes = lostBytes - 1;
      this.#raiseAt = now + this.#raiseIntervalMs;
    }
    if (this.currentPayloadBytes < this.basePayloadBytes) this.#enterError(now);
    else this.#enterBase(now);
  }

  #lose(now: number): void {
    this.#inFlight = false;
    this.probesLost++;
    this.#probeCount++;
    if (this.#probeCount < MAX_PROBES) {
      this.#nextProbeAt = now + this.#retryDelayMs * 2 ** (this.#probeCount - 1);
      return;
    }
    switch (this.#state) {
      case "BASE":
        return this.#enterError(now);
      case "ERROR":
        // Section 5.2: MIN_PLPMTU cannot be validated; `onPacketAcked` starts again.
        this.#state = "DISABLED";
        return this.#probe(0, now);
      case "SEARCHING":
        // Section 5.3.1 ends the search here; ours goes on between what works and what does not.
        this.#searchLimitBytes = this.#probedBytes - 1;
        return this.#probeNext(now);
      case "DISABLED":
      case "SEARCH_COMPLETE":
    }
  }

  #enterBase(now: number): void {
    this.#state = "BASE";
    this.currentPayloadBytes = this.basePayloadBytes;
    this.#confirmAfterNumber = this.#highestLostNumber;
    this.#probe(this.basePayloadBytes, now);
  }

  #enterError(now: number): void {
    this.#state = "ERROR";
    this.currentPayloadBytes = this.floorPayloadBytes;
    this.#probe(this.floorPayloadBytes, now);
  }

  #enterSearching(now: number): void {
    this.#state = "SEARCHING";
    this.#searchLimitBytes = Math.min(this.#maxPayloadBytes, this.#quarantineBytes);
    this.#probeNext(now);
  }

  #probeNext(now: number): void {
    const bytes = this.#nextSize();
    this.#probe(bytes, now);
    if (bytes !== 0) return;
    this.#state = "SEARCH_COMPLETE";
    if (this.#quarantineBytes !== Infinity) return;
    // Section 5.1.1, PMTU_RAISE_TIMER: not when there is nothing to raise.
    this.#raiseAt = this.currentPayloadBytes < this.#maxPayloadBytes ? now + this.#raiseIntervalMs : Infinity;
  }

  #probe(bytes: number, now: number): void {
    this.#probedBytes = bytes;
    this.#probeCount = 0;
    this.#inFlight = false;
    this.#nextProbeAt = now;
  }

  /**
   * Section 5.3.2: the sizes most paths have first (base, Ethernet, the largest), then halving. 0 when what could
   * still be won is not worth a probe.
   */
  #nextSize(): number {
    const from = this.currentPayloadBytes;
    const limit = this.#searchLimitBytes;
    if (from < this.basePayloadBytes && limit >= this.basePayloadBytes) return this.basePayloadBytes;
    if (limit - from < MIN_GAIN_BYTES && (limit < this.#maxPayloadBytes || limit <= from)) return 0;
    const ethernet = this.#ethernetPayloadBytes;
    if (from < ethernet && limit >= ethernet) return ethernet;
    if (limit === this.#maxPayloadBytes) return limit;
    return from + Math.ceil((limit - from) / 2);
  }

  #clearSuspicion(): void {
    this.#suspectReports = 0;
    this.#suspectBytes = Infinity;
  }
}

function within(name: string, value: number, least: number, most: number): number {
  if (!(value >= least && value <= most)) throw new RangeError(`${name} is ${value}, not from ${least} to ${most}`);
  return value;
}
