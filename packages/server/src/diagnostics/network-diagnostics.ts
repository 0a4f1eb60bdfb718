import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { AdvancedNetworkInterface } from "../network/advanced-network-interface.ts";
import type { ConnectionStatus, NetworkEventListener } from "../network/network-event-listener.ts";
import type { ConnectionNetworkStats } from "../network/network-stats.ts";
import { ConnectionRecorder } from "./connection-recorder.ts";
import { reportJson } from "./diagnostic-report.ts";
import type { DiagnosticReport, TraceFile } from "./diagnostic-report.ts";
import { isSampled, resolveDiagnosticsOptions } from "./diagnostics-options.ts";
import type { DiagnosticsOptions } from "./diagnostics-options.ts";
import { EventLog } from "./event-log.ts";
import type { EventDetails } from "./event-log.ts";
import { findFindings } from "./findings.ts";
import { NamedTraces } from "./named-traces.ts";
import { qlogRecords } from "./qlog-trace.ts";
import { RecorderTable } from "./recorder-table.ts";
import { reportPage } from "./report-page.ts";
import { writePieces } from "./write-pieces.ts";

export interface NetworkDiagnosticsOptions {
  /** What the server adds to reports, by title. */
  readonly sections?: () => Readonly<Record<string, unknown>>;
  /** Names this server in packet traces. Default "riposte server". */
  readonly serverName?: string;
  /** Monotonic milliseconds, the network's. Default `performance.now()`. */
  readonly now?: () => number;
  /** Unix milliseconds at monotonic 0. Default `performance.timeOrigin`. */
  readonly timeOriginMs?: number;
}

/** A trace that was started: `end` it, or let `using` do so. */
export interface TraceHandle extends Disposable {
  /** How long it took, in milliseconds; 0 where nothing is recorded, or it has ended already. */
  end(): number;
}

/** What `dumpReport` has written. */
export interface DumpedReport {
  /** The folder. */
  readonly path: string;
  /** Names within it: report.md, report.json, and a .sqlog for each recorded connection. */
  readonly files: readonly string[];
  readonly bytes: number;
}

/** Connections whose numbers are read in one turn of the event loop. */
const CONNECTIONS_PER_TURN = 64;
const NOTHING: TraceHandle = { end: () => 0, [Symbol.dispose]: () => undefined };

/**
 * What happened on a server's network: events, named traces, and the newest packets of its connections. Off until
 * `enable`; until then it holds nothing, and connections have no trace. What is recorded has a limit in everything,
 * see `DiagnosticsOptions`.
 */
export class NetworkDiagnostics {
  readonly #network: AdvancedNetworkInterface;
  readonly #settings: NetworkDiagnosticsOptions;
  readonly #now: () => number;
  readonly #listener: NetworkEventListener;
  #enabled = false;
  #options: Required<DiagnosticsOptions> | undefined;
  #events: EventLog = new EventLog(1);
  #traces: NamedTraces = new NamedTraces();
  #recorders: RecorderTable = new RecorderTable(1);
  /** The dump under way, or the last one. */
  #dumping: Promise<unknown> = Promise.resolve();

