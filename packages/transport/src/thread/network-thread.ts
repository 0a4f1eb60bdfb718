/**
 * A `ServerTransport` in a worker thread, between the rings: commands and messages of the game come in by one lane,
 * events and messages of the connections go out by the other.
 */
import type { MessagePort } from "node:worker_threads";
import type { NetworkError } from "@riposte/protocol";
import type { Channel, Connection, GameConnection } from "@riposte/protocol/channel";
import { congestionControlFactory } from "@riposte/protocol/congestion";
import type { CongestionControlFactory } from "@riposte/protocol/congestion";
import { DEFAULT_LIMITS } from "@riposte/protocol/channel";
import { bindServer } from "../listen-transport.ts";
import type { BoundServer } from "../listen-transport.ts";
import type { ServerTransport } from "../server-transport.ts";
import type { TransportHandlers } from "../transport-handlers.ts";
import { NUMBERS_WIDTH, writeNumbers } from "./connection-numbers.ts";
import { LaneReader, LaneWriter } from "./message-lane.ts";
import { PacketSampler } from "./packet-sampler.ts";
import {
  CONNECTION_EVENT,
  DATAGRAM,
  FLUSH,
  MESSAGE_RAW,
  SERVER_EVENT,
  channelOf,
  decode,
  kindOf,
  networkError,
  plainError,
} from "./records.ts";
import type {
  ConnectionCommand,
  ConnectionEvent,
  ConnectionView,
  NamedCongestionControl,
  ServerCommand,
  ThreadAnswer,
} from "./records.ts";
import { RemoteSockets } from "./remote-sockets.ts";
import { SERVER_WIDTH, writeServerNumbers } from "./server-numbers.ts";
import { RELEASED, SharedSlots, WAITS } from "./shared-slots.ts";
import { SharedHouse } from "./shared-house.ts";
import { SiblingThreads } from "./sibling-threads.ts";
import { SocketFlags } from "./socket-flags.ts";
import type { ThreadStart } from "./thread-options.ts";
import { Upstream } from "./upstream.ts";
import type { NamedConnection } from "./upstream.ts";

/** The ports of a thread, its own ends. */
export interface ThreadPorts {
  /** Wakes the game thread. */
  readonly wakeGame: () => void;
  /** Messages too large for the rings: from the game, and to it. */
  readonly down: MessagePort;
  readonly up: MessagePort;
  /** Answers for a game thread that waits for the flag to change. */
  readonly answers: MessagePort;
  readonly answered: Int32Array;
}

/** How often numbers are published, and acknowledged reliable bytes while there are any to be. */
const NUMBERS_INTERVAL_MS = 20;
const RELEASE_INTERVAL_MS = 4;
/** As a connection's own queue: room is announced when half of it is free. */
const DRAINED_SHARE = 0.5;

interface Link extends NamedConnection {
  /** Reliable bytes that the connection took, prefixes included. */
  accepted: number;
  /** What `stats` counted when its row was written last. */
  published: number;
}

export class NetworkThread {
  readonly #start: ThreadStart;
  readonly #ports: ThreadPorts;
  readonly #reader: LaneReader;
  readonly #up: Upstream;
  readonly #slots: SharedSlots;
  readonly #server: SharedSlots;
  readonly #row: Float64Array = new Float64Array(NUMBERS_WIDTH);
  readonly #serverRow: Float64Array = new Float64Array(SERVER_WIDTH);
  readonly #links = new Map<GameConnection, Link>();
  readonly #bySlot: (Link | undefined)[] = [];
  /** Whose reliable messages are not acknowledged yet. */
  readonly #outstanding = new Set<Link>();
  readonly #factories = new Map<string, CongestionControlFactory>();
  readonly #sampler: PacketSampler;
  readonly #limitBytes: number;
  readonly #siblings: SiblingThreads | undefined;
  #sockets: RemoteSockets | undefined;
  #transport: ServerTransport | undefined;
  #generation = 0;
  #releasing: NodeJS.Timeout | undefined;
  #draining = false;

  constructor(start: ThreadStart, ports: ThreadPorts) {
    this.#start = start;
    this.#ports = ports;
    this.#reader = new LaneReader(start.down, ports.down);
    this.#up = new Upstream(new LaneWriter(start.up, ports.up), ports.wakeGame);
    this.#slots = new SharedSlots(start.connections, start.options.maxClients, NUMBERS_WIDTH);
    this.#server = new SharedSlots(start.server, 1, SERVER_WIDTH);
    this.#sampler = new PacketSampler(this.#up, start.thread.tracedPacketsPerSec);
    const { house, number, siblings } = start;
    this.#siblings = house && new SiblingThreads(new SharedHouse(house, number, start.options.maxClients), siblings);
    this.#limitBytes = start.options.limits?.reliableSendBytes ?? DEFAULT_LIMITS.reliableSendBytes;
  }

