export { Bottleneck } from "./bottleneck.ts";
export type { BottleneckOptions } from "./bottleneck.ts";
export { FlowSimulator } from "./flow-simulator.ts";
export { SimulatedFlow } from "./simulated-flow.ts";
export type { SimulatedFlowOptions } from "./simulated-flow.ts";
