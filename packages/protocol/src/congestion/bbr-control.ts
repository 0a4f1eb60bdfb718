/**
 * What BBR sends by: pacing rate and window, from the path model and the state (draft-ietf-ccwg-bbr
 * section 5.6).
 */
import type { BbrPathModel } from "./bbr-path-model.ts";
import { isBandwidthCycle, windowGain } from "./bbr-state.ts";
import type { BbrState } from "./bbr-state.ts";
import type { AckSample } from "./congestion-control.ts";

/** Paces a little below the bandwidth, so that queues do not stay. */
const PACING_MARGIN = 0.99;
/** Part of the limit left to others while cruising. */
const HEADROOM = 0.15;
const MINIMUM_WINDOW_PACKETS = 4;
const MAX_QUANTUM_BYTES = 65_536;
/** The Pacer's quantum. */
const QUANTUM_MS = 2;

export class BbrControl {
  windowBytes: number;
  pacingRateBytesPerSec: number;
  readonly #model: BbrPathModel;
  readonly #packetBytes: number;
  readonly #initialWindowBytes: number;
  readonly #minimumWindowBytes: number;
  /** The last window that neither losses nor ProbeRTT had cut. */
  #priorWindowBytes: number;

  constructor(model: BbrPathModel, packetBytes: number, initialWindowBytes: number) {
    this.windowBytes = initialWindowBytes;
    this.pacingRateBytesPerSec = Infinity;
    this.#model = model;
    this.#packetBytes = packetBytes;
    this.#initialWindowBytes = initialWindowBytes;
    this.#minimumWindowBytes = MINIMUM_WINDOW_PACKETS * packetBytes;
    this.#priorWindowBytes = 0;
  }

  /** InitPacingRate, with the first round trip known. */
  initializePacing(gain: number, smoothedRttMs: number): void {
    this.pacingRateBytesPerSec = (gain * this.#initialWindowBytes * 1000) / Math.max(smoothedRttMs, 0.1);
  }

  /** Before the path is known to be full it only goes up. */
  setPacingRate(gain: number, pipeFilled: boolean): void {
    const rate = gain * this.#model.bandwidth * PACING_MARGIN;
    if (rate > 0 && (pipeFilled || rate > this.pacingRateBytesPerSec)) this.pacingRateBytesPerSec = rate;
  }

  /** SetCwnd and BoundCwndForModel. */
  setWindow(sample: AckSample, state: BbrState, pipeFilled: boolean): void {
    const model = this.#model;
    const maximum = this.#budgeted(this.#bdpTimes(windowGain(state)) + model.extraAcked, state);
    const grown = this.windowBytes + sample.ackedBytes;
    if (pipeFilled) this.windowBytes = Math.min(grown, maximum);
    else if (this.windowBytes < maximum || sample.deliveredBytes < this.#initialWindowBytes) this.windowBytes = grown;
    if (this.windowBytes < this.#minimumWindowBytes) this.windowBytes = this.#minimumWindowBytes;
    let cap = Infinity;
    if (state === "probeRtt") {
      this.windowBytes = Math.min(this.windowBytes, this.probeRttWindow());
      cap = this.inflightWithHeadroom();
    } else if (state === "probeBwCruise") {
      cap = this.inflightWithHeadroom();
    } else if (isBandwidthCycle(state)) {
      cap = model.inflightLongTerm;
    }
    cap = Math.max(Math.min(cap, model.inflightShortTerm), this.#minimumWindowBytes);
    if (this.windowBytes > cap) this.windowBytes = cap;
  }

  /** Section 5.6.4.4, after a persistent loss: like a retransmission timeout. */
  collapse(bytesInFlight: number): void {
    this.windowBytes = Math.max(bytesInFlight + this.#packetBytes, 2 * this.#packetBytes);
  }

  /** `cut`: something already holds the window down. */
  saveWindow(cut: boolean): void {
    this.#priorWindowBytes = cut ? Math.max(this.#priorWindowBytes, this.windowBytes) : this.windowBytes;
  }

  restoreWindow(): void {
    this.windowBytes = Math.max(this.windowBytes, this.#priorWindowBytes);
  }

  /** What fills the path at this bandwidth. */
  inflight(bandwidth: number, state: BbrState): number {
    const { minRttMs } = this.#model;
    return this.#budgeted(minRttMs === Infinity ? this.#initialWindowBytes : (bandwidth * minRttMs) / 1000, state);
  }

  targetInflight(): number {
    return Math.min(this.#bdpTimes(1), this.windowBytes);
  }

  inflightWithHeadroom(): number {
    const limit = this.#model.inflightLongTerm;
    if (limit === Infinity) return Infinity;
    return Math.max(limit - Math.max(this.#packetBytes, HEADROOM * limit), this.#minimumWindowBytes);
  }

  probeRttWindow(): number {
    return Math.max(this.#bdpTimes(windowGain("probeRtt")), this.#minimumWindowBytes);
  }

  #bdpTimes(gain: number): number {
    const { minRttMs, bdp } = this.#model;
    return minRttMs === Infinity ? this.#initialWindowBytes : gain * bdp;
  }

  /** Section 5.6.4.2: never less than what pacer and delayed ACKs hold back. */
  #budgeted(inflight: number, state: BbrState): number {
    const quantum = Math.min((this.pacingRateBytesPerSec * QUANTUM_MS) / 1000, MAX_QUANTUM_BYTES);
    const budget = Math.max(inflight, quantum, this.#minimumWindowBytes);
    return state === "probeBwUp" ? budget + 2 * this.#packetBytes : budget;
  }
}
