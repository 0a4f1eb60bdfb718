import type { NetworkError } from "@riposte/protocol";
import {
  QosManager,
  SESSION_ID_BYTES,
  checkCloseCode,
  checkMessage,
  checkRaw,
  checkRun,
  laneOf,
  netcodePacketBytes,
} from "@riposte/protocol/channel";
import type {
  CarrierTraits,
  Channel,
  ConnectionLimits,
  ConnectionState,
  ConnectionStats,
  ConnectionTrace,
  GameConnection,
  NegotiatedExtensions,
  QosSettings,
  SendOptions,
  SendResult,
} from "@riposte/protocol/channel";
import type { CongestionControl } from "@riposte/protocol/congestion";
import { ThreadNumbers } from "./connection-numbers.ts";
import { MESSAGE_RAW, kindOf, plainError } from "./records.ts";
import type { ConnectionCommand, ConnectionIdentity, ConnectionView, ThreadAnswer } from "./records.ts";
import { RELEASED, WAITS } from "./shared-slots.ts";
import type { SharedSlots } from "./shared-slots.ts";
import { namedCongestionControl } from "./thread-options.ts";

/** The way to the thread that runs a connection. */
export interface ConnectionLink {
  /** The thread's number, and how many there are. */
  readonly number: number;
  readonly threads: number;
  readonly limits: ConnectionLimits;
  readonly slots: SharedSlots;
  /** The server's, for all connections. */
  readonly qos: QosSettings;
  command(connection: ThreadConnection, command: ConnectionCommand): void;
  /** Waits for the thread's answer. */
  ask(connection: ThreadConnection, command: ConnectionCommand): ThreadAnswer;
  /** False when the ring has no room. */
  sendReliable(
    connection: ThreadConnection,
    stream: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
  ): boolean;
  sendUnreliable(
    connection: ThreadConnection,
    kind: number,
    deadlineMs: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
  ): void;
  /** It is to be told when there is room for reliable messages again. */
  awaitRoom(connection: ThreadConnection): void;
}

const DRAINED_SHARE = 0.5;

/**
 * A connection whose machine runs in a network thread. What it is asked it answers from what that thread has
 * published, what it is told goes there by the ring.
 */
export class ThreadConnection implements GameConnection {
  readonly index: number;
  /** In its thread. */
  readonly slot: number;
  readonly generation: number;
  readonly clientId: bigint;
  readonly userData: Uint8Array;
  readonly qos: QosManager;
  context: unknown;
  /** The way to the thread that runs it. */
  readonly link: ConnectionLink;
  readonly #numbers: ThreadNumbers = new ThreadNumbers();
  #numbersVersion = -1;
  #view: ConnectionView;
  /** Ended here, or told that it has. */
  #closed = false;
  #finishing = false;
  #closeError: NetworkError | undefined;
  #trace: ConnectionTrace | undefined;
  /** Reliable bytes given to the ring, prefixes included. */
  #accepted = 0;
  #sendsRefused = 0;
  /** By lane: unreliable messages that the ring dropped. */
  readonly #ringDropped: [number, number, number] = [0, 0, 0];
  /** The final numbers are here. */
  #ended = false;

  constructor(
    link: ConnectionLink,
    slot: number,
    generation: number,
    identity: ConnectionIdentity,
    view: ConnectionView,
  ) {
    this.link = link;
    this.index = slot * link.threads + link.number;
    this.slot = slot;
    this.generation = generation;
    this.clientId = identity.clientId;
    this.userData = identity.userData;
    this.context = undefined;
    this.#view = view;
    this.qos = new QosManager(link.qos);
    this.qos.onChange = () => this.#command({ type: "qos", overrides: this.qos.overrides });
  }

  get stats(): ConnectionStats {
    this.#refresh();
    return this.#numbers.stats;
  }

