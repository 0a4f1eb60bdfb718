export { ClientPrediction } from "./client-prediction.ts";
export type { AuthoritativeTable, Misprediction, PredictionSource, PredictionStats } from "./client-prediction.ts";
export { CorrectionOffsets } from "./correction-offsets.ts";
export { InputBuffer } from "./input-buffer.ts";
export type { InputBufferOptions, ViewStamp } from "./input-buffer.ts";
export { StateInterpolator } from "./state-interpolator.ts";
export type { StateSample, UpdatedTable } from "./state-interpolator.ts";
