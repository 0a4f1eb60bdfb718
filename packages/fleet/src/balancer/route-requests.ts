/** Makes of what a player asked what a router is asked: where each client is, and where it played last. */
import type { ClientLocator } from "../geoip/client-locator.ts";
import type { AllocateClient, AllocateRequest } from "../http/balancer-api.ts";
import type { FleetMetrics } from "../metrics/fleet-metrics.ts";
import type { RouteClient, RouteRequest } from "../routing/route-request.ts";
import type { LastRegions } from "./last-regions.ts";

export interface RouteRequestsOptions {
  readonly locator: ClientLocator;
  readonly lastRegions: LastRegions;
  readonly metrics?: Pick<FleetMetrics, "noteLocation">;
}

export class RouteRequests {
  readonly #options: RouteRequestsOptions;

  constructor(options: RouteRequestsOptions) {
    this.#options = options;
  }

  /** `ip`: of who asks, for clients that have none of their own. */
  of(request: Omit<AllocateRequest, "key">, ip: string): RouteRequest {
    const { clients, filter, strategy, hashKey } = request;
    const last = this.#options.lastRegions.of(clients[0].clientId);
    return {
      clients: clients.map((client) => this.#locate(client, ip)),
      ...(filter === undefined ? {} : { filter }),
      ...(strategy === undefined ? {} : { strategy }),
      ...(hashKey === undefined ? {} : { hashKey }),
      ...(last === undefined ? {} : { lastRegion: last.region, lastNode: last.nodeId }),
    };
  }

  #locate({ clientId, ip, latencies }: AllocateClient, requestIp: string): RouteClient {
    const { locator, metrics } = this.#options;
    const location = locator.estimateClientLocation(ip ?? requestIp);
    metrics?.noteLocation(location?.source ?? "unknown");
    const client = latencies === undefined ? { clientId } : { clientId, latencies };
    return location === undefined ? client : { ...client, location };
  }
}
