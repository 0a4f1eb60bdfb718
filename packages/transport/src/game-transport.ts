import type { UdpSocketStats } from "@riposte/datapath";
import type { GameConnection, QosSettings, ReassemblyPool } from "@riposte/protocol/channel";
import type { ServerEndpoint } from "@riposte/protocol/endpoint";
import type { NetcodeDrops } from "@riposte/protocol/netcode";
import type { NetworkConditions } from "@riposte/protocol/simulator";
import type { ConnectionObserver } from "./transport-handlers.ts";
import type { WebSocketStats } from "./websocket-listener.ts";

export interface ServerTransportStats {
  readonly udp: UdpSocketStats;
  /** Undefined when the server takes UDP only. */
  readonly webSocket: WebSocketStats | undefined;
  /** Packets that were refused after that, by reason. */
  readonly drops: NetcodeDrops;
  /** Of network threads; undefined without. */
  readonly thread?: NetworkThreadStats;
}

export interface NetworkThreadStats {
  /** Unreliable messages and datagrams for the game that were dropped because it did not keep up. */
  readonly ringDropped: number;
  /** Packets that traces were not told of, because there were too many. */
  readonly tracesLeftOut: number;
  /** Datagrams that came to another network thread than their session's, and were passed on to it. */
  readonly passedOn: number;
}

/** What a game's network layer reads of the endpoint below it. */
export interface EndpointView extends Pick<
  ServerEndpoint,
  "clientCount" | "connectionAttempts" | "drops" | "maxClients" | "pendingCount"
> {
  /** Connections that are usable. */
  readonly connections: Iterable<GameConnection> & { readonly size: number };
  readonly qos: QosSettings;
  readonly reassemblyPool: Pick<ReassemblyPool, "evicted" | "limitBytes" | "usedBytes">;
}

/** A server's transport as the layer above sees it, the same whether it runs in this thread or in network threads. */
export interface GameTransport extends AsyncDisposable {
  readonly endpoint: EndpointView;
  /** The number that UDP and TCP share. */
  readonly port: number;
  /** Resolves when everything is closed. */
  readonly closed: Promise<void>;
  /** Counters of the sockets. */
  readonly stats: ServerTransportStats;
  /** Whether `simulate` works; never when NODE_ENV is "production". */
  readonly canSimulate: boolean;
  /** Somebody else hears of this server's connections, before its handlers do. Returns what ends it. */
  observe(observer: ConnectionObserver): () => void;
  /** Where a connection's packets come from now: "192.0.2.1:40123", of a WebSocket without the port; empty while no path leads to it. */
  addressOf(connection: GameConnection): string;
  /** Sends what is queued in all connections; call it once at the end of a tick. */
  flush(): void;
  /**
   * Puts a bad link in front of every carrier, in both directions, or of one connection alone, wherever it moves; or
   * takes it away. Live. Throws `TypeError` where simulation is not allowed.
   */
  simulate(conditions: NetworkConditions | undefined, connection?: GameConnection): void;
  /** Tells every client goodbye and closes the sockets; the HTTP server too if it was made to listen here. */
  close(): Promise<void>;
}
