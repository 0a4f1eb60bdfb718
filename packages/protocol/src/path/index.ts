export { MtuDiscovery } from "./mtu-discovery.ts";
export type { MtuDiscoveryOptions, MtuDiscoveryState } from "./mtu-discovery.ts";
