import { Random } from "../random.ts";
import { BBR_BETA, BbrPathModel } from "./bbr-path-model.ts";
import type { AckSample, CongestionControl, LostPacket } from "./congestion-control.ts";
import { FullPipe } from "./full-pipe.ts";

export interface BbrOptions {
  /** Default 1200. */
  readonly packetBytes?: number;
  /** Default ten packets (RFC 9002 section 7.2). */
  readonly initialWindowBytes?: number;
  /** For the times between probes, which should differ between flows. Default 1. */
  readonly seed?: number;
}

export type BbrState =
  | "startup"
  | "drain"
  | "probeBwDown"
  | "probeBwCruise"
  | "probeBwRefill"
  | "probeBwUp"
  | "probeRtt";

/** Section 2.5 and 2.6 of the draft. */
const PACING_GAIN: Readonly<Record<BbrState, number>> = {
  startup: 2.77,
  drain: 0.5,
  probeBwDown: 0.9,
  probeBwCruise: 1,
  probeBwRefill: 1,
  probeBwUp: 1.25,
  probeRtt: 1,
};
const WINDOW_GAIN = 2;
const WINDOW_GAIN_UP = 2.25;
const WINDOW_GAIN_PROBE_RTT = 0.5;
/** Section 2.5: paces a little below the bandwidth, so that queues do not stay. */
const PACING_MARGIN = 0.99;
const LOSS_THRESHOLD = 0.02;
const HEADROOM = 0.15;
const MINIMUM_WINDOW_PACKETS = 4;
/** Section 5.3.1.3. */
const STARTUP_LOSS_RANGES = 6;
const DRAIN_ROUNDS = 3;
/** Section 5.3.3.8. */
const PROBE_WAIT_MS = 2000;
const PROBE_WAIT_RANDOM_MS = 1000;
const RENO_PROBE_ROUNDS = 63;
const PROBE_RTT_DURATION_MS = 200;
const MAX_QUANTUM_BYTES = 65_536;
/** The Pacer's quantum. */
const QUANTUM_MS = 2;

/** What the ACKs that come in now tell (BBR.ack_phase). */
type AckPhase = "init" | "refilling" | "probeStarting" | "probeFeedback" | "probeStopping";

/**
 * BBR version 3 (draft-ietf-ccwg-bbr): measures the path's bandwidth and round trip and sends at
 * that rate, with about that much in flight, instead of filling the queue until it overflows. Losses
 * count when they pass 2 % of a round trip. Section numbers are those of the draft of August 2026.
 *
 * Where the draft leaves the choice: a round trip with an ECN mark is one over the loss threshold.
 * A loss is spurious when all packets lost since the first of its round have been acknowledged.
 *
 * One deviation: a probe that met too much loss leaves the limit 15 % (the draft's headroom) below
 * the volume at which it did, not at it. At a full drop-tail queue flows that probe together would
 * otherwise stay at whatever shares they came with; so the larger gives up more (docs/congestion.md).
 */
export class BbrCongestionControl implements CongestionControl {
  readonly name = "bbr";
  windowBytes: number;
  pacingRateBytesPerSec: number;
  readonly #packetBytes: number;
  readonly #initialWindowBytes: number;
  readonly #minimumWindowBytes: number;
  readonly #random: Random;
  readonly #model: BbrPathModel;
  #state: BbrState;
  #bytesInFlight: number;
  /** The newest time heard of. */
  #now: number;
  #idleRestart: boolean;
  #priorWindowBytes: number;
  /** The window was full in the current and in the last round trip. */
  #limitedInRound: boolean;
  #limitedInLastRound: boolean;
  readonly #pipe: FullPipe;
  #drainStartRound: number;
  #ackPhase: AckPhase;
  #isProbeSample: boolean;
  #cycleStartedAt: number;
  #probeWaitMs: number;
  #probeUpRounds: number;
  #probeUpAcked: number;
  #probeUpAckedPerIncrease: number;
  #priorProbeTooHigh: boolean;
  #priorProbePrecautionary: boolean;
  #probeRttDoneAt: number;
  #probeRttRoundDone: boolean;
  /** Losses in the current loss round: separate ranges of packet numbers, and marks. */
  #lossRanges: number;
  #lastLost: number;
  #markedInRound: boolean;
  #markedInAck: boolean;
  /** Packets of the newest loss episode that have not turned out to be there. */
  #episodeLosses: number;
  #undoState: BbrState | undefined;
  #undoBandwidthShortTerm: number;
  #undoInflightShortTerm: number;
  #undoInflightLongTerm: number;

