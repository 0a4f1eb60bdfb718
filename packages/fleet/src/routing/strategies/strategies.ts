import type { RoutingStrategy } from "../route-request.ts";
import { composite } from "./composite.ts";
import { consistentHash } from "./consistent-hash.ts";
import { geographic } from "./geographic.ts";
import { latency } from "./latency.ts";
import { leastLoad } from "./least-load.ts";
import { powerOfTwo } from "./power-of-two.ts";
import { sticky } from "./sticky.ts";
import type { Strategy } from "./strategy.ts";
import { weighted } from "./weighted.ts";

export const STRATEGIES: Readonly<Record<RoutingStrategy, Strategy>> = {
  geographic,
  latency,
  leastLoad,
  powerOfTwo,
  weighted,
  consistentHash,
  sticky,
  composite,
};
