/** The compliance suite's carriers on real sockets, in real time, on the loopback interface. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { nodeCrypto } from "@riposte/datapath";
import type { Crypto } from "@riposte/protocol";
import { WebSocket } from "ws";
import { dialWebSocket } from "../../client/src/websocket-carrier.ts";
import type {
  CarrierHarness,
  ComplianceClient,
  ComplianceDialOptions,
  ComplianceServer,
  ComplianceServerOptions,
  Dialing,
} from "../../testkit/src/index.ts";
import { dialUdp, listenNetworkThread, listenTransport } from "../src/index.ts";
import type { EndpointView, GameTransport } from "../src/index.ts";

const DEFAULT_LIMIT_MS = 8000;

class SocketHarness implements CarrierHarness {
  readonly crypto: Crypto = nodeCrypto();
  readonly #carrier: "udp" | "websocket";
  readonly #host: string;
  /** Network threads of the server; 0: none. */
  readonly #threads: number;
  readonly #transports = new Map<ComplianceServer, GameTransport>();
  readonly #clients: { close(): Promise<void> }[] = [];

  constructor(carrier: "udp" | "websocket", host: string, threads: number) {
    this.#carrier = carrier;
    this.#host = host;
    this.#threads = threads;
  }

  unixSeconds(): number {
    return Date.now() / 1000;
  }

  async listen(options: ComplianceServerOptions): Promise<ComplianceServer> {
    const given = { ...options, host: this.#host === "127.0.0.1" ? this.#host : "::" };
    const transport =
      this.#threads === 0 ? await listenTransport(given) : await listenNetworkThread(given, { threads: this.#threads });
    const name = this.#host.includes(":") ? `[${this.#host}]` : this.#host;
    const server: ComplianceServer = {
      addresses: [`${name}:${transport.port}`],
      dropped: () => droppedBy(transport.endpoint) + (transport.stats.webSocket?.malformed ?? 0),
      flush: () => transport.flush(),
      close: () => transport.close(),
    };
    this.#transports.set(server, transport);
    return server;
  }

  dial(server: ComplianceServer, options: ComplianceDialOptions): Dialing {
    const controller = new AbortController();
    const { signal } = controller;
    const dialing =
      this.#carrier === "udp" ? dialUdp({ ...options, signal }) : this.#dialWebSocket(server, options, signal);
    const connected = dialing.then((client) => {
      this.#clients.push(client);
      return client;
    });
    connected.catch(() => {});
    return { connected, abort: (reason) => controller.abort(reason) };
  }

  async until(condition: () => boolean, what: string, limitMs: number = DEFAULT_LIMIT_MS): Promise<void> {
    const end = performance.now() + limitMs;
    while (!condition()) {
      if (performance.now() > end) throw new Error(`${what}: not within ${limitMs} ms`);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  async inject(server: ComplianceServer, datagrams: readonly Uint8Array[]): Promise<void> {
    const port = this.#transport(server).port;
    if (this.#carrier === "udp") {
      const socket = createSocket(this.#host.includes(":") ? "udp6" : "udp4");
      for (const bytes of datagrams) socket.send(bytes, port, this.#host);
      await new Promise((resolve) => setImmediate(resolve));
      socket.close();
      return;
    }
    const socket = new WebSocket(`ws://${this.#host}:${port}/riposte`);
    socket.on("error", () => {});
    await once(socket, "open");
    for (const bytes of datagrams) socket.send(bytes);
    socket.send("text is not for us");
    await once(socket, "close");
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
    await Promise.all([...this.#transports.values()].map((transport) => transport.close()));
  }

  async #dialWebSocket(
    server: ComplianceServer,
    options: ComplianceDialOptions,
    signal: AbortSignal,
  ): Promise<ComplianceClient> {
    const { schemaHash } = options;
    if (schemaHash === undefined) throw new RangeError("plain netcode peers do not come by WebSocket");
    const url = `ws://${this.#host}:${this.#transport(server).port}/riposte`;
    return dialWebSocket({ ...options, schemaHash, signal, url });
  }

  #transport(server: ComplianceServer): GameTransport {
    const transport = this.#transports.get(server);
    if (transport === undefined) throw new RangeError("not a server of this harness");
    return transport;
  }
}

/** Datagrams an endpoint dropped, for whatever reason. */
function droppedBy(endpoint: EndpointView): number {
  let sum = 0;
  for (const count of Object.values(endpoint.drops)) if (typeof count === "number") sum += count;
  return sum;
}

export function openUdpHarness(host = "127.0.0.1"): Promise<CarrierHarness> {
  return Promise.resolve(new SocketHarness("udp", host, 0));
}

export function openWebSocketHarness(): Promise<CarrierHarness> {
  return Promise.resolve(new SocketHarness("websocket", "127.0.0.1", 0));
}

/** The server's end in network threads. */
export function openThreadHarness(carrier: "udp" | "websocket", threads = 1): Promise<CarrierHarness> {
  return Promise.resolve(new SocketHarness(carrier, "127.0.0.1", threads));
}
