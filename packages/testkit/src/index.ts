export { carrierCompliance } from "./compliance/carrier-compliance.ts";
export type {
  CarrierHarness,
  ComplianceCase,
  ComplianceClient,
  ComplianceDialOptions,
  ComplianceHandlers,
  ComplianceServer,
  ComplianceServerOptions,
  Dialing,
} from "./compliance/carrier-harness.ts";
export { MemoryHarness } from "./compliance/memory-harness.ts";
export type { MemoryHarnessOptions } from "./compliance/memory-harness.ts";
export { Recorder } from "./compliance/recorder.ts";
export type { RecordedMessage } from "./compliance/recorder.ts";
export { MEMORY_TRAITS, SimulatedHost } from "./simulated-host.ts";
export { SimulatedNetwork } from "./simulated-network.ts";
export type { SimulatedNetworkOptions } from "./simulated-network.ts";
export { VirtualClock } from "./virtual-clock.ts";
