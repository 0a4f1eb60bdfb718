export { NetworkConditionSimulator } from "./network-condition-simulator.ts";
export type { NetworkConditionSimulatorOptions, SimulatedPacket } from "./network-condition-simulator.ts";
export { checkNetworkConditions } from "./network-conditions.ts";
export type { BurstLoss, NetworkConditions } from "./network-conditions.ts";
