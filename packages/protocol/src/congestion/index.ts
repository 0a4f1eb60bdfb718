export { BbrCongestionControl } from "./bbr-congestion-control.ts";
export type { BbrOptions, BbrState } from "./bbr-congestion-control.ts";
export type { AckSample, CongestionControl, LostPacket } from "./congestion-control.ts";
export { CubicCongestionControl } from "./cubic-congestion-control.ts";
export type { CubicOptions } from "./cubic-congestion-control.ts";
export { NewRenoCongestionControl } from "./new-reno-congestion-control.ts";
export type { NewRenoOptions } from "./new-reno-congestion-control.ts";
export {
  CONGESTION_CONTROL_NAMES,
  congestionControlFactory,
  createCongestionControl,
} from "./create-congestion-control.ts";
export type {
  CongestionControlFactory,
  CongestionControlName,
  CongestionControlOptions,
} from "./create-congestion-control.ts";
