export type { AckSample, CongestionControl } from "./congestion-control.ts";
export { NewRenoCongestionControl } from "./new-reno-congestion-control.ts";
export type { NewRenoOptions } from "./new-reno-congestion-control.ts";
