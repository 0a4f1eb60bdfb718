/** One network thread as the game thread sees it: starts the worker, writes to it, and reads what comes from it. */
import { once } from "node:events";
import { MessageChannel, Worker, receiveMessageOnPort } from "node:worker_threads";
import type { MessagePort } from "node:worker_threads";
import { NetworkError } from "@riposte/protocol";
import type { Channel, ConnectionLimits, QosSettings } from "@riposte/protocol/channel";
import { explainBindError } from "../port-in-use-error.ts";
import { NUMBERS_WIDTH } from "./connection-numbers.ts";
import { LaneReader, LaneWriter, laneMemory } from "./message-lane.ts";
import type { WorkerMessage, WorkerRequest, WorkerStart } from "./network-worker.ts";
import {
  DATAGRAM,
  CONNECTION_EVENT,
  FLUSH,
  MESSAGE_RAW,
  MESSAGE_RELIABLE,
  SERVER_EVENT,
  TRACE_HEADER_BYTES,
  TRACE_LOST,
  TRACE_RECEIVED,
  TRACE_SENT,
  channelOf,
  decode,
  encode,
  networkError,
} from "./records.ts";
import type { ConnectionCommand, ConnectionEvent, ServerCommand, ServerEvent, ThreadAnswer } from "./records.ts";
import { SERVER_WIDTH } from "./server-numbers.ts";
import { SharedSlots, WAITS, slotsMemory } from "./shared-slots.ts";
import { ThreadConnection } from "./thread-connection.ts";
import type { ConnectionLink } from "./thread-connection.ts";
import type { ThreadStart } from "./thread-options.ts";

/** Who hears of what comes from a thread. */
export interface LinkOwner {
  /** A new connection, before anything else is told of it; false: nothing is to be told of it. */
  arrived(connection: ThreadConnection): boolean;
  message(
    connection: ThreadConnection,
    channel: Channel,
    buffer: Uint8Array,
    offset: number,
    length: number,
    stream: number,
  ): void;
  raw(connection: ThreadConnection, buffer: Uint8Array, offset: number, length: number): void;
  drained(connection: ThreadConnection): void;
  connectionEvent(type: ConnectionEvent["type"], connection: ThreadConnection, error: NetworkError | undefined): void;
  refused(error: NetworkError): void;
  /** For a WebSocket. */
  datagram(path: number, buffer: Uint8Array, offset: number, length: number): void;
  pathEvent(type: "pathRetained" | "pathReleased" | "pathForgotten", path: number): void;
  /** The thread has closed its sockets; nothing more comes. */
  threadClosed(): void;
  /** The thread broke, and all its connections are over. */
  failed(error: NetworkError): void;
}

export interface ThreadLinkOptions {
  readonly owner: LinkOwner;
  readonly limits: ConnectionLimits;
  readonly qos: QosSettings;
  readonly start: Omit<ThreadStart, "connections" | "down" | "server" | "up">;
}

/** How long the game thread waits for an answer of a network thread. */
const ANSWER_TIMEOUT_MS = 1000;
const NOTHING = new Uint8Array(0);

export class ThreadLink implements ConnectionLink {
  readonly limits: ConnectionLimits;
  readonly slots: SharedSlots;
  readonly qos: QosSettings;
  /** Known once it is bound. */
  port = 0;
  firstSocketPath = 0;
  canSimulate = false;
  readonly number: number;
  readonly threads: number;
  readonly #owner: LinkOwner;
  readonly #worker: Worker;
  readonly #writer: LaneWriter;
  readonly #reader: LaneReader;
  readonly #server: SharedSlots;
  readonly #serverRow: Float64Array = new Float64Array(SERVER_WIDTH);
  readonly #ports: readonly MessagePort[];
  readonly #answers: MessagePort;
  readonly #answered: Int32Array;
  /** By generation: a slot may have its next connection before the end of the last is told. */
  readonly #connections = new Map<number, ThreadConnection>();
  /** Those whose `send` answered `full`. */
  readonly #waiting = new Set<ThreadConnection>();
  readonly #traced = { header: new DataView(new ArrayBuffer(TRACE_HEADER_BYTES)) };
  #draining = false;
  #scheduled = false;
  /** Something was written since the last flush. */
  #unflushed = false;
  #over = false;