  /** Binds the socket; `open` follows, with what tokens call this server. */
  bind(): Promise<BoundServer> {
    const { options, port, congestionControl } = this.#start;
    return bindServer(
      {
        ...options,
        ...(congestionControl !== undefined && { congestionControl: this.#factory(congestionControl) }),
        handlers: this.#handlers(),
      },
      port,
      this.#siblings !== undefined,
    );
  }

  open(bound: BoundServer, publicAddresses: readonly string[]): ServerTransport {
    const { sockets } = this.#start;
    const transport = bound.open({
      publicAddresses,
      ownHttp: undefined,
      shared: this.#siblings,
      openSockets:
        sockets && ((callbacks) => (this.#sockets = new RemoteSockets(callbacks, new SocketFlags(sockets), this.#up))),
    });
    this.#transport = transport;
    if (this.#siblings !== undefined) {
      transport.dropStale();
      this.#siblings.listen(transport);
    }
    const numbers = setInterval(() => this.#publishNumbers(), NUMBERS_INTERVAL_MS);
    void transport.closed.then(() => {
      clearInterval(numbers);
      clearInterval(this.#releasing);
      this.#siblings?.close();
      this.#publishNumbers();
      this.#up.event({ type: "closed" });
    });
    this.#publishNumbers();
    this.handleWake();
    return transport;
  }

  /** The game thread has written something, or read. */
  readonly handleWake = (): void => {
    const transport = this.#transport;
    if (transport === undefined || this.#draining) return;
    this.#draining = true;
    this.#up.handleRoom();
    const flushes = this.#drain();
    if (flushes) transport.flush();
    else transport.resume();
    this.#draining = false;
    if (this.#reader.takeRoomWanted()) this.#ports.wakeGame();
    if (!this.#reader.sleep()) setImmediate(this.handleWake);
  };

  /** Takes everything that was published; whether it is to be flushed. */
  #drain(): boolean {
    const reader = this.#reader;
    const { record } = reader;
    let flushes = false;
    reader.begin();
    while (reader.next()) {
      const { kind, slot, generation, buffer, offset, length } = record;
      if (kind === FLUSH) flushes = true;
      else if (kind === DATAGRAM) this.#sockets?.receive(record);
      else if (kind === SERVER_EVENT) this.#serverCommand(decode(buffer, offset, length) as ServerCommand);
      else if (kind === CONNECTION_EVENT) {
        this.#connectionCommand(decode(buffer, offset, length) as ConnectionCommand, this.#linkOf(slot, generation));
      } else this.#send();
    }
    this.#sockets?.deliver();
    return flushes;
  }

  #send(): void {
    const { kind, slot, generation, argument, deadlineMs, buffer, offset, length } = this.#reader.record;
    const link = this.#linkOf(slot, generation);
    if (link === undefined) return;
    const { connection } = link;
    if (kind === MESSAGE_RAW) {
      connection.sendRaw(buffer, offset, length);
      return;
    }
    const channel = channelOf(kind);
    if (channel !== "reliableOrdered") {
      connection.send(channel, buffer, offset, length, deadlineMs > 0 ? { deadlineMs } : undefined);
      return;
    }
    const options = argument === 0 ? undefined : { stream: argument };
    const before = connection.stats.reliableQueuedBytes;
    if (connection.send(channel, buffer, offset, length, options) !== "queued") return;
    link.accepted += connection.stats.reliableQueuedBytes - before;
    this.#outstanding.add(link);
    this.#releasing ??= setInterval(() => this.#publishReleased(), RELEASE_INTERVAL_MS);
  }

  #serverCommand(command: ServerCommand): void {
    const transport = this.#transport;
    switch (command.type) {
      case "serverQos":
        transport?.endpoint.qos.replace(command.overrides);
        return;
      case "simulateAll":
        transport?.simulate(command.conditions);
        return;
      case "pathClosed":
        this.#sockets?.handleClosed(command.path);
        return;
      case "writable":
        this.#sockets?.handleWritable();
        return;
      case "closeServer":
        void transport?.close();
    }
  }

  /** `link` is undefined when the connection has ended meanwhile. */
  #connectionCommand(command: ConnectionCommand, link: Link | undefined): void {
    const connection = link?.connection;
    switch (command.type) {
      case "inspectReassembly":
        this.#answer(connection?.fragmenter.inspect() ?? []);
        return;
      case "clearReassembly":
        this.#answer(connection?.fragmenter.clear() ?? 0);
        return;
      case "close":
        connection?.close(command.code, command.reason);
        return;
      case "finish":
        connection?.finish(command.code, command.reason, command.timeoutMs);
        return;
      case "fail":
        connection?.fail(networkError(command.error));
        return;
      case "flush":
        connection?.flush();
        return;
      case "qos":
        connection?.qos.replace(command.overrides);
        return;
      case "congestionControl": {
        connection?.setCongestionControl(this.#factory(command.algorithm));
        return;
      }
      case "trace":
        if (link !== undefined) link.connection.trace = command.on ? this.#sampler.of(link) : undefined;
        return;
      case "simulate":
        if (connection !== undefined) this.#transport?.simulate(command.conditions, connection);
    }
  }

  /** One for each algorithm, so that their controllers differ in their seeds. */
  #factory(algorithm: NamedCongestionControl): CongestionControlFactory {
    const key = JSON.stringify(algorithm);
    let factory = this.#factories.get(key);
    if (factory === undefined) {
      factory = congestionControlFactory(algorithm.name, algorithm.options);
      this.#factories.set(key, factory);
    }
    return factory;
  }

  #answer(answer: ThreadAnswer): void {
    const { answers, answered } = this.#ports;
    answers.postMessage(answer);
    Atomics.add(answered, 0, 1);
    Atomics.notify(answered, 0);
  }

  #handlers(): TransportHandlers<Connection> {
    return {
      admitted: (connection) => this.#tell("admitted", connection),
      connected: (connection) => this.#tell("connected", connection),
      interrupted: (connection) => this.#tell("interrupted", connection),
      migrated: (connection) => this.#tell("migrated", connection),
      closing: (connection) => this.#tell("closing", connection),
      disconnected: (connection, error) => this.#end("disconnected", connection, error),
      rejected: (connection, error) => {
        if (connection === undefined) this.#up.event({ type: "refused", error: plainError(error) });
        else this.#end("rejected", connection, error);
      },
      message: (connection, channel, buffer, offset, length, stream) =>
        this.#message(connection, channel, buffer, offset, length, stream),
      raw: (connection, buffer, offset, length) => {
        const link = this.#links.get(connection);
        if (link !== undefined) this.#up.unreliable(link, MESSAGE_RAW, 0, buffer, offset, length);
      },
    };
  }

  #message(
    connection: Connection,
    channel: Channel,
    buffer: Uint8Array,
    offset: number,
    length: number,
    stream: number,
  ): void {
    const link = this.#links.get(connection);
    if (link === undefined) return;
    if (channel === "reliableOrdered") this.#up.reliable(link, stream, buffer, offset, length);
    else this.#up.unreliable(link, kindOf(channel), stream, buffer, offset, length);
  }

  #tell(type: ConnectionEvent["type"], connection: Connection): void {
    let link = this.#links.get(connection);
    const isNew = link === undefined;
    link ??= this.#open(connection);
    this.#publishRow(link);
    const { clientId, userData } = connection;
    const identity = isNew ? { identity: { clientId, userData } } : {};
    const error = connection.closeError && plainError(connection.closeError);
    this.#up.connectionEvent({ type, ...identity, view: this.#viewOf(connection), error }, link);
  }

  #end(type: "disconnected" | "rejected", connection: Connection, error: NetworkError | undefined): void {
    const link = this.#links.get(connection);
    if (link === undefined) return;
    this.#publishRow(link);
    const numbers = this.#row.slice();
    const view = this.#viewOf(connection);
    this.#up.connectionEvent({ type, view, error: error && plainError(error), numbers }, link);
    this.#links.delete(connection);
    this.#outstanding.delete(link);
    if (this.#bySlot[link.slot] === link) this.#bySlot[link.slot] = undefined;
  }

  #open(connection: Connection): Link {
    const slot = connection.index;
    const generation = ++this.#generation;
    const link: Link = { connection, slot, generation, unreadBytes: 0, accepted: 0, published: -1 };
    this.#links.set(connection, link);
    this.#bySlot[slot] = link;
    this.#slots.open(slot, generation);
    return link;
  }

