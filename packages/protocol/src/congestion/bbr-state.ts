/** BBR's states (draft-ietf-ccwg-bbr section 5.1) and how fast each sends (section 5.6.1). */

export type BbrState =
  | "startup"
  | "drain"
  | "probeBwDown"
  | "probeBwCruise"
  | "probeBwRefill"
  | "probeBwUp"
  | "probeRtt";

/** Pacing rate by the bandwidth. */
export const PACING_GAIN: Readonly<Record<BbrState, number>> = {
  startup: 2.77,
  drain: 0.5,
  probeBwDown: 0.9,
  probeBwCruise: 1,
  probeBwRefill: 1,
  probeBwUp: 1.25,
  probeRtt: 1,
};

/** Window by the bandwidth-delay product. */
export function windowGain(state: BbrState): number {
  return state === "probeBwUp" ? 2.25 : state === "probeRtt" ? 0.5 : 2;
}

/** One of the four states of the bandwidth cycle. */
export function isBandwidthCycle(state: BbrState): boolean {
  return state === "probeBwDown" || state === "probeBwCruise" || state === "probeBwRefill" || state === "probeBwUp";
}

/** States that push for more: their losses say nothing about the short term. */
export function isAccelerating(state: BbrState): boolean {
  return state === "startup" || state === "probeBwRefill" || state === "probeBwUp";
}
