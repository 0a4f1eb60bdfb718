/** State schemas, snapshots, prediction and rewind: pure, tick by tick. */
export * from "./adapters/index.ts";
export * from "./debug/index.ts";
export * from "./determinism/index.ts";
export * from "./game/index.ts";
export * from "./math/index.ts";
export * from "./prediction/index.ts";
export * from "./rewind/index.ts";
export * from "./state/index.ts";
export * from "./time/index.ts";
