/** A server and clients on the loopback interface for the transport's own tests. */
import { nodeCrypto } from "@riposte/datapath";
import { generateConnectToken } from "@riposte/protocol/netcode";
import { Recorder } from "../../testkit/src/index.ts";
import { dialUdp, listenTransport } from "../src/index.ts";
import type { ClientTransport, ListenTransportOptions, ServerTransport } from "../src/index.ts";

export const PROTOCOL_ID = 0x1234_5678_9abc_def0n;
export const SCHEMA: Uint8Array = Uint8Array.of(8, 7, 6, 5, 4, 3, 2, 1);
export const PRIVATE_KEY: Uint8Array = new Uint8Array(32).fill(7);

const opened: { close(): Promise<void> }[] = [];

/** Closes what a test has left open: give it to `afterEach`. */
export async function closeAll(): Promise<void> {
  await Promise.all(opened.splice(0).map((transport) => transport.close()));
}

export interface Served {
  readonly server: ServerTransport;
  readonly heard: Recorder;
}

export async function serve(options: Partial<ListenTransportOptions> = {}): Promise<Served> {
  const heard = new Recorder();
  const server = await listenTransport({
    host: "127.0.0.1",
    protocolId: PROTOCOL_ID,
    privateKey: PRIVATE_KEY,
    maxClients: 8,
    schemaHash: SCHEMA,
    handlers: heard,
    ...options,
  });
  opened.push(server);
  return { server, heard };
}

export function tokenFor(port: number, clientId: number, timeoutSeconds = 5, userData?: Uint8Array): Uint8Array {
  return generateConnectToken({
    protocolId: PROTOCOL_ID,
    clientId: BigInt(clientId),
    privateKey: PRIVATE_KEY,
    serverAddresses: [`127.0.0.1:${port}`],
    timeoutSeconds,
    ...(userData !== undefined && { userData }),
    nowSeconds: Date.now() / 1000,
    crypto: nodeCrypto(),
  });
}

export async function join(
  port: number,
  clientId: number,
  timeoutSeconds?: number,
): Promise<{ readonly client: ClientTransport; readonly heard: Recorder }> {
  const heard = new Recorder();
  const token = tokenFor(port, clientId, timeoutSeconds);
  const client = await dialUdp({ token, schemaHash: SCHEMA, handlers: heard });
  opened.push(client);
  return { client, heard };
}

/** Lets sockets and timers run until the condition holds. */
export async function until(condition: () => boolean, what: string, limitMs = 5000): Promise<void> {
  const end = performance.now() + limitMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`${what}: not within ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