  constructor(options: BbrOptions = {}) {
    this.#packetBytes = options.packetBytes ?? 1200;
    this.#initialWindowBytes = options.initialWindowBytes ?? 10 * this.#packetBytes;
    this.#minimumWindowBytes = MINIMUM_WINDOW_PACKETS * this.#packetBytes;
    this.#random = new Random(options.seed ?? 1);
    this.#model = new BbrPathModel();
    this.windowBytes = this.#initialWindowBytes;
    this.pacingRateBytesPerSec = Infinity;
    this.#state = "startup";
    this.#bytesInFlight = 0;
    this.#now = 0;
    this.#idleRestart = false;
    this.#priorWindowBytes = 0;
    this.#limitedInRound = false;
    this.#limitedInLastRound = false;
    this.#pipe = new FullPipe();
    this.#drainStartRound = 0;
    this.#ackPhase = "init";
    this.#isProbeSample = false;
    this.#cycleStartedAt = 0;
    this.#probeWaitMs = 0;
    this.#probeUpRounds = 0;
    this.#probeUpAcked = 0;
    this.#probeUpAckedPerIncrease = Infinity;
    this.#priorProbeTooHigh = false;
    this.#priorProbePrecautionary = false;
    this.#probeRttDoneAt = -1;
    this.#probeRttRoundDone = false;
    this.#lossRanges = 0;
    this.#lastLost = -2;
    this.#markedInRound = false;
    this.#markedInAck = false;
    this.#episodeLosses = 0;
    this.#undoState = undefined;
    this.#undoBandwidthShortTerm = 0;
    this.#undoInflightShortTerm = 0;
    this.#undoInflightLongTerm = 0;
  }

  get state(): BbrState {
    return this.#state;
  }

  /** BBR.bw: what it would send at with a gain of 1. */
  get bandwidthBytesPerSec(): number {
    return this.#model.bandwidth;
  }

  /** BBR.inflight_longterm; `Infinity` until a probe met too much loss. */
  get inflightLimitBytes(): number {
    return this.#model.inflightLongTerm;
  }

