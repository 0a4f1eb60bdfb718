/**
 * Counts what a balancer does, for its statistics and for Prometheus. Counting is adding to a number; gauges are read from
 * `view` when somebody asks. No node and no client is a label: the number of series depends on regions alone, of which the
 * first 300 that are seen have their own, and the rest is `other`.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";
import type { NodeHealth } from "../health/health-book.ts";
import type { LocationSource, RoutingStrategy } from "../routing/route-request.ts";
import type { StoreError } from "../store/state-store.ts";
import { addRegions } from "./fleet-view.ts";
import type {
  ClaimResult,
  FleetView,
  LoadBalancerStats,
  PlacementCounts,
  PlacementOutcome,
  RefusalReason,
  RegionStats,
} from "./load-balancer-stats.ts";
import { CountCell, CountCells, TimeCells } from "./metric-cells.ts";
import { ScalingMetrics } from "./scaling-metrics.ts";

export interface FleetMetricsOptions {
  /** What is the case now; called once for each scrape. */
  readonly view: () => FleetView;
  /** Processor time, memory, event loop of the process, too. At most one in a process. Default false. */
  readonly includesProcess?: boolean;
  /** Regions that have series of their own. Default 300. */
  readonly maxRegions?: number;
}

const OTHER = "other";
const OUTCOMES: readonly PlacementOutcome[] = ["placed", "repeated"];
const REFUSALS: readonly RefusalReason[] = [
  ...([
    "noMatch",
    "noNodes",
    "queueFull",
    "badTicket",
    "expired",
    "askAgain",
    "keyUsed",
    "tooManySeats",
    "starting",
  ] as const),
  ...(["limited", "challenged"] as const),
];
const CLAIMS: readonly ClaimResult[] = ["stored", "existing", "failed", "alone"];
const HEALTHS: readonly NodeHealth[] = ["good", "suspected", "lost"];
const STORE_ERRORS: readonly StoreError["code"][] = ["away", "timeout", "refused"];
const SOURCES: readonly LocationSource[] = ["override", "city", "country", "unknown"];

/** In seconds. */
const ROUTE_BUCKETS = [2e-6, 5e-6, 1e-5, 2e-5, 3e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 5e-3, 0.02, 0.1];
const ALLOCATION_BUCKETS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];
const WAIT_BUCKETS = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600];
const LATENCY_BUCKETS = [0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3, 0.4];

/** What is counted of one region. */
interface RegionCells {
  readonly latency: Histogram.Internal<string>;
  readonly expired: CountCell;
  readonly placements: Map<RoutingStrategy, Readonly<Record<PlacementOutcome, CountCell>>>;
}

export class FleetMetrics {
  readonly scaling: ScalingMetrics;
  readonly #options: FleetMetricsOptions;
  readonly #registry: Registry = new Registry();
  readonly #regions: Map<string, RegionCells> = new Map();
  readonly #placements: Counter;
  readonly #expired: Counter;
  readonly #latency: Histogram;
  readonly #refusals: CountCells<RefusalReason>;
  readonly #claims: CountCells<ClaimResult>;
  readonly #healthChanges: CountCells<NodeHealth>;
  readonly #storeErrors: CountCells<StoreError["code"]>;
  readonly #geoip: CountCells<LocationSource>;
  readonly #route: TimeCells;
  readonly #allocation: TimeCells;
  readonly #queueWait: TimeCells;
  readonly #gauges: FleetGauges;

