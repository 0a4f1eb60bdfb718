/** Counts what is scaled, and shows how regions stand, at the balancer that scales them. */
import { Counter, Gauge } from "prom-client";
import type { Registry } from "prom-client";
import type { DriverOperation } from "../scaling/fleet-scaler.ts";
import type { RegionScalingStatus, ScalingDecision, ScalingDecisionKind } from "../scaling/scaling-decision.ts";
import { CountCell, CountCells } from "./metric-cells.ts";

const KINDS: readonly ScalingDecisionKind[] = ["start", "drain", "resume", "stop", "giveUp"];
const OPERATIONS: readonly DriverOperation[] = ["start", "stop", "look"];

type KindCells = Readonly<Record<ScalingDecisionKind, CountCell>>;
const GAUGES = {
  presentNodes: ["scaling_nodes_present", "Nodes that are there or asked for, draining ones not included."],
  wantedNodes: ["scaling_nodes_wanted", "Nodes that there should be, within their maximum."],
  maxNodes: ["scaling_nodes_max", "Nodes that there may be."],
  targetFreeSeats: ["scaling_target_free_seats", "Free seats that there should be."],
} as const;
interface MetricOptions {
  readonly name: string;
  readonly help: string;
  readonly labelNames: string[];
  readonly registers: Registry[];
}
type GaugeKey = keyof typeof GAUGES;

export class ScalingMetrics {
  readonly #nameOf: (region: string) => string;
  readonly #decisions: Counter;
  readonly #errors: CountCells<DriverOperation>;
  readonly #byRegion: Map<string, KindCells> = new Map();
  readonly #gauges: readonly (readonly [GaugeKey, Gauge])[];

  /** `nameOf`: under which name a region's series are, so that they are bounded. */
  constructor(registers: Registry[], nameOf: (region: string) => string) {
    this.#nameOf = nameOf;
    const options = (name: string, help: string, ...labelNames: string[]): MetricOptions => ({
      name: `riposte_fleet_${name}`,
      help,
      labelNames,
      registers,
    });
    const help = "Nodes that were started, drained, resumed, stopped or given up.";
    this.#decisions = new Counter(options("scaling_decisions_total", help, "region", "kind"));
    const errors = new Counter(options("scaling_driver_errors_total", "What the driver could not do.", "operation"));
    this.#errors = new CountCells(errors, OPERATIONS);
    this.#gauges = Object.entries(GAUGES).map(([key, [name, text]]) => [
      key as GaugeKey,
      new Gauge(options(name, text, "region")),
    ]);
  }

  noteDecision(decision: ScalingDecision): void {
    const count = "count" in decision ? decision.count : 1;
    this.#cellsOf(this.#nameOf(decision.region))[decision.kind].add(count);
  }

  noteDriverError(operation: DriverOperation): void {
    this.#errors.add(operation);
  }

  /** Before a scrape. */
  tell(regions: readonly RegionScalingStatus[]): void {
    this.#errors.tell();
    for (const cells of this.#byRegion.values()) for (const cell of Object.values(cells)) cell.tell();
    for (const [key, gauge] of this.#gauges) {
      // A region that is not scaled here any more has no series.
      gauge.reset();
      for (const status of regions) gauge.labels(this.#nameOf(status.region)).inc(status[key]);
    }
    // So that the first decision shows in a rate.
    for (const { region } of regions) this.#cellsOf(this.#nameOf(region));
  }

  get decisions(): Readonly<Record<string, Readonly<Record<ScalingDecisionKind, number>>>> {
    return Object.fromEntries(
      Array.from(this.#byRegion, ([region, cells]) => [
        region,
        Object.fromEntries(KINDS.map((kind) => [kind, cells[kind].value])) as Record<ScalingDecisionKind, number>,
      ]),
    );
  }

  get driverErrors(): Readonly<Record<DriverOperation, number>> {
    return this.#errors.values;
  }

  #cellsOf(name: string): KindCells {
    let cells = this.#byRegion.get(name);
    if (cells === undefined) {
      const bound = KINDS.map((kind) => [kind, new CountCell(this.#decisions.labels(name, kind))]);
      this.#byRegion.set(name, (cells = Object.fromEntries(bound) as KindCells));
    }
    return cells;
  }
}