  get pacingIntervalMs(): number {
    return (this.#packetBytes / this.pacingRateBytesPerSec) * 1000;
  }

  /** Section 5.4: HandleRestartFromIdle. */
  onPacketSent(bytes: number, bytesInFlight: number, now: number): void {
    const model = this.#model;
    this.#bytesInFlight = bytesInFlight;
    this.#now = now;
    if (bytesInFlight >= this.windowBytes) this.#limitedInRound = true;
    if (bytesInFlight > bytes || model.delivered === 0) return;
    this.#idleRestart = true;
    model.restartAckAggregation(now);
    if (this.#isProbingCycle()) this.#setPacingRate(1);
    else if (this.#state === "probeRtt") this.#checkProbeRttDone(now);
  }

  onPacketAcked(bytes: number, _sentAt: number, _priorBytesInFlight: number, now: number): void {
    this.#now = now;
    this.#model.delivered += bytes; // so that a loss in the same ACK knows it
  }

  /** Section 5.5.10.2: HandleLostPacket. */
  onPacketLost(packet: LostPacket): void {
    this.#noteLoss();
    this.#episodeLosses++;
    if (packet.packetNumber !== this.#lastLost + 1) this.#lossRanges++;
    this.#lastLost = packet.packetNumber;
    if (!this.#isProbeSample) return;
    const lost = packet.lostSinceSentBytes;
    if (lost <= LOSS_THRESHOLD * packet.sentBytesInFlight) return;
    // With how much in flight did losses pass the threshold?
    const before = packet.sentBytesInFlight - packet.bytes;
    const lostBefore = lost - packet.bytes;
    const prefix = (LOSS_THRESHOLD * before - lostBefore) / (1 - LOSS_THRESHOLD);
    this.#onInflightTooHigh(before + prefix, packet.appLimited);
  }

  onPacketsLost(_bytes: number, _sentAt: number, persistent: boolean, _now: number): void {
    if (!persistent) return;
    // Section 5.6.4.4: like a retransmission timeout.
    this.#saveWindow();
    this.windowBytes = Math.max(this.#bytesInFlight + this.#packetBytes, 2 * this.#packetBytes);
  }

  onEcnCongestion(_sentAt: number, _now: number): void {
    this.#noteLoss();
    this.#episodeLosses = Infinity; // a mark is never spurious
    this.#markedInRound = true;
    this.#markedInAck = true;
  }

  /** Section 5.5.11.2. */
  onSpuriousLoss(_now: number): void {
    if (this.#episodeLosses === 0 || --this.#episodeLosses > 0) return;
    const model = this.#model;
    this.#restoreWindow();
    model.lossInRound = false;
    this.#pipe.reset();
    model.bandwidthShortTerm = Math.max(model.bandwidthShortTerm, this.#undoBandwidthShortTerm);
    model.inflightShortTerm = Math.max(model.inflightShortTerm, this.#undoInflightShortTerm);
    model.inflightLongTerm = Math.max(model.inflightLongTerm, this.#undoInflightLongTerm);
    if (this.#undoState === "startup" && this.#state !== "startup") {
      this.#pipe.reached = false;
      if (this.#state !== "probeRtt") this.#state = "startup";
    } else if (this.#undoState === "probeBwUp" && this.#state !== "probeBwUp" && this.#state !== "probeRtt") {
      this.#startRefill();
    }
    this.#undoState = undefined;
  }

  /** Section 5.2.3: UpdateModelAndState, then UpdateControlParameters. */
  onAckProcessed(sample: AckSample): void {
    const model = this.#model;
    const { now } = sample;
    this.#bytesInFlight = sample.bytesInFlight;
    this.#now = now;
    model.takeSample(sample);
    if (model.roundStart) {
      this.#limitedInLastRound = this.#limitedInRound;
      this.#limitedInRound = false;
    }
    if (model.lossRoundStart) {
      if (model.lossInRound && !this.#isAccelerating()) model.lowerShortTerm(this.windowBytes);
      this.#checkStartupLoss(sample);
      model.lossInRound = false;
      this.#lossRanges = 0;
      this.#markedInRound = false;
    }
    model.updateAckAggregation(sample.ackedBytes, this.windowBytes, this.#pipe.reached, now);
    if (model.roundStart && !model.sampleAppLimited) this.#pipe.onRound(model.sampleBandwidth);
    if (this.#state === "startup" && this.#pipe.reached) {
      this.#state = "drain";
      this.#drainStartRound = model.roundCount;
    }
    if (this.#state === "drain" && this.#isDrained()) this.#startDown(now);
    if (this.#pipe.reached) this.#updateCycle(sample);
    this.#markedInAck = false;
    const knewRtt = model.minRttMs !== Infinity;
    model.updateMinRtt(sample.rttSampled ? sample.latestRttMs : -1, now);
    this.#checkProbeRtt(now);
    model.finishSample();

    // InitPacingRate, with the first round trip known.
    if (!knewRtt && model.minRttMs !== Infinity) {
      const nominal = (this.#initialWindowBytes * 1000) / Math.max(sample.smoothedRttMs, 0.1);
      this.pacingRateBytesPerSec = PACING_GAIN.startup * nominal;
    }
    this.#setPacingRate(PACING_GAIN[this.#state]);
    this.#setWindow(sample);
  }

  #noteLoss(): void {
    const model = this.#model;
    if (model.lossInRound) return;
    this.#saveWindow();
    model.noteLoss();
    this.#episodeLosses = 0;
    this.#undoState = undefined;
    this.#undoBandwidthShortTerm = model.bandwidthShortTerm;
    this.#undoInflightShortTerm = model.inflightShortTerm;
    this.#undoInflightLongTerm = model.inflightLongTerm;
  }

  /** Section 5.3.1.3: a whole round trip of heavy loss fills the path as surely as a plateau. */
  #checkStartupLoss(sample: AckSample): void {
    if (this.#state !== "startup") return;
    const heavy =
      this.#lossRanges >= STARTUP_LOSS_RANGES && sample.lostSinceSentBytes > LOSS_THRESHOLD * sample.sentBytesInFlight;
    if (!heavy && !this.#markedInRound) return;
    const model = this.#model;
    this.#undoState = "startup";
    this.#pipe.reached = true;
    this.#pipe.fullNow = true;
    const bdp = model.minRttMs === Infinity ? 0 : model.bdp;
    model.inflightLongTerm = Math.max(bdp, model.sampleDelivered);
  }

  #isDrained(): boolean {
    const model = this.#model;
    return (
      this.#bytesInFlight <= this.#inflight(model.bandwidth) || model.roundCount > this.#drainStartRound + DRAIN_ROUNDS
    );
  }

  #isProbingCycle(): boolean {
    const state = this.#state;
    return state === "probeBwDown" || state === "probeBwCruise" || state === "probeBwRefill" || state === "probeBwUp";
  }

  #isAccelerating(): boolean {
    return this.#state === "startup" || this.#state === "probeBwRefill" || this.#state === "probeBwUp";
  }

  #startDown(now: number): void {
    const model = this.#model;
    model.resetCongestionSignals();
    this.#probeUpAckedPerIncrease = Infinity;
    model.roundsSinceProbeUp = this.#random.int(2);
    this.#probeWaitMs = PROBE_WAIT_MS + PROBE_WAIT_RANDOM_MS * this.#random.next();
    this.#cycleStartedAt = now;
    this.#ackPhase = "probeStopping";
    model.startRound();
    this.#state = "probeBwDown";
  }

  #startRefill(): void {
    this.#model.resetShortTerm();
    this.#probeUpRounds = 0;
    this.#probeUpAcked = 0;
    this.#priorProbePrecautionary = false;
    this.#ackPhase = "refilling";
    this.#model.startRound();
    this.#state = "probeBwRefill";
  }

  #startUp(): void {
    this.#ackPhase = "probeStarting";
    this.#model.startRound();
    this.#pipe.reset(this.#model.sampleBandwidth);
    this.#state = "probeBwUp";
    this.#raiseInflightSlope();
  }

  /** Section 5.3.3.9: UpdateProbeBWCyclePhase. */
  #updateCycle(sample: AckSample): void {
    const model = this.#model;
    if (this.#adaptLongTerm(sample)) return;
    switch (this.#state) {
      case "probeBwDown":
      case "probeBwCruise":
        if (this.#isTimeToProbe(sample.now)) this.#startRefill();
        else if (this.#state === "probeBwDown" && this.#isTimeToCruise()) this.#state = "probeBwCruise";
        return;
      case "probeBwRefill":
        if (!model.roundStart) return;
        this.#isProbeSample = true;
        this.#startUp();
        return;
      case "probeBwUp":
        if (!this.#isTimeToGoDown()) return;
        this.#priorProbeTooHigh = false;
        this.#startDown(sample.now);
        return;
      case "startup":
      case "drain":
      case "probeRtt":
    }
  }

  /** AdaptLongTermModel: true when it has decided on a state. */
  #adaptLongTerm(sample: AckSample): boolean {
    const model = this.#model;
    if (this.#ackPhase === "probeStarting" && model.roundStart) this.#ackPhase = "probeFeedback";
    if (this.#ackPhase === "probeStopping" && model.roundStart) {
      this.#isProbeSample = false;
      this.#ackPhase = "init";
      if (this.#isProbingCycle()) {
        if (!model.sampleAppLimited) model.advanceBandwidthFilter();
        if (this.#priorProbePrecautionary && !this.#priorProbeTooHigh) {
          this.#startRefill();
          return true;
        }
      }
    }
    if (this.#markedInAck) {
      if (!this.#isProbeSample) return false;
      this.#onInflightTooHigh(sample.sentBytesInFlight, model.sampleAppLimited);
      return true;
    }
    if (sample.lostSinceSentBytes > LOSS_THRESHOLD * sample.sentBytesInFlight) return false;
    if (model.inflightLongTerm === Infinity) return false;
    if (sample.sentBytesInFlight > model.inflightLongTerm) model.inflightLongTerm = sample.sentBytesInFlight;
    if (this.#state === "probeBwUp") this.#probeInflightUpward(sample.ackedBytes);
    return false;
  }

  /** HandleInflightTooHigh. */
  #onInflightTooHigh(inflight: number, appLimited: boolean): void {
    const model = this.#model;
    this.#priorProbeTooHigh = true;
    this.#isProbeSample = false;
    if (!appLimited) {
      model.inflightLongTerm = Math.max((1 - HEADROOM) * inflight, this.#targetInflight() * BBR_BETA);
    }
    if (this.#state !== "probeBwUp") return;
    this.#undoState = "probeBwUp";
    this.#startDown(this.#now);
  }

  #isTimeToProbe(now: number): boolean {
    if (now > this.#cycleStartedAt + this.#probeWaitMs) return true;
    // As often as Reno would fill the path again, so that Reno gets its share.
    const rounds = Math.min(this.#targetInflight() / this.#packetBytes, RENO_PROBE_ROUNDS);
    return this.#model.roundsSinceProbeUp >= rounds;
  }

  #isTimeToCruise(): boolean {
    const inFlight = this.#bytesInFlight;
    return inFlight <= this.#inflightWithHeadroom() && inFlight <= this.#inflight(this.#model.maxBandwidth);
  }

  #isTimeToGoDown(): boolean {
    const limit = this.#model.inflightLongTerm;
    if (this.#priorProbeTooHigh && this.#bytesInFlight >= limit) {
      this.#priorProbePrecautionary = true;
      return true;
    }
    if (this.#isWindowLimited() && this.windowBytes >= limit) {
      // The limit holds the bandwidth down: no plateau of the path's.
      this.#pipe.reset(this.#model.sampleBandwidth);
      return false;
    }
    return this.#pipe.fullNow;
  }

  #isWindowLimited(): boolean {
    return this.#limitedInRound || this.#limitedInLastRound;
  }

  #raiseInflightSlope(): void {
    const growth = 2 ** this.#probeUpRounds;
    this.#probeUpRounds = Math.min(this.#probeUpRounds + 1, 30);
    this.#probeUpAckedPerIncrease = Math.max(this.windowBytes / growth, this.#packetBytes);
  }

  #probeInflightUpward(ackedBytes: number): void {
    const model = this.#model;
    if (!this.#isWindowLimited() || this.windowBytes < model.inflightLongTerm) return;
    this.#probeUpAcked += ackedBytes;
    const steps = Math.floor(this.#probeUpAcked / this.#probeUpAckedPerIncrease);
    if (steps > 0) {
      this.#probeUpAcked -= steps * this.#probeUpAckedPerIncrease;
      model.inflightLongTerm += steps * this.#packetBytes;
    }
    if (model.roundStart) this.#raiseInflightSlope();
  }

  /** Section 5.3.4.3. */
  #checkProbeRtt(now: number): void {
    const model = this.#model;
    if (this.#state !== "probeRtt" && model.probeRttExpired && !this.#idleRestart) {
      this.#saveWindow();
      this.#state = "probeRtt";
      this.#probeRttDoneAt = -1;
      this.#ackPhase = "probeStopping";
      model.startRound();
    }
    if (this.#state === "probeRtt") {
      model.markAppLimited(this.#bytesInFlight);
      if (this.#probeRttDoneAt < 0) {
        if (this.#bytesInFlight <= this.#probeRttWindow()) {
          this.#probeRttDoneAt = now + PROBE_RTT_DURATION_MS;
          this.#probeRttRoundDone = false;
          model.startRound();
        }
      } else {
        if (model.roundStart) this.#probeRttRoundDone = true;
        if (this.#probeRttRoundDone) this.#checkProbeRttDone(now);
      }
    }
    if (model.sampleDelivered > 0) this.#idleRestart = false;
  }

  #checkProbeRttDone(now: number): void {
    if (this.#probeRttDoneAt < 0 || now <= this.#probeRttDoneAt) return;
    const model = this.#model;
    model.probeRttMinAt = now;
    this.#restoreWindow();
    model.resetShortTerm();
    if (this.#pipe.reached) {
      this.#startDown(now);
      this.#state = "probeBwCruise";
    } else {
      this.#state = "startup";
    }
  }

  #saveWindow(): void {
    const held = this.#model.lossInRound || this.#state === "probeRtt";
    this.#priorWindowBytes = held ? Math.max(this.#priorWindowBytes, this.windowBytes) : this.windowBytes;
  }

  #restoreWindow(): void {
    this.windowBytes = Math.max(this.windowBytes, this.#priorWindowBytes);
  }

  #setPacingRate(gain: number): void {
    const rate = gain * this.#model.bandwidth * PACING_MARGIN;
    if (rate > 0 && (this.#pipe.reached || rate > this.pacingRateBytesPerSec)) {
      this.pacingRateBytesPerSec = rate;
    }
  }

  /** Section 5.6.4.6 and 5.6.4.7. */
  #setWindow(sample: AckSample): void {
    const model = this.#model;
    const state = this.#state;
    const maximum = this.#maxInflight();
    const grown = this.windowBytes + sample.ackedBytes;
    if (this.#pipe.reached) this.windowBytes = Math.min(grown, maximum);
    else if (this.windowBytes < maximum || sample.deliveredBytes < this.#initialWindowBytes) this.windowBytes = grown;
    if (this.windowBytes < this.#minimumWindowBytes) this.windowBytes = this.#minimumWindowBytes;
    if (state === "probeRtt") this.windowBytes = Math.min(this.windowBytes, this.#probeRttWindow());
    let cap = Infinity;
    if (state === "probeRtt" || state === "probeBwCruise") cap = this.#inflightWithHeadroom();
    else if (this.#isProbingCycle()) cap = model.inflightLongTerm;
    cap = Math.max(Math.min(cap, model.inflightShortTerm), this.#minimumWindowBytes);
    if (this.windowBytes > cap) this.windowBytes = cap;
  }

  #bdpTimes(gain: number): number {
    const { minRttMs, bdp } = this.#model;
    return minRttMs === Infinity ? this.#initialWindowBytes : gain * bdp;
  }

  #maxInflight(): number {
    const state = this.#state;
    const gain = state === "probeBwUp" ? WINDOW_GAIN_UP : state === "probeRtt" ? WINDOW_GAIN_PROBE_RTT : WINDOW_GAIN;
    return this.#withBudget(this.#bdpTimes(gain) + this.#model.extraAcked);
  }

  /** What fills the path at this bandwidth. */
  #inflight(bandwidth: number): number {
    const { minRttMs } = this.#model;
    return this.#withBudget(minRttMs === Infinity ? this.#initialWindowBytes : (bandwidth * minRttMs) / 1000);
  }

  /** Section 5.6.4.2: never less than what pacer and delayed ACKs hold back. */
  #withBudget(inflight: number): number {
    const quantum = Math.min((this.pacingRateBytesPerSec * QUANTUM_MS) / 1000, MAX_QUANTUM_BYTES);
    const budget = Math.max(inflight, quantum, this.#minimumWindowBytes);
    return this.#state === "probeBwUp" ? budget + 2 * this.#packetBytes : budget;
  }

  #targetInflight(): number {
    return Math.min(this.#bdpTimes(1), this.windowBytes);
  }

  #inflightWithHeadroom(): number {
    const limit = this.#model.inflightLongTerm;
    if (limit === Infinity) return Infinity;
    return Math.max(limit - Math.max(this.#packetBytes, HEADROOM * limit), this.#minimumWindowBytes);
  }

  #probeRttWindow(): number {
    return Math.max(this.#bdpTimes(WINDOW_GAIN_PROBE_RTT), this.#minimumWindowBytes);
  }
}