  constructor(options: ThreadLinkOptions) {
    const { owner, limits, qos, start } = options;
    const { maxClients } = start.options;
    const [down, up, answers] = [new MessageChannel(), new MessageChannel(), new MessageChannel()];
    const answered = new SharedArrayBuffer(4);
    const memory = {
      down: laneMemory(start.thread.ringBytes),
      up: laneMemory(start.thread.ringBytes),
      connections: slotsMemory(maxClients, NUMBERS_WIDTH),
      server: slotsMemory(1, SERVER_WIDTH),
    };
    this.number = start.number;
    this.threads = start.thread.threads;
    this.#owner = owner;
    this.limits = limits;
    this.qos = qos;
    this.slots = new SharedSlots(memory.connections, maxClients, NUMBERS_WIDTH);
    this.#server = new SharedSlots(memory.server, 1, SERVER_WIDTH);
    this.#writer = new LaneWriter(memory.down, down.port1, (kind, generation) =>
      this.#connections.get(generation)?.countDropped(channelOf(kind)),
    );
    this.#reader = new LaneReader(memory.up, up.port1);
    this.#answers = answers.port1;
    this.#answered = new Int32Array(answered);
    this.#ports = [down.port1, up.port1, answers.port1];
    // They are only read when asked for; none of them keeps the process alive.
    for (const port of this.#ports) port.unref();
    const workerData: WorkerStart = {
      start: { ...start, ...memory },
      down: down.port2,
      up: up.port2,
      answers: answers.port2,
      answered,
    };
    this.#worker = new Worker(new URL(`./network-worker.${import.meta.url.slice(-2)}`, import.meta.url), {
      name: "riposte-network",
      workerData,
      transferList: [down.port2, up.port2, answers.port2, ...start.siblings.flatMap((sibling) => sibling?.port ?? [])],
    });
  }

  /** Resolves when the thread's socket is bound. Rejects with `PortInUseError` when the port is taken. */
  async bind(port: number): Promise<void> {
    const bound = await this.#expect("bound", port);
    this.port = bound.port;
    this.firstSocketPath = bound.firstSocketPath;
  }

  /** Resolves when clients can connect. */
  async open(publicAddresses: readonly string[]): Promise<void> {
    this.#post({ publicAddresses });
    const { canSimulate } = await this.#expect("open", this.port);
    this.canSimulate = canSimulate;
    this.#worker.on("message", (message: WorkerMessage) => {
      if (message === 0) this.#wake();
    });
    this.#worker.on("error", (error) => this.#fail(error instanceof Error ? error : new Error(String(error))));
    this.#worker.on("exit", (code) => this.#fail(new Error(`the network thread ended with code ${code}`)));
    this.#wake();
  }

  /** Ends the thread, whatever it does. */
  async stop(): Promise<void> {
    this.#over = true;
    for (const port of this.#ports) port.close();
    await this.#worker.terminate();
  }

  /** Adds the endpoint's numbers, at most 20 ms old, to a row of `SERVER_WIDTH`. */
  addNumbers(row: Float64Array): void {
    this.#server.read(0, 0, this.#serverRow);
    for (let i = 0; i < row.length; i++) row[i] += this.#serverRow[i];
  }

  serverCommand(command: ServerCommand): void {
    this.#writer.writeEvent(SERVER_EVENT, 0, 0, 0, encode(command));
    this.#touch();
  }

  command(connection: ThreadConnection, command: ConnectionCommand): void {
    this.#writer.writeEvent(CONNECTION_EVENT, connection.slot, connection.generation, 0, encode(command));
    this.#touch();
  }

  ask(connection: ThreadConnection, command: ConnectionCommand): ThreadAnswer {
    const before = Atomics.load(this.#answered, 0);
    this.command(connection, command);
    this.#publish();
    Atomics.wait(this.#answered, 0, before, ANSWER_TIMEOUT_MS);
    const answer = receiveMessageOnPort(this.#answers)?.message as ThreadAnswer | undefined;
    if (answer === undefined) throw new NetworkError("internalError", "the network thread does not answer");
    return answer;
  }

  sendReliable(
    { slot, generation }: ThreadConnection,
    stream: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
  ): boolean {
    const kind = MESSAGE_RELIABLE;
    if (this.#writer.writeReliable(kind, slot, generation, stream, buffer, offset, length)) {
      this.#touch();
      return true;
    }
    // Perhaps all of it is what the other thread may not read yet.
    this.#publish();
    return false;
  }

  sendUnreliable(
    { slot, generation }: ThreadConnection,
    kind: number,
    deadlineMs: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
  ): void {
    this.#writer.writeUnreliable(kind, slot, generation, 0, deadlineMs, buffer, offset, length);
    this.#touch();
  }

  /** A datagram came by a WebSocket; `publishNow` follows. */
  datagram(path: number, buffer: Uint8Array, offset: number, length: number): void {
    this.#writer.writeDatagram(DATAGRAM, path, buffer, offset, length);
  }

  awaitRoom(connection: ThreadConnection): void {
    this.#waiting.add(connection);
  }

  /** What is queued in all connections is to be sent: wakes the thread once. */
  flush(): void {
    if (!this.#unflushed) return;
    this.#unflushed = false;
    this.#writer.writeEvent(FLUSH, 0, 0, 0, NOTHING);
    this.#publish();
  }

  /** The thread may read what was written, and is woken if it sleeps. */
  publishNow(): void {
    this.#publish();
  }

  /** What is not flushed goes at the end of this turn of the event loop. */
  #touch(): void {
    this.#unflushed = true;
    if (this.#draining || this.#scheduled || this.#over) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#publish();
    });
  }

  #publish(): void {
    if (!this.#over && this.#writer.publish()) this.#post(0);
  }

  #post(request: WorkerRequest): void {
    this.#worker.postMessage(request);
  }

  readonly #wake = (): void => {
    if (this.#over || this.#draining) return;
    this.#draining = true;
    try {
      this.#drain();
      this.#tellDrained();
    } finally {
      this.#draining = false;
      // What handlers sent, and events that waited for room.
      this.#publish();
      if (this.#reader.takeRoomWanted()) this.#post(0);
      if (!this.#reader.sleep()) setImmediate(this.#wake);
    }
  };

  #drain(): void {
    const reader = this.#reader;
    const { record } = reader;
    reader.begin();
    while (!this.#over && reader.next()) {
      const { kind, slot, generation, argument, buffer, offset, length } = record;
      if (kind === DATAGRAM) {
        this.#owner.datagram(slot, buffer, offset, length);
        continue;
      }
      if (kind === SERVER_EVENT) {
        this.#serverEvent(decode(buffer, offset, length) as ServerEvent);
        continue;
      }
      if (kind === CONNECTION_EVENT) {
        this.#connectionEvent(decode(buffer, offset, length) as ConnectionEvent, slot, generation);
        continue;
      }
      const connection = this.#connections.get(generation);
      if (connection === undefined) continue;
      if (kind >= TRACE_SENT) this.#tellTrace(connection);
      else if (connection.state === "closed") continue;
      else if (kind === MESSAGE_RAW) this.#owner.raw(connection, buffer, offset, length);
      else this.#owner.message(connection, channelOf(kind), buffer, offset, length, argument);
    }
  }

  #serverEvent(event: ServerEvent): void {
    switch (event.type) {
      case "refused":
        this.#owner.refused(networkError(event.error));
        return;
      case "pathRetained":
      case "pathReleased":
      case "pathForgotten":
        this.#owner.pathEvent(event.type, event.path);
        return;
      case "closed":
        this.#over = true;
        this.#owner.threadClosed();
    }
  }

  #connectionEvent(event: ConnectionEvent, slot: number, generation: number): void {
    const { type, identity, view, numbers } = event;
    if (identity !== undefined) {
      const arrived = new ThreadConnection(this, slot, generation, identity, view);
      if (this.#owner.arrived(arrived)) this.#connections.set(generation, arrived);
    }
    const connection = this.#connections.get(generation);
    if (connection === undefined) return;
    const error = event.error && networkError(event.error);
    connection.update(view, error);
    if (type === "disconnected" || type === "rejected") {
      connection.end(error, numbers);
      this.#connections.delete(generation);
      this.#waiting.delete(connection);
      // As it was told here, where this side ended it.
      this.#owner.connectionEvent(type, connection, connection.closeError ?? (type === "rejected" ? error : undefined));
      return;
    }
    this.#owner.connectionEvent(type, connection, error);
  }

  #tellTrace(connection: ThreadConnection): void {
    const { trace } = connection;
    if (trace === undefined) return;
    const { kind, argument, buffer, offset, length } = this.#reader.record;
    const { header } = this.#traced;
    for (let i = 0; i < TRACE_HEADER_BYTES; i++) header.setUint8(i, buffer[offset + i]);
    const number = header.getFloat64(0, true);
    const at = header.getFloat64(8, true) - performance.timeOrigin;
    const start = offset + TRACE_HEADER_BYTES;
    const bytes = length - TRACE_HEADER_BYTES;
    if (kind === TRACE_LOST) trace.packetLost(number, argument, at);
    else if (kind === TRACE_RECEIVED) trace.packetReceived(number, buffer, start, bytes, at);
    else trace.packetSent(number, buffer, start, bytes, at);
  }

  #tellDrained(): void {
    if (this.#waiting.size === 0 || !this.#writer.checkRoom()) return;
    for (const connection of this.#waiting) {
      if (!connection.isDrained) continue;
      this.#waiting.delete(connection);
      this.slots.store(connection.slot, WAITS, 0);
      if (connection.state !== "closed") this.#owner.drained(connection);
    }
  }

  #fail(error: Error): void {
    if (this.#over) return;
    const why = new NetworkError("internalError", `the network thread failed: ${error.message}`, { cause: error });
    this.fail(why);
    this.#owner.failed(why);
  }

  /** Ends all connections. */
  fail(why: NetworkError): void {
    if (this.#over) return;
    this.#over = true;
    for (const connection of this.#connections.values()) {
      connection.end(why, undefined);
      this.#owner.connectionEvent("disconnected", connection, connection.closeError);
    }
    this.#connections.clear();
  }

  /** The next message of that type of a thread that is starting. */
  async #expect<T extends "bound" | "open">(
    type: T,
    port: number,
  ): Promise<Extract<WorkerMessage, { readonly type: T }>> {
    for (;;) {
      const [message] = (await once(this.#worker, "message")) as [WorkerMessage];
      if (message === 0) continue;
      if (message.type === type) return message as Extract<WorkerMessage, { readonly type: T }>;
      if (message.type !== "failed") continue;
      const { code, name } = message;
      const kind = name === "RangeError" ? RangeError : name === "TypeError" ? TypeError : Error;
      const error = Object.assign(new kind(message.message), code === undefined ? {} : { code });
      throw explainBindError(error, port, "udp");
    }
  }
}
