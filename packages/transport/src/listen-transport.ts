import { createServer } from "node:http";
import type { IncomingMessage, Server } from "node:http";
import { nodeCrypto, openDatapath } from "@riposte/datapath";
import type { Datapath, UdpSocket } from "@riposte/datapath";
import type { EndpointConnectionOptions } from "@riposte/protocol/endpoint";
import { loadSimulation } from "./load-simulation.ts";
import { explainBindError } from "./port-in-use-error.ts";
import { ServerTransport } from "./server-transport.ts";
import type { WebSocketLimits } from "./websocket-listener.ts";
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
  /** Whether `simulate` works. Default: not when NODE_ENV is "production". */
  readonly allowSimulation?: boolean;
  /** Seed of simulated conditions. Default 1. */
  readonly simulationSeed?: number;
  /** Default: the best this runtime has. */
  readonly datapath?: Datapath;
  readonly signal?: AbortSignal;
}

const FREE_PORT_ATTEMPTS = 20;

/** Opens a server on UDP and WebSocket. Rejects with `PortInUseError` when the port is taken. */
export async function listenTransport(options: ListenTransportOptions): Promise<ServerTransport> {
  const { signal } = options;
  signal?.throwIfAborted();
  const datapath = options.datapath ?? openDatapath();
  const addresses = datapath.createAddressTable();
  let transport: ServerTransport | undefined;
  const bindUdp = (port: number): Promise<UdpSocket> =>
    datapath
      .openUdpSocket({
        port,
        host: options.host,
        addresses,
        onReadable: () => transport?.receiveUdp(),
        onWritable: () => transport?.resume(),
      })
      .catch((error: unknown) => {
        throw explainBindError(error, port, "udp");
      });

  const Simulation = await loadSimulation(options.allowSimulation);
  const { udp, http, ownsHttp } = await bindBoth(options, bindUdp);
  try {
    signal?.throwIfAborted();
    transport = new ServerTransport({
      options,
      udp,
      http,
      ownsHttp,
      addresses,
      crypto: nodeCrypto(),
      protection: datapath.createPacketProtection(),
      Simulation,
    });
  } catch (error) {
    udp.close();
    if (ownsHttp) http?.close();
    throw error;
  }
  const opened = transport;
  const abort = (): void => void opened.close();
  signal?.addEventListener("abort", abort, { once: true });
  void opened.closed.then(() => signal?.removeEventListener("abort", abort));
  return opened;
}

interface Bound {
  readonly udp: UdpSocket;
  readonly http: Server | undefined;
  readonly ownsHttp: boolean;
}

/** Takes one port number for both protocols; a free number for TCP need not be free for UDP. */
async function bindBoth(
  options: ListenTransportOptions,
  bindUdp: (port: number) => Promise<UdpSocket>,
): Promise<Bound> {
  const wanted = options.port ?? 0;
  if (options.http === false) return { udp: await bindUdp(wanted), http: undefined, ownsHttp: false };
  const given = options.http;
  if (given?.listening === true) return { udp: await bindUdp(wanted || portOf(given)), http: given, ownsHttp: false };
  for (let attempt = 1; ; attempt += 1) {
    const http = given ?? createServer((_request, response) => response.writeHead(404).end());
    await listenHttp(http, wanted, options.host);
    // An accept that fails, as when files run out, costs that one client.
    if (given === undefined) http.on("error", () => {});
    try {
      return { udp: await bindUdp(portOf(http)), http, ownsHttp: true };
    } catch (error) {
      await new Promise((resolve) => http.close(resolve));
      if (wanted !== 0 || attempt === FREE_PORT_ATTEMPTS) throw error;
    }
  }
}

function listenHttp(http: Server, port: number, host: string | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => reject(explainBindError(error, port, "tcp"));
    http.once("error", fail);
    http.listen({ port, host, exclusive: true }, () => {
      http.off("error", fail);
      resolve();
    });
  });
}

function portOf(http: Server): number {
  const address = http.address();
  if (address === null || typeof address === "string") throw new TypeError("the HTTP server listens on no port");
  return address.port;
}
