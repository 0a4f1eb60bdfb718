/** A report of a server's network: the data a program reads. The page a person reads is made from it. */

import type { ConnectionNetworkStats, NetworkStats } from "../network/network-stats.ts";
import type { DiagnosticsOptions } from "./diagnostics-options.ts";
import type { LoggedEvent } from "./event-log.ts";
import type { Finding } from "./findings.ts";
import { toJson } from "./json.ts";
import type { FinishedTrace, TraceSummary } from "./named-traces.ts";

/** A packet trace that lies beside the report. */
export interface TraceFile {
  readonly connectionId: number;
  /** Relative to the report. */
  readonly file: string;
  readonly packets: number;
}

export interface DiagnosticReport {
  readonly format: "riposte-diagnostics";
  readonly version: 1;
  /** ISO 8601. */
  readonly createdAt: string;
  /** Monotonic milliseconds at that instant: what `at` of events and traces counts in. */
  readonly now: number;
  readonly runtime: {
    readonly node: string;
    readonly platform: string;
    readonly processId: number;
    readonly memoryBytes: number;
  };
  readonly recording: {
    readonly enabled: boolean;
    /** `undefined` while it never was. */
    readonly options: Required<DiagnosticsOptions> | undefined;
    /** Logged so far, those that are gone included. */
    readonly events: number;
    /** Whose packets are kept, and the memory of their rings. */
    readonly connections: number;
    readonly heldBytes: number;
    /** Connections that were to be recorded when there was no room. */
    readonly connectionsRefused: number;
  };
  readonly findings: readonly Finding[];
  readonly network: NetworkStats;
  /** What the server adds: its loop, its rooms. */
  readonly sections: Readonly<Record<string, unknown>>;
  readonly eventCounts: Readonly<Record<string, number>>;
  /** Oldest first. */
  readonly events: readonly LoggedEvent[];
  readonly traces: readonly TraceSummary[];
  readonly finishedTraces: readonly FinishedTrace[];
  readonly packetTraces: readonly TraceFile[];
  readonly connections: readonly ConnectionNetworkStats[];
}

/** The report as JSON, in pieces: one for each entry of a list. `bigint`s are strings, what is not finite is null. */
export function* reportJson(report: DiagnosticReport): Generator<string, void, undefined> {
  yield "{\n";
  let isFirst = true;
  for (const [key, value] of Object.entries(report) as [string, unknown][]) {
    if (value === undefined) continue;
    yield `${isFirst ? "" : ",\n"}${JSON.stringify(key)}: `;
    isFirst = false;
    if (!Array.isArray(value)) {
      yield toJson(value);
      continue;
    }
    yield "[";
    for (const [i, entry] of value.entries()) yield `${i === 0 ? "\n" : ",\n"}  ${toJson(entry)}`;
    yield value.length === 0 ? "]" : "\n]";
  }
  yield "\n}\n";
}
