export { PredictionOverlay } from "./prediction-overlay.ts";
export type {
  OverlayCanvas,
  OverlayColors,
  OverlayValues,
  PredictionOverlayOptions,
  Projection,
} from "./prediction-overlay.ts";
