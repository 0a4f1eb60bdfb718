/** The single functions of drawn motion that stand by themselves. */
import { extrapolatedTicks, hermite, speedAfter } from "./curve.ts";

export const InterpolationUtils: {
  readonly hermite: typeof hermite;
  readonly speedAfter: typeof speedAfter;
  readonly extrapolatedTicks: typeof extrapolatedTicks;
} = { hermite, speedAfter, extrapolatedTicks };
