import type { RoutingConfig } from "../config/load-balancer-config.ts";

export const ROUTING_DEFAULTS: RoutingConfig = {
  strategy: "composite",
  weights: { latency: 1, load: 40, cpu: 60, sticky: 10 },
  sampledNodes: 4,
  sampledRegions: 3,
  maxLatencyMs: 400,
  slowStartMs: 30_000,
  panicThreshold: 0.5,
  ejectAfterFailures: 5,
  ejectForMs: 10_000,
  maxEjectedShare: 0.2,
};
