/** The server: rooms, the game loop, the local token service. */

export { listen } from "./listen.ts";
export type { ListenOptions, MatchOptions } from "./options.ts";
export type { IssueTokenOptions, PlainPeerHandlers, Server, ServerError, ServerEvents, ServerStats } from "./server.ts";
export type { CallHandler, MessageHandler, Room, RoomError, RoomEvents, RoomStats } from "./room.ts";
export { ReceiptFile } from "./receipts/receipt-file.ts";
export type { ReceiptFileOptions } from "./receipts/receipt-file.ts";
export type { Client } from "./room-client.ts";
export type { AbilityReport, RoomDebug } from "./room-debug.ts";
export { CallError } from "@riposte/simulation/game";
export type { InputStats } from "@riposte/simulation/game";
export type { Unsubscribe } from "@riposte/protocol";
export type { MessageLimitOptions } from "./message-limit.ts";
export type { AddressRateLimiterOptions } from "./http/address-rate-limiter.ts";
export type { JoinRefusal, JoinReply } from "./http/join-service.ts";
export type { TickLoopStats } from "./loop/tick-loop.ts";
export type { DurationSummary } from "./loop/duration-histogram.ts";
export type { DiagnosticReport, TraceFile } from "./diagnostics/diagnostic-report.ts";
export type { DiagnosticsOptions } from "./diagnostics/diagnostics-options.ts";
export type { EventDetails, LoggedEvent } from "./diagnostics/event-log.ts";
export type { Finding } from "./diagnostics/findings.ts";
export type { FinishedTrace, TraceSummary } from "./diagnostics/named-traces.ts";
export { NetworkDiagnostics } from "./diagnostics/network-diagnostics.ts";
export type { DumpedReport, NetworkDiagnosticsOptions, TraceHandle } from "./diagnostics/network-diagnostics.ts";
export { AdvancedNetworkInterface } from "./network/advanced-network-interface.ts";
export type {
  MulticastResult,
  NetworkInterfaceOptions,
  NetworkMessage,
  NetworkTransport,
} from "./network/advanced-network-interface.ts";
export type {
  ConnectionStatus,
  ListenerErrorReport,
  NetworkEventListener,
  NetworkPacket,
} from "./network/network-event-listener.ts";
export type { NetworkOptions } from "./network/network-options.ts";
export type {
  ChannelNetworkStats,
  ConnectionNetworkStats,
  NetworkGauges,
  NetworkStats,
} from "./network/network-stats.ts";
export type { ConnectionReassembly, ReassemblyReport } from "./network/reassembly-report.ts";
