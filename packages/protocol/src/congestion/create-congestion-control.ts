/** Congestion control by name: for options, configuration files and admin tools. */

import { BbrCongestionControl } from "./bbr-congestion-control.ts";
import type { CongestionControl } from "./congestion-control.ts";
import { CubicCongestionControl } from "./cubic-congestion-control.ts";
import { NewRenoCongestionControl } from "./new-reno-congestion-control.ts";

export type CongestionControlName = "newReno" | "cubic" | "bbr";

export interface CongestionControlOptions {
  /** Default 1200. */
  readonly packetBytes?: number;
  /** Default ten packets (RFC 9002 section 7.2). */
  readonly initialWindowBytes?: number;
  /** BBR only: for the times between probes, which should differ between flows. Default: another one for each controller of a factory. */
  readonly seed?: number;
}

export const CONGESTION_CONTROL_NAMES: readonly CongestionControlName[] = ["newReno", "cubic", "bbr"];

/** Makes fresh controllers; one that `congestionControlFactory` made says of which algorithm, so that another thread can make the same. */
export interface CongestionControlFactory {
  (): CongestionControl;
  readonly algorithm?: CongestionControlName;
  readonly options?: CongestionControlOptions;
}

/**
 * Makes fresh controllers of one algorithm, as `Connection` and `listen` take it. A name that is none
 * throws `RangeError` at once, not when the first client comes.
 */
export function congestionControlFactory(
  name: CongestionControlName,
  options: CongestionControlOptions = {},
): CongestionControlFactory {
  if (!CONGESTION_CONTROL_NAMES.includes(name)) {
    throw new RangeError(`congestion control is one of ${CONGESTION_CONTROL_NAMES.join(", ")}, got ${name}`);
  }
  let made = 0;
  const create = (): CongestionControl => createCongestionControl(name, { seed: ++made, ...options });
  return Object.assign(create, { algorithm: name, options });
}

/** One fresh controller. */
export function createCongestionControl(
  name: CongestionControlName,
  options: CongestionControlOptions = {},
): CongestionControl {
  const { seed, ...common } = options;
  switch (name) {
    case "newReno":
      return new NewRenoCongestionControl(common);
    case "cubic":
      return new CubicCongestionControl(common);
    case "bbr":
      return new BbrCongestionControl({ ...common, ...(seed !== undefined && { seed }) });
  }
}
