export type { StoreCounts, StoreKind } from "./counting-store.ts";
export type { Quantiles } from "./histogram.ts";
export { FULL_SCALE, INCIDENTS, SIMULATION_DEFAULTS } from "./simulation-options.ts";
export type { Incident, SimulationOptions } from "./simulation-options.ts";
export type { LatencyReport, Sample, SimulationReport } from "./simulation-report.ts";
export { Simulation } from "./simulation.ts";
export { routingVariants, simulationConfig } from "./variants.ts";
