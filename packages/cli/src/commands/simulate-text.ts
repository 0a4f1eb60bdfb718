/** Reports of `riposte simulate` for people. */
import type { LatencyReport, Quantiles, SimulationReport } from "@riposte/fleet/simulate";
import type { SimulationRun } from "./simulate.ts";

export function reportText(report: SimulationReport, run: SimulationRun): string {
  const { scale, players, placements, overload, churn, store, completed } = report;
  const peak = report.samples.reduce((a, b) => (b.playing > a.playing ? b : a), { playing: 0, seats: 0, waiting: 0 });
  const lines = [
    `${number(scale.nodes)} nodes with ${number(scale.seats)} seats in ${scale.regions} regions, ` +
      `${number(scale.players)} players, ${scale.days} days, ${scale.balancers} balancers, ${scale.strategy}` +
      (completed < 1 ? ` (stopped at ${(100 * completed).toFixed(1)} %)` : ""),
    "",
    "round trip of the worst of each party, ms: p50/p90/p99",
    ...latencyTable(report.latency),
    ...latencyTable(report.latencyByKnowledge),
    ...latencyTable(Object.fromEntries(Object.entries(report.latencyBySize).map(([k, v]) => [`party of ${k}`, v]))),
    "",
    row("players", `${number(players.arrived)} came, at most ${number(peak.playing)} at once`),
    row("gave up", number(players.gaveUp)),
    row("placements", `${number(placements.count)}, at most ${number(placements.peakPerSec)} in a second`),
    row("to dead nodes", number(placements.toDeadNodes)),
    row("nodes above capacity", number(overload.nodesAboveCapacity)),
    row("had to go elsewhere", `${number(overload.forcedElsewhere)}, of ${overload.regionsOverflowed} regions`),
    row("went without need", number(overload.chosenElsewhere)),
    row("waited", `${number(overload.waited.count)} parties, ${seconds(overload.waited)}`),
    row(
      "nodes",
      `${number(churn.started)} started, ${number(churn.drained)} drained, ${number(churn.stopped)} stopped`,
    ),
    row(
      "region lost",
      `${number(churn.lostNodes)} nodes, ${number(churn.movedByLoss)} players, back after ${seconds(churn.backAfterMs)}`,
    ),
    row(
      "release",
      `${number(churn.released)} nodes, ${number(churn.releasedUninterrupted)} without interrupting anybody`,
    ),
    row("store", `${store.meanPerSec} writes a second, at most ${number(store.peakPerSec)}`),
    ...Object.entries(store.byKind).map(([kind, { writes, renewals, peakPerSec }]) =>
      row(
        `  ${kind}`,
        `${number(writes)}, at most ${number(peakPerSec)} a second; ${number(Math.round(renewals))} renewals`,
      ),
    ),
    row("a decision, us", `p50 ${report.routingMicros.p50}, p99 ${report.routingMicros.p99}`),
    "",
    `${run.wallSeconds} s, ${run.cpuSeconds} s of ${run.cpu}, ${run.peakMemoryMb} MB, node ${run.node}, ${run.date}`,
  ];
  return lines.join("\n");
}

export function comparisonText(
  reports: Readonly<Record<string, SimulationReport & { readonly run: SimulationRun }>>,
): string {
  const header = [
    "",
    "p50",
    "p99",
    "worse by",
    "p99",
    "within 10",
    "elsewhere",
    "waited",
    "p99 s",
    "gave up",
    "nodes",
    "empty",
    "us p50",
  ];
  const rows = Object.entries(reports).map(([name, report]) => {
    const { placed, excessOverRoom, within10Ms } = report.latency.all;
    const { chosenElsewhere, waited } = report.overload;
    const { samples } = report;
    const nodes = samples.reduce((sum, one) => sum + one.readyNodes + one.drainingNodes, 0) / samples.length;
    const empty = samples.reduce((sum, one) => sum + one.emptyNodes, 0) / samples.length;
    return [
      name,
      placed.p50,
      placed.p99,
      excessOverRoom.mean,
      excessOverRoom.p99,
      `${(100 * within10Ms).toFixed(1)} %`,
      `${((100 * chosenElsewhere) / Math.max(1, report.placements.count)).toFixed(1)} %`,
      waited.count,
      (waited.p99 / 1000).toFixed(1),
      report.players.gaveUp,
      nodes.toFixed(0),
      empty.toFixed(0),
      report.routingMicros.p50,
    ].map(String);
  });
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((cells) => cells[i].length)));
  const line = (cells: readonly string[]): string =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join("  ");
  return [line(header), ...rows.map(line)].join("\n");
}

function latencyTable(reports: Readonly<Record<string, LatencyReport>>): string[] {
  return Object.entries(reports).map(([name, { placed, nearestWithRoom, nearest, excessOverRoom, within10Ms }]) =>
    row(
      name,
      `placed ${three(placed)}   nearest with room ${three(nearestWithRoom)}   nearest ${three(nearest)}   ` +
        `worse by ${three(excessOverRoom)}, mean ${excessOverRoom.mean}, ${(100 * within10Ms).toFixed(1)} % within 10`,
    ),
  );
}

function three({ p50, p90, p99 }: Quantiles): string {
  return `${Math.round(p50)}/${Math.round(p90)}/${Math.round(p99)}`;
}

function seconds({ p50, p99, max }: Quantiles): string {
  return `${(p50 / 1000).toFixed(1)} s, p99 ${(p99 / 1000).toFixed(1)} s, at most ${(max / 1000).toFixed(1)} s`;
}

function row(name: string, text: string): string {
  return `${name.padEnd(22)}${text}`;
}

function number(value: number): string {
  return value.toLocaleString("en-US");
}
