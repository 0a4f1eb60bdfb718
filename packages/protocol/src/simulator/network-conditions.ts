/** What a simulated link does to packets, in one direction. Rates are probabilities from 0 to 1. */
export interface NetworkConditions {
  /** One-way delay. Default 0. */
  readonly latencyMs?: number;
  /** Every delay is drawn evenly from `latencyMs` plus or minus this; packets of one path stay in order. Default 0. */
  readonly jitterMs?: number;
  /** Probability that a packet is lost, each alone. Default 0. */
  readonly lossRate?: number;
  /** Loss in bursts, besides `lossRate`. */
  readonly burst?: BurstLoss | undefined;
  /** Probability that a packet arrives twice. Default 0. */
  readonly duplicateRate?: number;
  /** Probability that a packet arrives with one bit changed. Default 0. */
  readonly corruptRate?: number;
  /** Probability that a packet is overtaken by later ones. Default 0. */
  readonly reorderRate?: number;
  /** How much later an overtaken packet arrives. Default 25. */
  readonly reorderDelayMs?: number;
  /** The link's speed. Default: unlimited. */
  readonly bandwidthBytesPerSec?: number | undefined;
  /** The queue before a limited link; what does not fit is lost. Default 65,536. */
  readonly queueBytes?: number;
  /** Datagrams larger than this are lost. Default: none are. */
  readonly mtuBytes?: number | undefined;
}

/** Gilbert and Elliott's model: the link is in a good or a bad state, and may change with every packet. */
export interface BurstLoss {
  /** Probability to turn bad, for each packet sent while good. */
  readonly enterRate: number;
  /** Probability to turn good again, for each packet sent while bad; the mean burst is `1 / leaveRate` packets. */
  readonly leaveRate: number;
  /** Probability of loss while bad. Default 1. */
  readonly lossRate?: number;
}

/** Throws `RangeError` naming the field that is out of range. */
export function checkNetworkConditions(conditions: NetworkConditions): void {
  atLeastZero("latencyMs", conditions.latencyMs);
  atLeastZero("jitterMs", conditions.jitterMs);
  rate("lossRate", conditions.lossRate);
  rate("duplicateRate", conditions.duplicateRate);
  rate("corruptRate", conditions.corruptRate);
  rate("reorderRate", conditions.reorderRate);
  atLeastZero("reorderDelayMs", conditions.reorderDelayMs);
  atLeastZero("queueBytes", conditions.queueBytes);
  const speed = conditions.bandwidthBytesPerSec;
  if (speed !== undefined && !(speed > 0)) throw new RangeError(`bandwidthBytesPerSec must be above 0, not ${speed}`);
  const { mtuBytes } = conditions;
  if (mtuBytes !== undefined && !(mtuBytes > 0)) throw new RangeError(`mtuBytes must be above 0, not ${mtuBytes}`);
  if (conditions.burst !== undefined) {
    rate("burst.enterRate", conditions.burst.enterRate);
    rate("burst.leaveRate", conditions.burst.leaveRate);
    rate("burst.lossRate", conditions.burst.lossRate);
  }
}

function rate(name: string, value: number | undefined): void {
  if (value !== undefined && !(value >= 0 && value <= 1)) {
    throw new RangeError(`${name} must be from 0 to 1, not ${value}`);
  }
}

function atLeastZero(name: string, value: number | undefined): void {
  if (value !== undefined && !(value >= 0 && value < Infinity)) {
    throw new RangeError(`${name} must be finite and not negative, not ${value}`);
  }
}
