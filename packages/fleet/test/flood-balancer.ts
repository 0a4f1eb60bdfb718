/** The API on a port, with the default limits; it says which, and how it fares when it is asked. */
import { AuditLog } from "../src/http/audit-log.ts";
import type { GuardCounters } from "../src/http/connection-guard.ts";
import { NodeCredentials } from "../src/http/credentials.ts";
import { HttpApi } from "../src/http/http-api.ts";
import { FakeBalancer } from "./fake-balancer.ts";

export interface FloodBalancerReport extends GuardCounters {
  readonly open: number;
  /** Since the report before. */
  readonly cpuMs: number;
  /** 99th percentile, and most, of what was computed between two ticks of a timer of 5 ms: so long others waited for it. */
  readonly busyMsP99: number;
  readonly busyMsMax: number;
}

const http = await HttpApi.create({
  api: new FakeBalancer(),
  limits: () => ({
    requestsPerSec: 50,
    requestBurst: 200,
    connectionsPerPrefix: 256,
    connections: 16_384,
    challengeAbovePerSec: Infinity,
    proofBits: 18,
  }),
  nodeCredentials: new NodeCredentials({ keys: () => [], wallNow: Date.now }),
  audit: new AuditLog({ sink: { write: () => true }, wallNow: Date.now }),
});
process.send!(await http.listen({ port: 0, host: "0.0.0.0" }));

let used = process.cpuUsage();
let busyMs: number[] = [];
setInterval(() => {
  const { user, system } = process.cpuUsage(used);
  used = process.cpuUsage();
  busyMs.push((user + system) / 1000);
}, 5);
process.on("message", () => {
  const sorted = busyMs.sort((a, b) => a - b);
  busyMs = [];
  const report: FloodBalancerReport = {
    ...http.guard.counters,
    open: http.guard.open,
    cpuMs: sorted.reduce((sum, ms) => sum + ms, 0),
    busyMsP99: sorted[Math.floor(sorted.length * 0.99)],
    busyMsMax: sorted[sorted.length - 1],
  };
  process.send!(report);
});
process.on("disconnect", () => process.exit());