  constructor(options: FleetMetricsOptions) {
    this.#options = options;
    const registers = [this.#registry];
    const counter = (name: string, help: string, ...labelNames: string[]): Counter =>
      new Counter({ name: `riposte_fleet_${name}`, help, labelNames, registers });
    const times = (name: string, help: string, buckets: number[], ...labelNames: string[]): Histogram =>
      new Histogram({ name: `riposte_fleet_${name}`, help, buckets, labelNames, registers });
    const timeCells = (name: string, help: string, buckets: number[]): TimeCells =>
      new TimeCells(times(name, help, buckets).labels(), buckets);

    this.#placements = counter(
      "placements_total",
      "Answers with a seat: placed, or repeated (the same key again).",
      "region",
      "strategy",
      "outcome",
    );
    this.#expired = counter(
      "expired_seats_total",
      "Seats for which nobody came. Each balancer counts those of all nodes that report to it.",
      "region",
    );
    this.#latency = times(
      "player_latency_seconds",
      "Estimated round trip of placed players to their region; the worst of a group.",
      LATENCY_BUCKETS,
      "region",
    );
    this.#refusals = new CountCells(
      counter("refusals_total", "Requests that got neither a seat nor a place in the queue.", "reason"),
      REFUSALS,
    );
    this.#claims = new CountCells(
      counter("claims_total", "Answers copied to another balancer before a player gets them.", "result"),
      CLAIMS,
    );
    this.#healthChanges = new CountCells(
      counter("health_changes_total", "Nodes that became suspected, lost, or good again.", "health"),
      HEALTHS,
    );
    this.#storeErrors = new CountCells(
      counter("store_errors_total", "Requests to the state store that failed.", "code"),
      STORE_ERRORS,
    );
    this.#geoip = new CountCells(
      counter("geoip_lookups_total", "Locations of clients by what knew them.", "source"),
      SOURCES,
    );
    this.#route = timeCells("route_duration_seconds", "Time to choose a node.", ROUTE_BUCKETS);
    this.#allocation = timeCells(
      "allocation_duration_seconds",
      "Time of an allocation inside the balancer, the copy to another one included.",
      ALLOCATION_BUCKETS,
    );
    this.#queueWait = timeCells("queue_wait_seconds", "Waits of players let in from the queue.", WAIT_BUCKETS);
    this.#gauges = new FleetGauges(registers);
    this.scaling = new ScalingMetrics(registers, (region) => this.#boundedName(region));
    if (options.includesProcess ?? false) collectDefaultMetrics({ register: this.#registry });
  }

  notePlacement(region: string, strategy: RoutingStrategy, outcome: PlacementOutcome): void {
    const name = this.#nameOf(region);
    const { placements } = this.#regionCells(name);
    let cells = placements.get(strategy);
    if (cells === undefined) placements.set(strategy, (cells = this.#bind(name, strategy)));
    cells[outcome].add();
  }

  /** Nobody came for so many seats. */
  noteExpired(region: string, seats: number): void {
    this.#regionCells(this.#nameOf(region)).expired.add(seats);
  }

  /** Of a player who was placed there. */
  noteLatency(region: string, ms: number): void {
    this.#regionCells(this.#nameOf(region)).latency.observe(ms / 1000);
  }

  noteRefusal(reason: RefusalReason): void {
    this.#refusals.add(reason);
  }

  noteClaim(result: ClaimResult): void {
    this.#claims.add(result);
  }

  noteHealthChange(health: NodeHealth): void {
    this.#healthChanges.add(health);
  }

  noteStoreError(code: StoreError["code"]): void {
    this.#storeErrors.add(code);
  }

  noteLocation(source: LocationSource): void {
    this.#geoip.add(source);
  }

  noteRoute(ms: number): void {
    this.#route.note(ms);
  }

  noteAllocation(ms: number): void {
    this.#allocation.note(ms);
  }

  noteQueueWait(ms: number): void {
    this.#queueWait.note(ms);
  }

  stats(): LoadBalancerStats {
    const view = this.#options.view();
    return {
      ...view,
      regions: Object.fromEntries(this.#bounded(view)),
      placements: Object.fromEntries(
        Array.from(this.#regions, ([region, { placements }]) => [region, valuesOf(placements)]),
      ),
      expiredSeats: Object.fromEntries(Array.from(this.#regions, ([region, { expired }]) => [region, expired.value])),
      refusals: this.#refusals.values,
      claims: this.#claims.values,
      healthChanges: this.#healthChanges.values,
      storeErrors: this.#storeErrors.values,
      geoip: this.#geoip.values,
      scalingDecisions: this.scaling.decisions,
      scalingDriverErrors: this.scaling.driverErrors,
      route: this.#route.stats,
      allocation: this.#allocation.stats,
      queueWait: this.#queueWait.stats,
    };
  }

  /** Of `exposition`, for the HTTP header. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** In Prometheus' text format. One metric in each turn of the event loop: with 300 regions all of them take some 50 ms. */
  async exposition(): Promise<string> {
    const told = [this.#refusals, this.#claims, this.#healthChanges, this.#storeErrors, this.#geoip];
    for (const cells of told) cells.tell();
    for (const { placements, expired } of this.#regions.values()) {
      expired.tell();
      for (const cells of placements.values()) for (const cell of Object.values(cells)) cell.tell();
    }
    const view = this.#options.view();
    this.#gauges.set(view, this.#bounded(view));
    this.scaling.tell(view.scaling ?? []);
    const texts: string[] = [];
    for (const { name } of this.#registry.getMetricsAsArray()) {
      texts.push(await this.#registry.getSingleMetricAsString(name));
      await nextTurn();
    }
    return `${texts.join("\n\n")}\n`;
  }

  /** The region's name, which is taken from now on if there is room. */
  #boundedName(region: string): string {
    const name = this.#nameOf(region);
    this.#regionCells(name);
    return name;
  }

  #nameOf(region: string): string {
    return this.#regions.has(region) || this.#regions.size < (this.#options.maxRegions ?? 300) ? region : OTHER;
  }

  #regionCells(name: string): RegionCells {
    let cells = this.#regions.get(name);
    if (cells === undefined) {
      cells = {
        latency: this.#latency.labels(name),
        expired: new CountCell(this.#expired.labels(name)),
        placements: new Map(),
      };
      this.#regions.set(name, cells);
    }
    return cells;
  }

  #bind(region: string, strategy: RoutingStrategy): Readonly<Record<PlacementOutcome, CountCell>> {
    const bound = OUTCOMES.map((outcome) => [
      outcome,
      new CountCell(this.#placements.labels(region, strategy, outcome)),
    ]);
    return Object.fromEntries(bound) as Record<PlacementOutcome, CountCell>;
  }

  /** The view's regions under the names that they have here. */
  #bounded(view: FleetView): ReadonlyMap<string, RegionStats> {
    const bounded = new Map<string, RegionStats>();
    for (const [region, stats] of Object.entries(view.regions)) {
      const name = this.#nameOf(region);
      this.#regionCells(name);
      const earlier = bounded.get(name);
      bounded.set(name, earlier === undefined ? stats : addRegions(earlier, stats));
    }
    return bounded;
  }
}

class FleetGauges {
  readonly #nodes: Gauge;
  readonly #suspectedNodes: Gauge;
  readonly #seats: Readonly<Record<keyof RegionStats["seats"], Gauge>>;
  readonly #queueLength: Gauge;
  readonly #storeConnected: Gauge;
  readonly #balancersAlive: Gauge;
  readonly #leader: Gauge;
  readonly #configVersion: Gauge;

  constructor(registers: Registry[]) {
    const gauge = (name: string, help: string, ...labelNames: string[]): Gauge =>
      new Gauge({ name: `riposte_fleet_${name}`, help, labelNames, registers });
    this.#nodes = gauge("nodes", "Game servers by region and state.", "region", "state");
    this.#suspectedNodes = gauge("nodes_suspected", "Ready game servers that get nobody for now.", "region");
    this.#seats = {
      capacity: gauge("seats_capacity", "Seats of game servers that are not lost.", "region"),
      free: gauge("seats_free", "Seats that can be given to players.", "region"),
      used: gauge("seats_used", "Seats taken, or kept for players on their way.", "region"),
      lent: gauge("seats_lent", "Free seats that are lent to this balancer.", "region"),
    };
    this.#queueLength = gauge("queue_length", "Players who wait at this balancer.");
    this.#storeConnected = gauge("store_connected", "1 while the state store answers, 0 while it is away.", "kind");
    this.#balancersAlive = gauge("balancers_alive", "Balancers that this one hears, itself included.");
    this.#leader = gauge("leader", "1 where this balancer scales and cleans up.");
    this.#configVersion = gauge("config_version", "Version of the configuration in force.");
  }

  set(view: FleetView, regions: ReadonlyMap<string, RegionStats>): void {
    // A region that has gone has no series any more.
    for (const gauge of [this.#nodes, this.#suspectedNodes, ...Object.values(this.#seats)]) gauge.reset();
    for (const [region, { nodes, suspectedNodes, seats }] of regions) {
      for (const [state, count] of Object.entries(nodes)) this.#nodes.labels(region, state).set(count);
      this.#suspectedNodes.labels(region).set(suspectedNodes);
      for (const [kind, gauge] of Object.entries(this.#seats)) {
        gauge.labels(region).set(seats[kind as keyof RegionStats["seats"]]);
      }
    }
    this.#queueLength.set(view.queueLength);
    this.#storeConnected.labels(view.store.kind).set(view.store.status === "connected" ? 1 : 0);
    this.#balancersAlive.set(view.balancersAlive);
    this.#leader.set(view.isLeader ? 1 : 0);
    this.#configVersion.set(view.configVersion);
  }
}

function valuesOf(placements: RegionCells["placements"]): PlacementCounts {
  const byStrategy = Array.from(placements, ([strategy, cells]) => {
    const counts = OUTCOMES.map((outcome) => [outcome, cells[outcome].value]);
    return [strategy, Object.fromEntries(counts)];
  });
  return Object.fromEntries(byStrategy) as PlacementCounts;
}
