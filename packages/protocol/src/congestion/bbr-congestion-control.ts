import { Random } from "../random.ts";
import { BbrControl } from "./bbr-control.ts";
import { LossEpisode } from "./bbr-loss-episode.ts";
import { BBR_BETA, BbrPathModel } from "./bbr-path-model.ts";
import { RttProbe } from "./bbr-rtt-probe.ts";
import { PACING_GAIN, isAccelerating, isBandwidthCycle } from "./bbr-state.ts";
import type { BbrState } from "./bbr-state.ts";
import { UpwardProbe } from "./bbr-upward-probe.ts";
import type { AckSample, CongestionControl, LostPacket } from "./congestion-control.ts";
import { FullPipe } from "./full-pipe.ts";

export type { BbrState } from "./bbr-state.ts";

export interface BbrOptions {
  /** Default 1200. */
  readonly packetBytes?: number;
  /** Default ten packets (RFC 9002 section 7.2). */
  readonly initialWindowBytes?: number;
  /** For the times between probes, which should differ between flows. Default 1. */
  readonly seed?: number;
}

const LOSS_THRESHOLD = 0.02;
/** Ours: fewer full packets lost than this are never too much for a probe. */
const LOSS_MINIMUM_PACKETS = 3;
/** Section 5.3.1.3. */
const STARTUP_LOSS_RANGES = 6;
const DRAIN_ROUNDS = 3;
/** Section 5.3.3.8. */
const PROBE_WAIT_MS = 2000;
const PROBE_WAIT_RANDOM_MS = 1000;
/** Ours, after ProbeRTT: flows leave that together. */
const WAIT_AFTER_PROBE_RTT_MS = 500;
const WAIT_AFTER_PROBE_RTT_RANDOM_MS = 3000;
const RENO_PROBE_ROUNDS = 63;

/** What the ACKs that come in now tell (BBR.ack_phase). */
type AckPhase = "init" | "refilling" | "probeStarting" | "probeFeedback" | "probeStopping";

/**
 * BBR version 3 (draft-ietf-ccwg-bbr): measures the path's bandwidth and round trip and sends at
 * that rate, with about that much in flight, instead of filling the queue until it overflows. Losses
 * count when they pass 2 % of a round trip. Section numbers are those of the draft of August 2026.
 *
 * Where the draft leaves the choice: a round trip with an ECN mark is one over the loss threshold.
 *
 * Four departures, all so that flows come to equal shares; docs/congestion.md has what each is worth.
 * The bandwidth of older cycles is forgotten also when ProbeRTT interrupts a probe. Losses end a probe only
 * from three packets on. The wait after ProbeRTT is 0.5 to 3.5 s. A probe raises the limit by four packets first.
 *
 * This class is the state machine (section 5.3): BbrPathModel is what it believes, BbrControl what it sends by.
 */
export class BbrCongestionControl implements CongestionControl {
  readonly name = "bbr";
  readonly #packetBytes: number;
  readonly #random: Random;
  readonly #model: BbrPathModel;
  readonly #control: BbrControl;
  readonly #pipe: FullPipe;
  readonly #losses: LossEpisode;
  readonly #upward: UpwardProbe;
  readonly #rttProbe: RttProbe;
  #state: BbrState;
  #bytesInFlight: number;
  /** The newest time heard of. */
  #now: number;
  #idleRestart: boolean;
  /** The window was full in the current and in the last round trip. */
  #limitedInRound: boolean;
  #limitedInLastRound: boolean;
  #drainStartRound: number;
  #ackPhase: AckPhase;
  #isProbeSample: boolean;
  #cycleStartedAt: number;
  #probeWaitMs: number;
  #priorProbeTooHigh: boolean;
  #priorProbePrecautionary: boolean;
  #markedInAck: boolean;

