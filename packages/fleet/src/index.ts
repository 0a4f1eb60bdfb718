export { NodeTable } from "./registry/node-table.ts";
export type { NodeObserver, NodeTableOptions, TableRefusal } from "./registry/node-table.ts";
export type {
  CertifiedAddress,
  Coordinates,
  NodeAddresses,
  NodeCapacity,
  NodeLoad,
  NodeRegistration,
  NodeState,
  ServerNode,
} from "./registry/server-node.ts";
export { MaglevTable } from "./routing/maglev-table.ts";
export type * from "./routing/route-request.ts";
export { Router } from "./routing/router.ts";
export type { ExplainOptions, RouterOptions, RouterStats } from "./routing/router.ts";
export { ROUTING_DEFAULTS } from "./routing/routing-defaults.ts";
export type { RoutingConfig } from "./config/load-balancer-config.ts";
export type { ClientLocator } from "./geoip/client-locator.ts";
