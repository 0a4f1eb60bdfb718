export { createProgram } from "./program.ts";
export { runBalancer } from "./commands/balancer.ts";
export type { BalancerCommandOptions } from "./commands/balancer.ts";
