import type { IncomingMessage, Server } from "node:http";
import { nodeCrypto, openDatapath } from "@riposte/datapath";
import type { Datapath, UdpSocket } from "@riposte/datapath";
import type { EndpointConnectionOptions } from "@riposte/protocol/endpoint";
import { loadSimulation } from "./load-simulation.ts";
import { bindBoth } from "./http-port.ts";
import { explainBindError } from "./port-in-use-error.ts";
import type { GameTransport } from "./game-transport.ts";
import { ServerTransport } from "./server-transport.ts";
import type { ServerTransportParts } from "./server-transport.ts";
import { MAX_WEBSOCKET_BYTES } from "./carrier-traits.ts";
import { WebSocketListener } from "./websocket-listener.ts";
import type { SocketCallbacks, WebSocketLimits } from "./websocket-listener.ts";
import type { TransportHandlers } from "./transport-handlers.ts";

export interface ListenTransportOptions extends EndpointConnectionOptions {
  /** UDP and TCP take the same number; 0 takes one that is free for both. Default 0. */
  readonly port?: number;
  /** Default: every address of this machine, IPv4 and IPv6. */
  readonly host?: string;
  /** Tokens for another protocol id are refused. */
  readonly protocolId: bigint;
  /** 32 bytes shared with the token service. */
  readonly privateKey: Uint8Array;
  /** 1 to 4,096. */
  readonly maxClients: number;
  /** How tokens name this server, as "host:port". Default: the loopback addresses at `port`. */
  readonly publicAddresses?: readonly string[] | ((port: number) => readonly string[]);
  /** 8 bytes of the game's schema; undefined admits plain netcode peers only. */
  readonly schemaHash: Uint8Array | undefined;
  readonly handlers: TransportHandlers;
  /** Takes WebSockets on this server; it is made to listen when it does not yet. Default: a server of our own; false: UDP only. */
  readonly http?: Server | false;
  /** Where WebSockets are taken. Default "/riposte". */
  readonly httpPath?: string;
  readonly webSocket?: Partial<WebSocketLimits>;
  /** The address that the WebSocket caps count a request by. Default: the socket's. Behind a proxy: what the proxy says. */
  readonly addressOf?: (request: IncomingMessage) => string;
  /** What the unfinished fragmented messages of all connections may hold. Default 64 MiB. */
  readonly reassemblyPoolBytes?: number;
  /** Largest IP packet that the search for a path's MTU tries: 1280 to 9000. Default 1500. */
  readonly maxPacketBytes?: number;
  /** False: `simulate` throws. Default true; when NODE_ENV is "production" it throws whatever stands here. */
  readonly allowSimulation?: boolean;
  /** Seed of simulated conditions. Default 1. */
  readonly simulationSeed?: number;
  /** Default: the best this runtime has. */
  readonly datapath?: Datapath;
  readonly signal?: AbortSignal;
}

/** What a server's endpoint and its UDP socket need of them. */
export type ServerOptions = Omit<ListenTransportOptions, "addressOf" | "http" | "publicAddresses" | "signal">;

const UNADMITTED_SOCKETS = 256;

/** Opens a server on UDP and WebSocket. Rejects with `PortInUseError` when the port is taken. */
export async function listenTransport(options: ListenTransportOptions): Promise<ServerTransport> {
  const { signal } = options;
  signal?.throwIfAborted();
  const { udp: bound, http, ownsHttp } = await bindBoth(options, (port) => bindServer(options, port));
  let opened: ServerTransport;
  try {
    signal?.throwIfAborted();
    opened = bound.open({
      publicAddresses: publicAddresses(options, bound.port),
      openSockets: http && ((callbacks) => listenWebSocket(http, options, callbacks)),
      ownHttp: ownsHttp ? http : undefined,
    });
  } catch (error) {
    bound.close();
    if (ownsHttp) http?.close();
    throw error;
  }
  closeOnAbort(opened, signal);
  return opened;
}

/** A socket that waits for the rest of its server. */
export interface BoundServer {
  readonly port: number;
  /** The first path number of its WebSockets. */
  readonly firstSocketPath: number;
  open(rest: Pick<ServerTransportParts, "openSockets" | "ownHttp" | "publicAddresses" | "shared">): ServerTransport;
  close(): void;
}

/** Binds the UDP socket of a server. `shared`: other sockets may bind its port, too. */
export async function bindServer(options: ServerOptions, port: number, shared = false): Promise<BoundServer> {
  const Simulation = await loadSimulation(options.allowSimulation);
  const datapath = options.datapath ?? openDatapath();
  const addresses = datapath.createAddressTable();
  let transport: ServerTransport | undefined;
  let udp: UdpSocket;
  try {
    udp = await datapath.openUdpSocket({
      port,
      host: options.host,
      addresses,
      reusePort: shared,
      onReadable: () => transport?.receiveUdp(),
      onWritable: () => transport?.resume(),
    });
  } catch (error) {
    throw explainBindError(error, port, "udp");
  }
  return {
    port: udp.port,
    firstSocketPath: addresses.capacity,
    open: (rest) => {
      const protection = datapath.createPacketProtection();
      transport = new ServerTransport({
        options,
        udp,
        addresses,
        crypto: nodeCrypto(),
        protection,
        Simulation,
        ...rest,
      });
      return transport;
    },
    close: () => udp.close(),
  };
}

export function publicAddresses(
  options: Pick<ListenTransportOptions, "publicAddresses">,
  port: number,
): readonly string[] {
  const given = options.publicAddresses;
  if (given === undefined) return [`127.0.0.1:${port}`, `[::1]:${port}`];
  return typeof given === "function" ? given(port) : given;
}

/** Takes WebSockets on an HTTP server, within the options' limits. */
export function listenWebSocket(
  http: Server,
  options: Pick<ListenTransportOptions, "addressOf" | "httpPath" | "maxClients" | "webSocket">,
  callbacks: SocketCallbacks,
): WebSocketListener {
  return new WebSocketListener({
    ...callbacks,
    http,
    httpPath: options.httpPath ?? "/riposte",
    maxPayloadBytes: MAX_WEBSOCKET_BYTES,
    limits: socketLimits(options),
    addressOf: options.addressOf ?? ((request) => request.socket.remoteAddress ?? ""),
  });
}

export function socketLimits(options: Pick<ListenTransportOptions, "maxClients" | "webSocket">): WebSocketLimits {
  const maxUnadmitted = options.webSocket?.maxUnadmitted ?? UNADMITTED_SOCKETS;
  return {
    maxUnadmitted,
    maxSockets: options.webSocket?.maxSockets ?? options.maxClients + maxUnadmitted,
    maxUnadmittedPerAddress: options.webSocket?.maxUnadmittedPerAddress ?? 16,
    admissionTimeoutMs: options.webSocket?.admissionTimeoutMs ?? 5000,
    sendBufferBytes: options.webSocket?.sendBufferBytes ?? 65_536,
  };
}

export function closeOnAbort(transport: GameTransport, signal: AbortSignal | undefined): void {
  if (signal === undefined) return;
  const abort = (): void => void transport.close();
  signal.addEventListener("abort", abort, { once: true });
  void transport.closed.then(() => signal.removeEventListener("abort", abort));
}
