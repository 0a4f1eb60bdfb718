/** The compliance suite's carrier in memory: a `SimulatedNetwork`, in virtual time. */
import { NetworkError } from "@riposte/protocol";
import type { Crypto } from "@riposte/protocol";
import type { Connection } from "@riposte/protocol/channel";
import { ClientEndpoint, ServerEndpoint } from "@riposte/protocol/endpoint";
import { formatAddress, readConnectToken } from "@riposte/protocol/netcode";
import type { NetcodeDrops } from "@riposte/protocol/netcode";
import type { NetworkConditions } from "@riposte/protocol/simulator";
import type { SimulatedHost } from "../simulated-host.ts";
import { SimulatedNetwork } from "../simulated-network.ts";
import type {
  CarrierHarness,
  ComplianceClient,
  ComplianceDialOptions,
  ComplianceHandlers,
  ComplianceServer,
  ComplianceServerOptions,
  Dialing,
} from "./carrier-harness.ts";

export interface MemoryHarnessOptions {
  readonly seed: number;
  readonly conditions?: NetworkConditions;
  readonly crypto?: Crypto;
}

const SLICE_MS = 5;
const DEFAULT_LIMIT_MS = 10_000;

export class MemoryHarness implements CarrierHarness {
  readonly network: SimulatedNetwork;
  readonly crypto: Crypto;
  readonly #servers = new Map<ComplianceServer, { host: SimulatedHost; endpoint: ServerEndpoint }>();

  constructor(options: MemoryHarnessOptions) {
    this.network = new SimulatedNetwork(options);
    this.crypto = this.network.crypto;
  }

  unixSeconds(): number {
    return this.network.clock.unixSeconds;
  }

  listen(options: ComplianceServerOptions): Promise<ComplianceServer> {
    const { network } = this;
    const host = network.addHost();
    const handlers = announcing(options.handlers);
    const endpoint = new ServerEndpoint({
      ...options,
      publicAddresses: [host.address],
      crypto: this.crypto,
      keys: host.keys,
      driver: host.driver,
      sink: handlers,
      now: network.now,
      unixSeconds: network.clock.unixSeconds,
    });
    host.onEvent = (event) => {
      if (event.type === "connected") handlers.connected(event.connection);
      else if (event.type === "disconnected") handlers.disconnected(event.connection, event.error);
    };
    host.run(endpoint);
    const server: ComplianceServer = {
      addresses: [host.address],
      dropped: () => totalOf(endpoint.drops),
      flush: () => host.flush(network.now),
      close: () => {
        endpoint.close(network.now);
        host.wake(network.now);
        return Promise.resolve();
      },
    };
    this.#servers.set(server, { host, endpoint });
    return Promise.resolve(server);
  }

  dial(_server: ComplianceServer, options: ComplianceDialOptions): Dialing {
    const { network } = this;
    const host = network.addHost();
    const handlers = announcing(options.handlers);
    const token = readConnectToken(options.token);
    if (token === undefined) throw new RangeError("options.token is no connect token");
    const endpoint = new ClientEndpoint({
      token: options.token,
      schemaHash: options.schemaHash,
      crypto: this.crypto,
      keys: host.keys,
      driver: host.driver,
      serverPaths: token.serverAddresses.map((address) => network.hostAt(formatAddress(address))?.id ?? -1),
      sink: handlers,
      now: network.now,
    });
    const { promise, resolve, reject } = Promise.withResolvers<ComplianceClient>();
    let settled = false;
    const close = (): void => {
      endpoint.close(network.now);
      host.wake(network.now);
    };
    host.onEvent = (event) => {
      settled = true;
      if (event.type === "connected") {
        handlers.connected(event.connection);
        const { connection } = event;
        resolve({
          connection,
          flush: () => host.flush(network.now),
          simulate: (conditions) => {
            network.simulate(conditions ?? {}, { from: host.id });
            network.simulate(conditions ?? {}, { to: host.id });
          },
          close: () => Promise.resolve(close()),
        });
      } else if (event.type === "disconnected") {
        handlers.disconnected(event.connection, event.error);
      } else if (event.type === "rejected") {
        reject(event.error ?? new NetworkError("aborted", "closed before it was connected"));
      }
    };
    host.run(endpoint);
    void this.#drive(() => settled);
    return {
      connected: promise,
      abort: (reason) => {
        settled = true;
        reject(reason);
        close();
      },
    };
  }

  async until(condition: () => boolean, what: string, limitMs: number = DEFAULT_LIMIT_MS): Promise<void> {
    // Who awaits a dial must be told before time goes on.
    await Promise.resolve();
    this.network.runUntil(condition, what, limitMs);
  }

  inject(server: ComplianceServer, datagrams: readonly Uint8Array[]): Promise<void> {
    const entry = this.#servers.get(server);
    if (entry === undefined) throw new RangeError("not a server of this harness");
    const stranger = this.network.addHost();
    for (const bytes of datagrams) this.network.transmit(stranger.id, entry.host.id, bytes, 0, bytes.length);
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Lets time pass while a dial is on its way, giving way to whoever may abort it. */
  async #drive(settled: () => boolean): Promise<void> {
    for (let ms = 0; !settled() && ms < 60_000; ms += SLICE_MS) {
      await Promise.resolve();
      if (!settled()) this.network.runFor(SLICE_MS);
    }
  }
}

function totalOf(drops: NetcodeDrops): number {
  let sum = 0;
  for (const count of Object.values(drops)) if (typeof count === "number") sum += count;
  return sum;
}

/** "connected" comes before the first message, also when one datagram brings both; and once. */
function announcing(handlers: ComplianceHandlers): ComplianceHandlers {
  const announced = new Set<Connection>();
  const connected = (connection: Connection): void => {
    if (announced.has(connection)) return;
    announced.add(connection);
    handlers.connected(connection);
  };
  return {
    connected,
    disconnected: (connection, error) => handlers.disconnected(connection, error),
    message(connection, channel, buffer, offset, length) {
      connected(connection);
      handlers.message(connection, channel, buffer, offset, length);
    },
    raw(connection, buffer, offset, length) {
      connected(connection);
      handlers.raw(connection, buffer, offset, length);
    },
  };
}
