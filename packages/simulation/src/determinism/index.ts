export { checkDeterminism } from "./check-determinism.ts";
export type {
  Checkpoint,
  DeterminismOptions,
  DeterminismReport,
  DeterminismRun,
  Divergence,
} from "./check-determinism.ts";
export type { EngineCall } from "./engine-calls.ts";