  get state(): ConnectionState {
    if (this.#closed) return "closed";
    return this.#finishing ? "finishing" : this.#view.state;
  }

  get closeError(): NetworkError | undefined {
    return this.#closeError;
  }

  get carrier(): CarrierTraits {
    return this.#view.carrier;
  }

  get interrupted(): boolean {
    return this.#view.interrupted;
  }

  get negotiated(): NegotiatedExtensions {
    return this.#view.negotiated;
  }

  /** As it is known here; see `ConnectionView`. */
  get view(): ConnectionView {
    return this.#view;
  }

  get mtu(): GameConnection["mtu"] {
    this.#refresh();
    const { mtuPayloadBytes } = this.#numbers;
    return mtuPayloadBytes < 0 ? undefined : { currentPayloadBytes: mtuPayloadBytes };
  }

  get fragmenter(): GameConnection["fragmenter"] {
    this.#refresh();
    const { reassembly } = this.#numbers;
    return {
      ...reassembly,
      inspect: () => {
        const pending = this.#ended ? [] : this.link.ask(this, { type: "inspectReassembly" });
        return typeof pending === "number" ? [] : pending;
      },
      clear: () => {
        const count = this.#ended ? 0 : this.link.ask(this, { type: "clearReassembly" });
        return typeof count === "number" ? count : 0;
      },
    };
  }

  get trace(): ConnectionTrace | undefined {
    return this.#trace;
  }

  set trace(trace: ConnectionTrace | undefined) {
    const before = this.#trace !== undefined;
    this.#trace = trace;
    const on = trace !== undefined;
    if (on !== before) this.#command({ type: "trace", on });
  }

  send(
    channel: Channel,
    buffer: Uint8Array,
    offset = 0,
    length: number = buffer.length - offset,
    options?: SendOptions,
  ): SendResult {
    checkRun(buffer, offset, length);
    checkMessage(this.link.limits, channel, length, options);
    if (!this.#takesMessages()) return "closed";
    if (channel === "reliableOrdered") {
      if (!this.#sendReliable(options?.stream ?? 0, buffer, offset, length)) return "full";
    } else this.link.sendUnreliable(this, kindOf(channel), options?.deadlineMs ?? 0, buffer, offset, length);
    this.qos.onSent(laneOf(channel), length, performance.now());
    return "queued";
  }

  sendRaw(buffer: Uint8Array, offset = 0, length: number = buffer.length - offset): SendResult {
    checkRun(buffer, offset, length);
    checkRaw(this.#view.carrier.maxPayloadBytes, length);
    if (this.#closed || this.#view.state !== "raw") return "closed";
    this.link.sendUnreliable(this, MESSAGE_RAW, 0, buffer, offset, length);
    return "queued";
  }

  canSend(channel: Channel, bytes: number): boolean {
    if (!this.#takesMessages() || !this.qos.canSend(channel, bytes, performance.now())) return false;
    if (channel === "reliableOrdered") return this.#unreleasedBytes() + bytes <= this.link.limits.reliableSendBytes;
    return this.stats.of(channel).queuedBytes + bytes <= this.link.limits.unreliableSendBytes;
  }

  flush(): void {
    this.#command({ type: "flush" });
  }

  packetBytes(payloadBytes: number, packetNumber: number, isReceived: boolean): number {
    // Only what a client sends is named.
    const isNamed = isReceived && this.negotiated.sessionId !== undefined;
    return netcodePacketBytes(payloadBytes, packetNumber) + (isNamed ? SESSION_ID_BYTES : 0);
  }

  /** Throws `TypeError` for a function that `congestionControlFactory` has not made: another thread cannot call it. */
  setCongestionControl(create: () => CongestionControl): void {
    this.#command({ type: "congestionControl", algorithm: namedCongestionControl(create) });
  }

  close(code = 0, reason = ""): void {
    checkCloseCode(code);
    if (this.#closed) return;
    this.#closed = true;
    this.#command({ type: "close", code, reason });
  }

  finish(code = 0, reason = "", timeoutMs?: number): void {
    checkCloseCode(code);
    if (timeoutMs !== undefined && !(timeoutMs >= 0)) {
      throw new RangeError(`timeoutMs must be at least 0, got ${timeoutMs}`);
    }
    if (this.#closed || this.#finishing) return;
    if (this.#view.state !== "open") {
      this.close(code, reason);
      return;
    }
    this.#finishing = true;
    this.#command({ type: "finish", code, reason, timeoutMs });
  }

  fail(error: NetworkError): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#closeError = error;
    this.#command({ type: "fail", error: plainError(error) });
  }

  /** For the link: the thread says how it is now. */
  update(view: ConnectionView, error: NetworkError | undefined): void {
    this.#view = view;
    if (view.state === "closed") this.#shut(error);
    else if (view.state === "finishing") this.#finishing = true;
  }

  /** For the link: it is over. */
  end(error: NetworkError | undefined, numbers: Float64Array | undefined): void {
    this.#shut(error);
    if (numbers !== undefined) {
      this.#numbers.row.set(numbers);
      this.#numbers.apply(this.#sendsRefused, this.#ringDropped);
    }
    this.#ended = true;
  }

  /** For the link: the ring dropped an unreliable message. */
  countDropped(channel: Channel): void {
    this.#ringDropped[laneOf(channel)]++;
    this.#numbers.stats.of(channel).droppedFull++;
  }

  /** For the link: after a `send` that answered `full`, half of the queue is free again; or it is over. */
  get isDrained(): boolean {
    return this.#closed || this.#unreleasedBytes() <= DRAINED_SHARE * this.link.limits.reliableSendBytes;
  }

  #takesMessages(): boolean {
    return !this.#closed && !this.#finishing && this.#view.state !== "raw" && this.#view.state !== "closed";
  }

  /** Reliable bytes accepted and not yet acknowledged, as far as is known here: never less than there are. */
  #unreleasedBytes(): number {
    return ((this.#accepted - this.link.slots.load(this.slot, RELEASED)) | 0) >>> 0;
  }

  #sendReliable(stream: number, buffer: Uint8Array, offset: number, length: number): boolean {
    const { limits, slots } = this.link;
    const fits = this.#unreleasedBytes() + length <= limits.reliableSendBytes;
    if (fits && this.link.sendReliable(this, stream, buffer, offset, length)) {
      this.#accepted = (this.#accepted + prefixBytes(length) + length) | 0;
      return true;
    }
    this.#sendsRefused++;
    this.#numbers.stats.of("reliableOrdered").sendsRefused = this.#sendsRefused;
    slots.store(this.slot, WAITS, 1);
    this.link.awaitRoom(this);
    return false;
  }

  #shut(error: NetworkError | undefined): void {
    // What this side said when it closed comes back from the other thread as a copy.
    if (!this.#closed) this.#closeError = error;
    this.#closed = true;
  }

  #command(command: ConnectionCommand): void {
    if (!this.#ended) this.link.command(this, command);
  }

  #refresh(): void {
    if (this.#ended) return;
    const { slots } = this.link;
    const version = slots.version(this.slot);
    if (version === this.#numbersVersion) return;
    if (!slots.read(this.slot, this.generation, this.#numbers.row)) return;
    this.#numbersVersion = version;
    this.#numbers.apply(this.#sendsRefused, this.#ringDropped);
  }
}

/** Of QUIC's varint, in which the length goes before a reliable message. */
function prefixBytes(length: number): number {
  return length < 64 ? 1 : length < 16_384 ? 2 : 4;
}
