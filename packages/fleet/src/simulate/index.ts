export { FULL_SCALE, INCIDENTS, SIMULATION_DEFAULTS } from "./simulation-options.ts";
export type { Incident, SimulationOptions } from "./simulation-options.ts";
export type { LatencyReport, Sample, SimulationReport } from "./simulation-report.ts";
export { Simulation } from "./simulation.ts";
