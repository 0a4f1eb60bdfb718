/** Mathematics with the same bits in every engine: what a step may use where `Math.sin` may not. */
export { acos, asin, atan, atan2 } from "./inverse-trigonometry.ts";
export { exp, log, pow } from "./exponential.ts";
export { hypot, sqrt } from "./root.ts";
export { cos, sin, tan } from "./trigonometry.ts";
