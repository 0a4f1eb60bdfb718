import { nodeCrypto, openDatapath } from "@riposte/datapath";
import type { Datapath } from "@riposte/datapath";
import type { EndpointConnectionOptions } from "@riposte/protocol/endpoint";
import { readConnectToken } from "@riposte/protocol/netcode";
import type { NetworkConditions } from "@riposte/protocol/simulator";
import { ClientTransport } from "./client-transport.ts";
import { loadSimulation } from "./load-simulation.ts";
import type { Connection } from "@riposte/protocol/channel";
import type { TransportHandlers } from "./transport-handlers.ts";
import { UdpLink } from "./udp-link.ts";

export interface DialUdpOptions extends EndpointConnectionOptions {
  /** 2,048 bytes from a token service. */
  readonly token: Uint8Array;
  /** 8 bytes of the game's schema; undefined speaks plain netcode. */
  readonly schemaHash: Uint8Array | undefined;
  readonly handlers: TransportHandlers<Connection>;
  /** Ends connecting; `close` ends the connection. */
  readonly signal?: AbortSignal | undefined;
  /** Conditions from the first packet on; see `ClientTransport.simulate`. */
  readonly simulate?: NetworkConditions | undefined;
  /** False: `simulate` throws. Default true; when NODE_ENV is "production" it throws whatever stands here. */
  readonly allowSimulation?: boolean;
  /** Seed of simulated conditions. Default 1. */
  readonly simulationSeed?: number;
  /** Largest IP packet that the search for the path's MTU tries: 1280 to 9000. Default 1500. */
  readonly maxPacketBytes?: number;
  /** Default: the best this runtime has. */
  readonly datapath?: Datapath;
}

/** Connects to the first server of the token that answers. Rejects with `NetworkError`, or with `signal.reason`. */
export async function dialUdp(options: DialUdpOptions): Promise<ClientTransport> {
  options.signal?.throwIfAborted();
  const token = readConnectToken(options.token);
  if (token === undefined) throw new RangeError("options.token is no connect token");
  const datapath = options.datapath ?? openDatapath();
  const servers = token.serverAddresses;
  const Simulation = await loadSimulation(options.allowSimulation);
  const link = await UdpLink.open({ datapath, servers, maxPacketBytes: options.maxPacketBytes ?? 1500 });
  let transport: ClientTransport;
  try {
    options.signal?.throwIfAborted();
    const protection = datapath.createPacketProtection();
    transport = new ClientTransport({ options, datapath, servers, link, crypto: nodeCrypto(), protection, Simulation });
  } catch (error) {
    link.close();
    throw error;
  }
  await transport.connected;
  return transport;
}
