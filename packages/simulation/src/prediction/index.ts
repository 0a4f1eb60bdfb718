export { ClientPrediction } from "./client-prediction.ts";
export type { AuthoritativeTable, Misprediction, PredictionSource, PredictionStats } from "./client-prediction.ts";
export { CorrectionOffsets } from "./correction-offsets.ts";
export { InputBuffer } from "./input/input-buffer.ts";
export type { InputBufferOptions, ViewStamp } from "./input/input-buffer.ts";
export { StateInterpolator } from "./interpolation/state-interpolator.ts";
export type { StateSample, UpdatedTable } from "./interpolation/state-interpolator.ts";
export { INTERPOLATION_MODES } from "./interpolation/interpolation-mode.ts";
export type { InterpolationMode } from "./interpolation/interpolation-mode.ts";
