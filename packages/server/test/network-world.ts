/** An `AdvancedNetworkInterface` over a server endpoint in a simulated network, with clients, on a virtual clock. */
import type { Channel, Connection, ConnectionSink, GameConnection } from "@riposte/protocol/channel";
import { ClientEndpoint, ServerEndpoint } from "@riposte/protocol/endpoint";
import type { EndpointEvent, ServerEndpointOptions } from "@riposte/protocol/endpoint";
import { generateConnectToken, writeUserData } from "@riposte/protocol/netcode";
import type { NetworkConditions } from "@riposte/protocol/simulator";
import { SimulatedNetwork } from "../../testkit/src/index.ts";
import type { SimulatedHost } from "../../testkit/src/index.ts";
import { ConnectionAnnouncer } from "../../transport/src/connection-announcer.ts";
import { AdvancedNetworkInterface } from "../src/index.ts";
import type { ConnectionStatus, NetworkEventListener, NetworkTransport } from "../src/index.ts";

const PROTOCOL_ID = 77n;
const PRIVATE_KEY = new Uint8Array(32).fill(3);
const SCHEMA = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

export interface Heard {
  readonly channel: Channel | "raw";
  readonly bytes: Uint8Array;
  readonly stream: number;
}

export class TestClient {
  readonly host: SimulatedHost;
  readonly endpoint: ClientEndpoint;
  readonly heard: Heard[] = [];
  readonly events: EndpointEvent[] = [];
  readonly #network: SimulatedNetwork;

  constructor(
    network: SimulatedNetwork,
    server: SimulatedHost,
    options: { clientId: bigint; schemaHash: Uint8Array | undefined; timeoutSeconds?: number },
  ) {
    this.#network = network;
    this.host = network.addHost();
    this.endpoint = new ClientEndpoint({
      token: generateConnectToken({
        protocolId: PROTOCOL_ID,
        clientId: options.clientId,
        privateKey: PRIVATE_KEY,
        serverAddresses: [server.address],
        timeoutSeconds: options.timeoutSeconds ?? 10,
        userData: writeUserData({}),
        nowSeconds: network.clock.unixSeconds,
        crypto: network.crypto,
      }),
      schemaHash: options.schemaHash,
      crypto: network.crypto,
      keys: this.host.keys,
      driver: this.host.driver,
      serverPaths: [server.id],
      sink: recorder(this.heard),
      now: network.now,
    });
    this.host.onEvent = (event) => this.events.push(event);
    this.host.run(this.endpoint);
  }

  get connection(): Connection {
    const { connection } = this.endpoint;
    if (connection === undefined) throw new Error("not admitted");
    return connection;
  }

  send(channel: Channel, bytes: Uint8Array): void {
    this.connection.send(channel, bytes);
    this.host.flush(this.#network.now);
  }

  close(): void {
    this.endpoint.close(this.#network.now);
    this.host.wake(this.#network.now);
  }
}

export interface WorldOptions {
  readonly seed?: number;
  readonly conditions?: NetworkConditions;
  readonly canSimulate?: boolean;
  readonly endpoint?: Partial<ServerEndpointOptions>;
}

export class NetworkWorld {
  readonly network: SimulatedNetwork;
  readonly host: SimulatedHost;
  readonly endpoint: ServerEndpoint;
  readonly transport: NetworkTransport;
  readonly server: AdvancedNetworkInterface;
  readonly heard: Heard[] = [];
  /** What listeners threw. */
  readonly errors: { during: string; error: unknown; repeated: number }[] = [];
  /** Calls of `transport.simulate`. */
  readonly simulated: { conditions: NetworkConditions | undefined; connection: GameConnection | undefined }[] = [];
  #clients = 0n;

  constructor(options: WorldOptions = {}) {
    const network = new SimulatedNetwork({
      seed: options.seed ?? 1,
      conditions: options.conditions ?? { latencyMs: 20 },
    });
    this.network = network;
    this.host = network.addHost();
    const announcer = new ConnectionAnnouncer(recorder(this.heard));
    this.endpoint = new ServerEndpoint({
      protocolId: PROTOCOL_ID,
      privateKey: PRIVATE_KEY,
      maxClients: 8,
      publicAddresses: [this.host.address],
      schemaHash: SCHEMA,
      crypto: network.crypto,
      keys: this.host.keys,
      driver: this.host.driver,
      sink: announcer,
      now: network.now,
      unixSeconds: network.clock.unixSeconds,
      ...options.endpoint,
    });
    this.host.onEvent = (event) => announcer.deliver(event);
    this.host.run(this.endpoint);
    this.transport = {
      endpoint: this.endpoint,
      canSimulate: options.canSimulate ?? true,
      observe: (observer) => announcer.observe(observer),
      simulate: (conditions, connection) => this.simulated.push({ conditions, connection }),
      addressOf: (connection) => network.hosts[this.endpoint.pathOf(connection)]?.address ?? "",
      flush: () => this.host.flush(network.now),
    };
    this.server = new AdvancedNetworkInterface(this.transport, {
      onListenerError: (during, error, repeated) => this.errors.push({ during, error, repeated }),
      now: () => network.now,
    });
  }

  /** A client on its way in. */
  dial(options: { schemaHash?: Uint8Array | undefined; clientId?: bigint; timeoutSeconds?: number } = {}): TestClient {
    return new TestClient(this.network, this.host, { clientId: ++this.#clients, schemaHash: SCHEMA, ...options });
  }

  /** A client that is connected, and its id at the server. */
  join(options: { timeoutSeconds?: number } = {}): { client: TestClient; id: number } {
    const before = new Set(this.server.connectionIds);
    const client = this.dial(options);
    let id: number | undefined;
    this.network.runUntil(() => {
      id = this.server.connectionIds.find((other) => !before.has(other) && this.server.status(other) === "connected");
      return id !== undefined && client.events.some(({ type }) => type === "connected");
    }, "joins");
    return { client, id: id ?? 0 };
  }

  /** Ticks of 10 ms, each with a flush of everybody. */
  run(ms: number, tick: (index: number) => void = () => undefined): void {
    for (let index = 0; index * 10 < ms; index++) {
      tick(index);
      for (const host of this.network.hosts) host.flush(this.network.now);
      this.network.runFor(10);
    }
  }
}

/** Writes down statuses and errors. */
export class StatusRecorder implements NetworkEventListener {
  readonly statuses: [id: number, status: ConnectionStatus][] = [];
  readonly networkErrors: [id: number, message: string][] = [];

  onConnectionStatusChanged(id: number, status: ConnectionStatus): void {
    this.statuses.push([id, status]);
  }

  onNetworkError(id: number, message: string): void {
    this.networkErrors.push([id, message]);
  }

  of(id: number): ConnectionStatus[] {
    return this.statuses.filter(([other]) => other === id).map(([, status]) => status);
  }
}

function recorder(heard: Heard[]): ConnectionSink {
  return {
    message: (_connection, channel, buffer, offset, length, stream) =>
      heard.push({ channel, bytes: buffer.slice(offset, offset + length), stream }),
    raw: (_connection, buffer, offset, length) =>
      heard.push({ channel: "raw", bytes: buffer.slice(offset, offset + length), stream: 0 }),
  };
}