  constructor(network: AdvancedNetworkInterface, settings: NetworkDiagnosticsOptions = {}) {
    this.#network = network;
    this.#settings = settings;
    this.#now = settings.now ?? (() => performance.now());
    this.#listener = {
      onConnectionStatusChanged: (id, status) => this.#statusChanged(id, status),
      onNetworkError: (id, message) => this.logEvent("networkError", { connectionId: id, message }),
    };
  }

  /** Whether anything is recorded now. */
  get enabled(): boolean {
    return this.#enabled;
  }

  /** Connections whose packets are kept now, those that have ended included. */
  get recordedConnections(): number {
    return this.#recorders.size;
  }

  /** Begins to record, with nothing of what was recorded before. Throws `RangeError` for options that cannot work. */
  enable(options: DiagnosticsOptions = {}): void {
    const resolved = resolveDiagnosticsOptions(options);
    this.disable();
    this.#options = resolved;
    this.#events = new EventLog(resolved.maxEvents);
    this.#traces = new NamedTraces();
    this.#recorders = new RecorderTable(resolved.maxConnections);
    this.#enabled = true;
    this.#network.registerEventListener(this.#listener);
    for (const id of this.#network.connectionIds) {
      if (this.#isSampled(id)) this.recordConnection(id);
    }
  }

  /** Records no more. What was recorded stays for reports, until `enable`. */
  disable(): void {
    if (!this.#enabled) return;
    this.#enabled = false;
    this.#network.unregisterEventListener(this.#listener);
    for (const recorder of this.#recorders.live()) {
      this.#network.removeTrace(recorder.connectionId, recorder);
      this.#recorders.end(recorder.connectionId);
    }
  }

  /** Records one connection's packets whatever sampling says. False when it has ended, nothing is recorded, or there is no room. */
  recordConnection(connectionId: number): boolean {
    const connection = this.#network.connection(connectionId);
    const options = this.#options;
    if (!this.#enabled || options === undefined || connection === undefined) return false;
    if (this.#recorders.get(connectionId) !== undefined) return true;
    if (!this.#recorders.makeRoom()) return false;
    const recorder = new ConnectionRecorder(
      {
        connectionId,
        connection,
        startedAt: this.#now() - (this.#network.connectionStats(connectionId)?.ageMs ?? 0),
        address: this.#network.addressOf(connectionId),
      },
      { packets: options.ringPackets, bytes: options.ringBytes, every: options.samplePackets },
    );
    this.#recorders.add(recorder);
    this.#network.addTrace(connectionId, recorder);
    recorder.statusChanged(this.#network.status(connectionId), this.#now());
    return true;
  }

  /** Notes that something happened. Details are kept as JSON, 2 KiB at most. */
  logEvent(name: string, details?: EventDetails): void {
    if (this.#enabled) this.#events.add(name, details, this.#now());
  }

  /** Something begins. Several of one name may be under way. */
  startTrace(name: string): TraceHandle {
    if (!this.#enabled) return NOTHING;
    const traces = this.#traces;
    const startedAt = this.#now();
    traces.start(name, startedAt);
    let isOpen = true;
    const end = (): number => {
      if (!isOpen) return 0;
      isOpen = false;
      return traces.end(name, this.#now(), startedAt) ?? 0;
    };
    return { end, [Symbol.dispose]: () => void end() };
  }

  /** Ends the trace of that name that began last. How long it took in milliseconds; `undefined` when there is none. */
  endTrace(name: string): number | undefined {
    return this.#enabled ? this.#traces.end(name, this.#now()) : undefined;
  }

  /**
   * Writes a report into a folder, which is made if need be: report.md for a person, report.json for a program, and a .sqlog for
   * each recorded connection. Works whether or not anything is recorded: then it is the numbers of now. Little by little,
   * so that the game goes on; one report at a time.
   */
  dumpReport(path: string): Promise<DumpedReport> {
    const dump = this.#dumping.then(() => this.#dump(path));
    this.#dumping = dump.catch(() => {});
    return dump;
  }

  async #dump(path: string): Promise<DumpedReport> {
    await mkdir(path, { recursive: true });
    const files: string[] = [];
    let bytes = 0;
    const packetTraces: TraceFile[] = [];
    for (const recorder of this.#recorders.all()) {
      const file = `connection-${recorder.connectionId}.sqlog`;
      // What goes on meanwhile must not change what is being written.
      const recording = { ...pickRecording(recorder), ring: recorder.ring.snapshot(), changes: [...recorder.changes] };
      const records = qlogRecords(recording, {
        timeOriginMs: this.#settings.timeOriginMs ?? performance.timeOrigin,
        includeAddresses: this.#options?.includeAddresses ?? false,
        serverName: this.#settings.serverName ?? "riposte server",
      });
      bytes += await writePieces(join(path, file), records, this.#now);
      files.push(file);
      const packets = recording.ring.count - recording.ring.first;
      packetTraces.push({ connectionId: recorder.connectionId, file, packets });
    }
    const report = this.#report(await this.#readConnections(), packetTraces);
    bytes += await writePieces(join(path, "report.json"), reportJson(report), this.#now);
    const page = Buffer.from(reportPage(report), "utf8");
    await writeFile(join(path, "report.md"), page);
    return { path, files: ["report.md", "report.json", ...files], bytes: bytes + page.length };
  }

  #report(connections: readonly ConnectionNetworkStats[], packetTraces: readonly TraceFile[]): DiagnosticReport {
    const network = this.#network.stats();
    return {
      format: "riposte-diagnostics",
      version: 1,
      createdAt: new Date().toISOString(),
      now: this.#now(),
      runtime: {
        node: process.versions.node,
        platform: `${process.platform} ${process.arch}`,
        processId: process.pid,
        memoryBytes: process.memoryUsage.rss(),
      },
      recording: {
        enabled: this.#enabled,
        options: this.#options,
        events: this.#events.total,
        connections: this.#recorders.size,
        heldBytes: this.#recorders.heldBytes,
        connectionsRefused: this.#recorders.refused,
      },
      findings: findFindings(network, connections),
      network,
      sections: this.#settings.sections?.() ?? {},
      eventCounts: Object.fromEntries(this.#events.counts),
      events: this.#events.events(),
      traces: this.#traces.summaries(),
      finishedTraces: this.#traces.finished(),
      packetTraces,
      connections,
    };
  }

  /** A full house takes several turns. */
  async #readConnections(): Promise<ConnectionNetworkStats[]> {
    const all: ConnectionNetworkStats[] = [];
    const ids = this.#network.connectionIds;
    for (let i = 0; i < ids.length; i++) {
      if (i > 0 && i % CONNECTIONS_PER_TURN === 0) await setImmediate();
      const stats = this.#network.connectionStats(ids[i]);
      if (stats !== undefined) all.push(stats);
    }
    return all;
  }

  #isSampled(connectionId: number): boolean {
    const options = this.#options;
    return options !== undefined && isSampled(connectionId, options.sampleConnections, options.seed);
  }

  #statusChanged(connectionId: number, status: ConnectionStatus): void {
    this.logEvent(`connection ${status}`, { connectionId });
    if (status === "connecting") {
      if (this.#isSampled(connectionId)) this.recordConnection(connectionId);
      return;
    }
    this.#recorders.get(connectionId)?.statusChanged(status, this.#now());
    if (status === "disconnected") this.#recorders.end(connectionId);
  }
}

type Recording = Pick<ConnectionRecorder, "address" | "connection" | "connectionId" | "skipped" | "startedAt">;

function pickRecording({ address, connection, connectionId, skipped, startedAt }: ConnectionRecorder): Recording {
  return { address, connection, connectionId, skipped, startedAt };
}
