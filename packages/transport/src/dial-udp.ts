import { isIPv4 } from "node:net";
import { nodeCrypto, openDatapath } from "@riposte/datapath";
import type { Datapath } from "@riposte/datapath";
import { formatAddress, readConnectToken } from "@riposte/protocol/netcode";
import type { NetcodeAddress } from "@riposte/protocol/netcode";
import type { NetworkConditions } from "@riposte/protocol/simulator";
import { ClientTransport } from "./client-transport.ts";
import type { TransportHandlers } from "./transport-handlers.ts";

export interface DialUdpOptions {
  /** 2,048 bytes from a token service. */
  readonly token: Uint8Array;
  /** 8 bytes of the game's schema; undefined speaks plain netcode. */
  readonly schemaHash: Uint8Array | undefined;
  readonly handlers: TransportHandlers;
  /** Ends connecting; `close` ends the connection. */
  readonly signal?: AbortSignal | undefined;
  /** Conditions from the first packet on; see `ClientTransport.simulate`. */
  readonly simulate?: NetworkConditions | undefined;
  /** Whether `simulate` works. Default: not when NODE_ENV is "production". */
  readonly allowSimulation?: boolean;
  /** Seed of simulated conditions. Default 1. */
  readonly simulationSeed?: number;
  /** Default: the best this runtime has. */
  readonly datapath?: Datapath;
}

/** A client needs few paths: one per server address of its token. */
const CLIENT_PATHS = 256;

/** Connects to the first server of the token that answers. Rejects with `NetworkError`, or with `signal.reason`. */
export async function dialUdp(options: DialUdpOptions): Promise<ClientTransport> {
  options.signal?.throwIfAborted();
  const token = readConnectToken(options.token);
  if (token === undefined) throw new RangeError("options.token is no connect token");
  const datapath = options.datapath ?? openDatapath();
  const addresses = datapath.createAddressTable(CLIENT_PATHS);
  let transport: ClientTransport | undefined;
  const udp = await datapath.openUdpSocket({
    // Both families where the machine has them, which a token with IPv6 addresses asks for.
    host: token.serverAddresses.some((address) => address.family === 6) ? undefined : "0.0.0.0",
    addresses,
    bufferBytes: 1024 * 1024,
    onReadable: () => transport?.receiveUdp(),
    onWritable: () => transport?.resume(),
  });
  try {
    options.signal?.throwIfAborted();
    const ipv4Only = isIPv4(udp.address);
    const serverPaths = token.serverAddresses.map((address) => {
      const reachable = address.port !== 0 && (address.family === 4 || !ipv4Only);
      return reachable ? addresses.intern(hostOf(address), address.port) : -1;
    });
    transport = new ClientTransport({
      options,
      udp,
      addresses,
      serverPaths,
      crypto: nodeCrypto(),
      protection: datapath.createPacketProtection(),
    });
  } catch (error) {
    udp.close();
    throw error;
  }
  await transport.connected;
  return transport;
}

function hostOf(address: NetcodeAddress): string {
  return formatAddress({ ...address, port: 0 });
}