  #linkOf(slot: number, generation: number): Link | undefined {
    const link = this.#bySlot[slot];
    return link?.generation === generation ? link : undefined;
  }

  #viewOf(connection: Connection): ConnectionView {
    const { state, carrier, negotiated, interrupted } = connection;
    const transport = this.#transport;
    const path = transport?.endpoint.pathOf(connection) ?? -1;
    return { state, carrier, negotiated, interrupted, path, address: transport?.addressOf(connection) ?? "" };
  }

  #publishNumbers(): void {
    for (const link of this.#links.values()) {
      const { stats } = link.connection;
      const counted = stats.packetsSent + stats.packetsReceived + stats.packetsLost + stats.messagesSent;
      if (counted === link.published) continue;
      link.published = counted;
      this.#publishRow(link);
    }
    if (this.#transport === undefined) return;
    const counters = {
      ringDropped: this.#up.dropped,
      tracesLeftOut: this.#sampler.leftOut,
      passedOn: this.#siblings?.passedOn ?? 0,
    };
    writeServerNumbers(this.#transport, counters, this.#serverRow);
    this.#server.write(0, this.#serverRow);
  }

  #publishRow({ connection, slot, generation }: Link): void {
    writeNumbers(connection, this.#row);
    if (this.#slots.generation(slot) === generation) this.#slots.write(slot, this.#row);
  }

  #publishReleased(): void {
    let wanted = false;
    for (const link of this.#outstanding) {
      const { slot, accepted, connection } = link;
      const queued = connection.stats.reliableQueuedBytes;
      this.#slots.store(slot, RELEASED, (accepted - queued) | 0);
      if (queued === 0) this.#outstanding.delete(link);
      if (queued <= DRAINED_SHARE * this.#limitBytes && this.#slots.load(slot, WAITS) === 1) wanted = true;
    }
    if (wanted) this.#ports.wakeGame();
    if (this.#outstanding.size > 0) return;
    clearInterval(this.#releasing);
    this.#releasing = undefined;
  }
}
