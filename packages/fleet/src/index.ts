export { BalancerServer } from "./balancer/balancer-server.ts";
export type { BalancerServerOptions, StatsReply } from "./balancer/balancer-server.ts";
export { GlobalLoadBalancer } from "./balancer/global-load-balancer.ts";
export type { BalancerStats, GlobalLoadBalancerOptions } from "./balancer/global-load-balancer.ts";
export type { ConfigChange } from "./config/config-book.ts";
export { ConfigError } from "./config/config-rules.ts";
export type { DryRunReport } from "./config/dry-run.ts";
export { DEFAULT_CONFIG } from "./config/config-defaults.ts";
export type * from "./config/load-balancer-config.ts";
export { DB_IP_ATTRIBUTION, NRO_ATTRIBUTION } from "./geoip/attribution.ts";
export type { Attribution } from "./geoip/attribution.ts";
export type { ClientLocator } from "./geoip/client-locator.ts";
export type { DatabaseChecks, Probe } from "./geoip/database-checks.ts";
export type { DatabaseSource } from "./geoip/database-source.ts";
export { GeoIpError } from "./geoip/geo-ip-error.ts";
export type { GeoIpErrorCode } from "./geoip/geo-ip-error.ts";
export type {
  DatabaseStats,
  GeoIpOptions,
  GeoIpStats,
  GeoIpUpdate,
  GeoIpUpdateRequest,
  LocationExplanation,
  LookupOutcome,
} from "./geoip/geo-ip-options.ts";
export { GeoIp } from "./geoip/geo-ip.ts";
export type { LocationOverride, RegionCoordinates } from "./geoip/location-overrides.ts";
export { packagedCityDatabases, packagedCountryDatabases } from "./geoip/packaged-databases.ts";
export type {
  AllocatedSeat,
  AllocateClient,
  AllocateRefusal,
  AllocateReply,
  AllocateRequest,
  Allocation,
  ConfigVersion,
  ExplainReply,
  GeoIpReply,
  GeoIpUpdateReply,
  NodeCommand,
  Waiting,
} from "./http/balancer-api.ts";
export { signOperatorToken } from "./http/credentials.ts";
export type { NodeKey, OperatorTokenOptions, Scope, TokenTrust } from "./http/credentials.ts";
export type { LoadBalancerStats, RegionStats } from "./metrics/load-balancer-stats.ts";
export type { OriginStats, PlayerOrigin } from "./metrics/player-origins.ts";
export type { AgonesWebhook } from "./http/agones-routes.ts";
export { FleetNode } from "./node/fleet-node.ts";
export type { FleetNodeOptions, RegistrationOptions, SeatLedgerView } from "./node/fleet-node.ts";
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
export { AgonesDriver } from "./scaling/agones/agones-driver.ts";
export type { AgonesDriverOptions } from "./scaling/agones/agones-driver.ts";
export type { FleetAutoscaleReview } from "./scaling/agones/autoscale-review.ts";
export { AgonesSdk } from "./scaling/agones/agones-sdk.ts";
export type { AgonesGameServer, AgonesSdkOptions } from "./scaling/agones/agones-sdk.ts";
export { KubernetesApi } from "./scaling/agones/kubernetes-api.ts";
export type { KubernetesApiOptions } from "./scaling/agones/kubernetes-api.ts";
export type { ScalingExplanation } from "./scaling/fleet-scaler.ts";
export { LocalDriver } from "./scaling/local-driver.ts";
export type { LocalDriverOptions } from "./scaling/local-driver.ts";
export type { ScalingDriver } from "./scaling/scaling-driver.ts";
export { RegionScaler } from "./scaling/region-scaler.ts";
export type { RegionScalerOptions } from "./scaling/region-scaler.ts";
export { describeDecision } from "./scaling/scaling-decision.ts";
export type {
  NotedDecision,
  RegionScalingStatus,
  ScalingDecision,
  ScalingDecisionKind,
} from "./scaling/scaling-decision.ts";
export { EmbeddedStore } from "./store/embedded-store.ts";
export type { EmbeddedStoreOptions } from "./store/embedded-store.ts";
export { StoreError } from "./store/state-store.ts";
export type { StateStore, StoreEntry, StoreEvent, StoreStatus } from "./store/state-store.ts";