  constructor(options: BbrOptions = {}) {
    this.#packetBytes = options.packetBytes ?? 1200;
    this.#random = new Random(options.seed ?? 1);
    this.#model = new BbrPathModel();
    this.#control = new BbrControl(
      this.#model,
      this.#packetBytes,
      options.initialWindowBytes ?? 10 * this.#packetBytes,
    );
    this.#pipe = new FullPipe();
    this.#losses = new LossEpisode();
    this.#upward = new UpwardProbe(this.#packetBytes);
    this.#rttProbe = new RttProbe();
    this.#state = "startup";
    this.#bytesInFlight = 0;
    this.#now = 0;
    this.#idleRestart = false;
    this.#limitedInRound = false;
    this.#limitedInLastRound = false;
    this.#drainStartRound = 0;
    this.#ackPhase = "init";
    this.#isProbeSample = false;
    this.#cycleStartedAt = 0;
    this.#probeWaitMs = 0;
    this.#priorProbeTooHigh = false;
    this.#priorProbePrecautionary = false;
    this.#markedInAck = false;
  }

  get windowBytes(): number {
    return this.#control.windowBytes;
  }

  get pacingRateBytesPerSec(): number {
    return this.#control.pacingRateBytesPerSec;
  }

  get pacingIntervalMs(): number {
    return (this.#packetBytes / this.#control.pacingRateBytesPerSec) * 1000;
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

  /** Section 5.4: HandleRestartFromIdle. */
  onPacketSent(bytes: number, bytesInFlight: number, now: number): void {
    const model = this.#model;
    this.#bytesInFlight = bytesInFlight;
    this.#now = now;
    if (bytesInFlight >= this.#control.windowBytes) this.#limitedInRound = true;
    if (bytesInFlight > bytes || model.delivered === 0) return;
    this.#idleRestart = true;
    model.restartAckAggregation(now);
    if (isBandwidthCycle(this.#state)) this.#control.setPacingRate(1, this.#pipe.reached);
    else if (this.#state === "probeRtt" && this.#rttProbe.isOver(now)) this.#leaveProbeRtt(now);
  }

  onPacketAcked(bytes: number, _sentAt: number, _priorBytesInFlight: number, now: number): void {
    this.#now = now;
    this.#model.delivered += bytes; // so that a loss in the same ACK knows it
  }

  /** Section 5.5.10.2: HandleLostPacket. */
  onPacketLost(packet: LostPacket): void {
    this.#noteLoss();
    this.#losses.onLost(packet.packetNumber);
    if (!this.#isProbeSample) return;
    const lost = packet.lostSinceSentBytes;
    if (!this.#isTooMuchLoss(lost, packet.sentBytesInFlight)) return;
    // With how much in flight did losses pass the threshold?
    const before = packet.sentBytesInFlight - packet.bytes;
    const lostBefore = lost - packet.bytes;
    const prefix = (LOSS_THRESHOLD * before - lostBefore) / (1 - LOSS_THRESHOLD);
    this.#onInflightTooHigh(before + prefix, packet.appLimited);
  }

  onPacketsLost(_bytes: number, _sentAt: number, persistent: boolean, _now: number): void {
    if (!persistent) return;
    this.#saveWindow();
    this.#control.collapse(this.#bytesInFlight);
  }

  onEcnCongestion(_sentAt: number, _now: number): void {
    this.#noteLoss();
    this.#losses.onMarked();
    this.#markedInAck = true;
  }

  /** Section 5.5.11.2: HandleSpuriousLossDetection. */
  onSpuriousLoss(_now: number): void {
    const losses = this.#losses;
    if (!losses.onFound()) return;
    this.#control.restoreWindow();
    this.#model.lossInRound = false;
    this.#pipe.reset();
    losses.undo(this.#model);
    if (losses.endedState === "startup" && this.#state !== "startup") {
      this.#pipe.reached = false;
      if (this.#state !== "probeRtt") this.#state = "startup";
    } else if (losses.endedState === "probeBwUp" && this.#state !== "probeBwUp" && this.#state !== "probeRtt") {
      this.#startRefill();
    }
    losses.endedState = undefined;
  }

  /** Section 5.2.3: UpdateModelAndState, then UpdateControlParameters. */
  onAckProcessed(sample: AckSample): void {
    const model = this.#model;
    const control = this.#control;
    const pipe = this.#pipe;
    const { now } = sample;
    this.#bytesInFlight = sample.bytesInFlight;
    this.#now = now;
    model.takeSample(sample);
    if (model.roundStart) {
      this.#limitedInLastRound = this.#limitedInRound;
      this.#limitedInRound = false;
    }
    if (model.lossRoundStart) {
      if (model.lossInRound && !isAccelerating(this.#state)) model.lowerShortTerm(control.windowBytes);
      this.#checkStartupLoss(sample);
      model.lossInRound = false;
      this.#losses.onRoundEnd();
    }
    model.updateAckAggregation(sample.ackedBytes, control.windowBytes, pipe.reached, now);
    if (model.roundStart && !model.sampleAppLimited) pipe.onRound(model.sampleBandwidth);
    if (this.#state === "startup" && pipe.reached) {
      this.#state = "drain";
      this.#drainStartRound = model.roundCount;
    }
    if (this.#state === "drain" && this.#isDrained()) this.#startDown(now);
    if (pipe.reached) this.#updateCycle(sample);
    this.#markedInAck = false;
    const knewRtt = model.minRttMs !== Infinity;
    model.updateMinRtt(sample.rttSampled ? sample.latestRttMs : -1, now);
    this.#checkProbeRtt(now);
    model.finishSample();

    if (!knewRtt && model.minRttMs !== Infinity) control.initializePacing(PACING_GAIN.startup, sample.smoothedRttMs);
    control.setPacingRate(PACING_GAIN[this.#state], pipe.reached);
    control.setWindow(sample, this.#state, pipe.reached);
  }

  #noteLoss(): void {
    const model = this.#model;
    if (model.lossInRound) return;
    this.#saveWindow();
    model.noteLoss();
    this.#losses.start(model);
  }

  /** IsInflightTooHigh, from three full packets on. */
  #isTooMuchLoss(lostBytes: number, sentBytesInFlight: number): boolean {
    return lostBytes > LOSS_THRESHOLD * sentBytesInFlight && lostBytes >= LOSS_MINIMUM_PACKETS * this.#packetBytes;
  }

  /** Section 5.3.1.3: a whole round trip of heavy loss fills the path as surely as a plateau. */
  #checkStartupLoss(sample: AckSample): void {
    if (this.#state !== "startup") return;
    const heavy =
      this.#losses.ranges >= STARTUP_LOSS_RANGES &&
      sample.lostSinceSentBytes > LOSS_THRESHOLD * sample.sentBytesInFlight;
    if (!heavy && !this.#losses.marked) return;
    const model = this.#model;
    this.#losses.endedState = "startup";
    this.#pipe.reached = true;
    this.#pipe.fullNow = true;
    const bdp = model.minRttMs === Infinity ? 0 : model.bdp;
    model.inflightLongTerm = Math.max(bdp, model.sampleDelivered);
  }

  #isDrained(): boolean {
    const model = this.#model;
    return (
      this.#bytesInFlight <= this.#control.inflight(model.bandwidth, this.#state) ||
      model.roundCount > this.#drainStartRound + DRAIN_ROUNDS
    );
  }

  #startDown(now: number): void {
    const model = this.#model;
    model.resetCongestionSignals();
    this.#upward.stop();
    model.roundsSinceProbeUp = this.#random.int(2);
    this.#probeWaitMs = PROBE_WAIT_MS + PROBE_WAIT_RANDOM_MS * this.#random.next();
    this.#cycleStartedAt = now;
    this.#ackPhase = "probeStopping";
    model.startRound();
    this.#state = "probeBwDown";
  }

  #startRefill(): void {
    this.#model.resetShortTerm();
    this.#upward.reset();
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
    this.#upward.steepen(this.#control.windowBytes);
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
      if (isBandwidthCycle(this.#state)) {
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
    if (this.#isTooMuchLoss(sample.lostSinceSentBytes, sample.sentBytesInFlight)) return false;
    if (model.inflightLongTerm === Infinity) return false;
    if (sample.sentBytesInFlight > model.inflightLongTerm) model.inflightLongTerm = sample.sentBytesInFlight;
    if (this.#state === "probeBwUp") this.#raiseLimit(sample.ackedBytes);
    return false;
  }

  /** ProbeInflightLongtermUpward: a limit that is not in use does not grow. */
  #raiseLimit(ackedBytes: number): void {
    const model = this.#model;
    const { windowBytes } = this.#control;
    if (!this.#isWindowLimited() || windowBytes < model.inflightLongTerm) return;
    model.inflightLongTerm += this.#upward.raise(ackedBytes);
    if (model.roundStart) this.#upward.steepen(windowBytes);
  }

  /** HandleInflightTooHigh. */
  #onInflightTooHigh(inflight: number, appLimited: boolean): void {
    this.#priorProbeTooHigh = true;
    this.#isProbeSample = false;
    if (!appLimited) {
      this.#model.inflightLongTerm = Math.max(inflight, this.#control.targetInflight() * BBR_BETA);
    }
    if (this.#state !== "probeBwUp") return;
    this.#losses.endedState = "probeBwUp";
    this.#startDown(this.#now);
  }

  #isTimeToProbe(now: number): boolean {
    if (now > this.#cycleStartedAt + this.#probeWaitMs) return true;
    // As often as Reno would fill the path again, so that Reno gets its share.
    const rounds = Math.min(this.#control.targetInflight() / this.#packetBytes, RENO_PROBE_ROUNDS);
    return this.#model.roundsSinceProbeUp >= rounds;
  }

  #isTimeToCruise(): boolean {
    const inFlight = this.#bytesInFlight;
    const control = this.#control;
    return (
      inFlight <= control.inflightWithHeadroom() && inFlight <= control.inflight(this.#model.maxBandwidth, this.#state)
    );
  }

  #isTimeToGoDown(): boolean {
    const limit = this.#model.inflightLongTerm;
    if (this.#priorProbeTooHigh && this.#bytesInFlight >= limit) {
      this.#priorProbePrecautionary = true;
      return true;
    }
    if (this.#isWindowLimited() && this.#control.windowBytes >= limit) {
      // The limit holds the bandwidth down: no plateau of the path's.
      this.#pipe.reset(this.#model.sampleBandwidth);
      return false;
    }
    return this.#pipe.fullNow;
  }

  #isWindowLimited(): boolean {
    return this.#limitedInRound || this.#limitedInLastRound;
  }

  /** Section 5.3.4.3. */
  #checkProbeRtt(now: number): void {
    const model = this.#model;
    const probe = this.#rttProbe;
    if (this.#state !== "probeRtt" && model.probeRttExpired && !this.#idleRestart) {
      this.#saveWindow();
      this.#forgetOldCycle();
      this.#state = "probeRtt";
      probe.start();
      this.#ackPhase = "probeStopping";
      model.startRound();
    }
    if (this.#state === "probeRtt") {
      model.markAppLimited(this.#bytesInFlight);
      if (probe.begins(this.#bytesInFlight, this.#control.probeRttWindow(), now)) model.startRound();
      else if (probe.onAck(model.roundStart, now)) this.#leaveProbeRtt(now);
    }
    if (model.sampleDelivered > 0) this.#idleRestart = false;
  }

  /**
   * The draft forgets one round trip behind a probe, which a ProbeRTT in between prevents. Where a queue makes round
   * trips so long that this happens in each cycle, flows would keep the bandwidths of their first seconds for ever.
   */
  #forgetOldCycle(): void {
    if (this.#ackPhase === "init" || this.#ackPhase === "refilling") return;
    if (!this.#model.sampleAppLimited) this.#model.advanceBandwidthFilter();
  }

  #leaveProbeRtt(now: number): void {
    const model = this.#model;
    model.probeRttMinAt = now;
    this.#control.restoreWindow();
    model.resetShortTerm();
    if (this.#pipe.reached) {
      this.#startDown(now);
      this.#probeWaitMs = WAIT_AFTER_PROBE_RTT_MS + WAIT_AFTER_PROBE_RTT_RANDOM_MS * this.#random.next();
      this.#state = "probeBwCruise";
    } else {
      this.#state = "startup";
    }
  }

  #saveWindow(): void {
    this.#control.saveWindow(this.#model.lossInRound || this.#state === "probeRtt");
  }
}
