/** Ways of routing that are worth comparing, by name. */
import { ConfigBook } from "../config/config-book.ts";
import type { LoadBalancerConfig, RoutingConfig } from "../config/load-balancer-config.ts";

/** A configuration from what differs from the defaults. Throws a `RangeError` that names what is wrong. */
export function simulationConfig(patch: unknown): LoadBalancerConfig {
  return new ConfigBook({ initial: patch }).config;
}

type Change = (routing: RoutingConfig) => RoutingConfig;

const withStrategy =
  (strategy: RoutingConfig["strategy"]): Change =>
  (routing) => ({ ...routing, strategy });

const withWeights =
  (weights: Partial<RoutingConfig["weights"]>): Change =>
  (routing) => ({ ...routing, strategy: "composite", weights: { ...routing.weights, ...weights } });

const VARIANTS: Readonly<Record<string, Change>> = {
  composite: withStrategy("composite"),
  "composite, packed": withWeights({ load: -40, cpu: 0 }),
  "composite, nearest": withWeights({ load: 4, cpu: 0 }),
  latency: withStrategy("latency"),
  geographic: withStrategy("geographic"),
  powerOfTwo: withStrategy("powerOfTwo"),
  leastLoad: withStrategy("leastLoad"),
  weighted: withStrategy("weighted"),
  sticky: withStrategy("sticky"),
  consistentHash: withStrategy("consistentHash"),
};

/** The same configuration with each way of routing. */
export function routingVariants(config: LoadBalancerConfig): ReadonlyMap<string, LoadBalancerConfig> {
  return new Map(
    Object.entries(VARIANTS).map(([name, change]) => [name, { ...config, routing: change(config.routing) }]),
  );
}
