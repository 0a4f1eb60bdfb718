import { ByteWriter } from "@riposte/wire";
import { NewRenoCongestionControl } from "../congestion/new-reno-congestion-control.ts";
import { NetworkError } from "../network-error.ts";
import { PACKET_APP_LIMITED, PACKET_EAGER } from "../recovery/sent-packets.ts";
import { closeCodeOf, errorOfClose } from "./close-codes.ts";
import { DEFAULT_LIMITS } from "./connection-options.ts";
import type {
  CarrierTraits,
  Channel,
  ConnectionLimits,
  ConnectionOptions,
  ConnectionOwner,
  ConnectionSink,
  ConnectionState,
  SendResult,
} from "./connection-options.ts";
import { ConnectionStats } from "./connection-stats.ts";
import { FrameReader } from "./frame-reader.ts";
import {
  CLOSE_PROTOCOL_VIOLATION,
  FRAME_ACK,
  FRAME_CONNECTION_CLOSE,
  FRAME_CONNECTION_CLOSE_APPLICATION,
  FRAME_DATAGRAM,
  FRAME_FRAGMENT,
  FRAME_HELLO,
  FRAME_MAX_STREAM_DATA,
  FRAME_ORDERED,
  FRAME_PING,
  FRAME_STREAM,
  MAX_REASON_BYTES,
  MAX_UNRELIABLE_BYTES,
} from "./frames.ts";
import { HelloExchange } from "./hello-exchange.ts";
import type { HelloExtension } from "./hello.ts";
import { startsWithHello } from "./hello.ts";
import { MAX_MESSAGE_HEAD_BYTES, PacketBatcher } from "./packet-batcher.ts";
import { PacketFragmenter } from "./packet-fragmenter.ts";
import { CHUNK_ACCEPTED, CHUNK_REFUSED } from "./reliable-receive.ts";
import type { MessageTarget } from "./reliable-receive.ts";
import { PACKET_MAX_STREAM_DATA, ReliableUdp } from "./reliable-udp.ts";
import { UnreliableQueue } from "./unreliable-queue.ts";

/** Tag, prefix byte and sequence of a netcode payload packet around its payload (netcode 1.02). */
const NETCODE_TAG_AND_PREFIX_BYTES = 17;
/** The CONNECTION_CLOSE goes in this many packets: nothing acknowledges it. */
const CLOSE_PACKETS = 3;
/** A receiver that only acknowledges adds a PING to every so manieth ACK, so that it learns which were seen. */
const PING_EVERY_ACKS = 16;

/**
 * One session with one peer: three channels over netcode payloads. A state machine without clock
 * or socket: the endpoint below brings payloads by `receivePayload` and takes them by
 * `fillPayload`; the game above calls `send` and is told by the sink. Nothing here trusts the
 * peer: what it sends costs bounded memory, and what it breaks closes this connection only.
 */
export class Connection {
  /** netcode's client index on a server, 0 on a client. */
  readonly index: number;
  readonly clientId: bigint;
  /** The token's 256 bytes of user data. */
  readonly userData: Uint8Array;
  readonly carrier: CarrierTraits;
  readonly stats: ConnectionStats;
  /** Free for the layer above. */
  context: unknown;
  readonly #role: "client" | "server";
  readonly #limits: ConnectionLimits;
  readonly #sink: ConnectionSink;
  readonly #owner: ConnectionOwner;
  readonly #hello: HelloExchange | undefined;
  readonly #udp: ReliableUdp;
  readonly #queue: UnreliableQueue;
  readonly #batcher: PacketBatcher;
  readonly #fragmenter: PacketFragmenter;
  readonly #reader: FrameReader;
  readonly #writer: ByteWriter;
  readonly #target: Delivery;
  #state: ConnectionState;
  #closeError: NetworkError | undefined;
  #closeApplication: boolean;
  #closeCode: number;
  #closeReason: string;
  #closesLeft: number;
  #newestOrdered: number;
  #acksInARow: number;
  #now: number;

  constructor(options: ConnectionOptions) {
    const { hello, now, role } = options;
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.index = options.index ?? 0;
    this.clientId = options.clientId ?? 0n;
    this.userData = options.userData ?? new Uint8Array(0);
    this.carrier = options.carrier;
    this.context = undefined;
    this.#role = role;
    this.#limits = limits;
    this.#sink = options.sink;
    this.#owner = options.owner;
    this.#hello = hello && new HelloExchange(role === "client", hello.schemaHash, hello.extensions ?? [], now);
    this.#udp = new ReliableUdp({
      congestion: options.congestionControl ?? new NewRenoCongestionControl(),
      limits,
      packetBytes: options.carrier.maxPayloadBytes,
      now,
      ...(options.initialRttMs === undefined ? {} : { initialRttMs: options.initialRttMs }),
    });
    this.stats = new ConnectionStats(this.#udp.detector);
    this.#queue = new UnreliableQueue(limits.unreliableSendBytes);
    this.#batcher = new PacketBatcher();
    this.#fragmenter = new PacketFragmenter(limits.reassemblyBytes, limits.reassemblyTimeoutMs);
    this.#reader = new FrameReader();
    this.#writer = new ByteWriter();
    this.#target = new Delivery(this, options.sink, this.stats);
    this.#state = hello === undefined ? "raw" : "hello";
    this.#closeError = undefined;
    this.#closeApplication = false;
    this.#closeCode = 0;
    this.#closeReason = "";
    this.#closesLeft = 0;
    this.#newestOrdered = -1;
    this.#acksInARow = 0;
    this.#now = now;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Why it closed; `undefined` while open, and after this side closed in good order. */
  get closeError(): NetworkError | undefined {
    return this.#closeError;
  }

  /** What the peer's hello offered or confirmed. */
  get peerExtensions(): readonly HelloExtension[] {
    return this.#hello?.peer?.extensions ?? [];
  }

  /**
   * Queues a message, copying it. Throws `RangeError` when it is larger than the channel takes:
   * 16 MiB reliable, 256 KiB unreliable. In state `raw` it answers `closed`: see `sendRaw`.
   */
  send(channel: Channel, buffer: Uint8Array, offset = 0, length: number = buffer.length - offset): SendResult {
    checkRun(buffer, offset, length);
    const reliable = channel === "reliableOrdered";
    const limit = reliable ? this.#limits.reliableMessageBytes : this.#unreliableLimit;
    if (length > limit) throw new RangeError(`a message on ${channel} is at most ${limit} bytes, got ${length}`);
    if (this.#state !== "open" && this.#state !== "hello") return "closed";
    if (reliable) {
      if (!this.#udp.sender.write(buffer, offset, length)) {
        this.stats.sendsRefused++;
        return "full";
      }
      this.stats.reliableQueuedBytes = this.#udp.sender.queuedBytes;
    } else {
      this.stats.droppedFull += this.#queue.push(channel === "unreliableOrdered", buffer, offset, length);
      this.stats.unreliableQueuedBytes = this.#queue.queuedBytes;
    }
    this.stats.messagesSent++;
    this.#owner.wake(this);
    return "queued";
  }

  /** Queues one payload for a plain netcode peer; `closed` unless in state `raw`. Throws `RangeError` above 1200 bytes. */
  sendRaw(buffer: Uint8Array, offset = 0, length: number = buffer.length - offset): SendResult {
    checkRun(buffer, offset, length);
    const limit = this.carrier.maxPayloadBytes;
    if (length < 1 || length > limit) throw new RangeError(`a raw payload is 1 to ${limit} bytes, got ${length}`);
    if (this.#state !== "raw") return "closed";
    this.stats.droppedFull += this.#queue.push(false, buffer, offset, length);
    this.stats.unreliableQueuedBytes = this.#queue.queuedBytes;
    this.stats.messagesSent++;
    this.#owner.wake(this);
    return "queued";
  }

  /** Closes at once; the peer is told the application's `code` and `reason`. What was queued is dropped. */
  close(code = 0, reason = ""): void {
    if (!(Number.isSafeInteger(code) && code >= 0)) throw new RangeError(`not a close code: ${code}`);
    if (this.#state === "closed") return;
    this.#shut(undefined, true, code, reason);
  }

  /** Closes at once because of `error`, which the peer is told by its code. */
  fail(error: NetworkError): void {
    if (this.#state === "closed") return;
    this.#shut(error, false, closeCodeOf(error.code), error.message);
  }

  /** The session below is gone: closes without a word to the peer. */
  abandon(error: NetworkError | undefined): void {
    if (this.#state !== "closed") this.#shut(error, false, 0, "");
    this.#closesLeft = 0;
  }

  /** One opened netcode payload, borrowed until return. Length 0 stands for a keep-alive. */
  receivePayload(
    buffer: Uint8Array,
    offset: number,
    length: number,
    packetNumber: number,
    ecn: number,
    now: number,
  ): void {
    this.#enter(now);
    if (this.#state === "closed") return;
    const { stats } = this;
    stats.packetsReceived++;
    stats.bytesReceived += netcodePacketBytes(length, packetNumber);
    if (length === 0) {
      if (this.#state === "open") this.#noteReceived(packetNumber, ecn, now);
      return;
    }
    if (this.#state === "hello" && !startsWithHello(buffer, offset, length)) {
      if (this.#role === "client") {
        stats.earlyPackets++;
        return;
      }
      this.#state = "raw";
      this.#queue.release();
      this.#udp.release();
    }
    if (this.#state === "raw") {
      stats.messagesReceived++;
      this.#sink.raw(this, buffer, offset, length);
      return;
    }
    this.#receiveFrames(buffer, offset, length, packetNumber, ecn, now);
  }

  /** Writes the plaintext of one netcode payload; 0 when there is nothing to send now. */
  fillPayload(buffer: Uint8Array, offset: number, capacity: number, packetNumber: number, now: number): number {
    this.#enter(now);
    const room = Math.min(capacity, this.carrier.maxPayloadBytes);
    this.#writer.reset(buffer, offset, offset + room);
    let length = 0;
    if (this.#state === "open") length = this.#fillFrames(packetNumber, now);
    else if (this.#state === "raw") length = this.#fillRaw(buffer, offset, room);
    else if (this.#state === "hello") length = this.#fillHello(now);
    else length = this.#fillClose();
    if (length === 0) return 0;
    this.stats.packetsSent++;
    this.stats.bytesSent += netcodePacketBytes(length, packetNumber);
    return length;
  }

  /** Calling early or twice is harmless. */
  handleTimeout(now: number): void {
    this.#enter(now);
    if (this.#state === "hello") {
      const error = this.#hello?.handleTimeout(now);
      if (error !== undefined) this.fail(error);
    } else if (this.#state === "open") {
      const { detector, sender } = this.#udp;
      detector.handleTimeout(this.#udp, now);
      this.stats.reliableQueuedBytes = sender.queuedBytes;
      this.#fragmenter.handleTimeout(now);
      this.stats.reassembliesDropped = this.#fragmenter.dropped;
      this.#dropStale(now);
    }
  }

  /** When `handleTimeout` or `fillPayload` has work due; not after the last `now` when there is some at once. */
  nextTimeout(): number {
    if (this.#state === "open") return this.#nextTimeoutOpen();
    if (this.#state === "raw") return this.#queue.count > 0 ? this.#now : Infinity;
    if (this.#state === "hello") return this.#hello?.nextTimeout() ?? Infinity;
    return this.#closesLeft > 0 ? this.#now : Infinity;
  }

  get #unreliableLimit(): number {
    return Math.min(MAX_UNRELIABLE_BYTES, this.#limits.unreliableSendBytes);
  }

  #enter(now: number): void {
    this.#now = now;
    this.#queue.stamp(now);
  }

  #nextTimeoutOpen(): number {
    const { detector, pacer, schedule } = this.#udp;
    if (this.#hello?.answerDue || detector.probesPending > 0 || this.#udp.hasMaxDataToSend) return this.#now;
    if (this.#queue.count > 0 && this.#windowOpenForMessages) return this.#now;
    let at = Math.min(detector.nextTimeout(), schedule.dueAt, this.#fragmenter.nextTimeout());
    if (this.#udp.windowOpenForChunks) at = Math.min(at, pacer.nextSendAt(this.#now));
    return at;
  }

  get #windowOpenForMessages(): boolean {
    const { detector } = this.#udp;
    return detector.bytesInFlight < detector.congestion.windowBytes + this.#limits.reserveBytes;
  }

  #dropStale(now: number): void {
    if (this.#queue.count === 0) return;
    this.stats.droppedStale += this.#queue.dropOlder(now - this.#limits.unreliableMaxAgeMs);
    this.stats.unreliableQueuedBytes = this.#queue.queuedBytes;
  }

  #receiveFrames(
    buffer: Uint8Array,
    offset: number,
    length: number,
    packetNumber: number,
    ecn: number,
    now: number,
  ): void {
    const { acks, schedule } = this.#udp;
    if (acks.isDuplicate(packetNumber)) {
      this.stats.duplicatePackets++;
      return;
    }
    const reader = this.#reader;
    reader.reset(buffer, offset, length);
    let greeted = false;
    let eliciting = false;
    let eager = false;
    let refused = false;
    while (reader.next()) {
      switch (reader.kind) {
        case FRAME_ACK:
          this.#udp.onAckReceived(reader.ack, now);
          this.stats.reliableQueuedBytes = this.#udp.sender.queuedBytes;
          this.stats.chunksRetransmitted = this.#udp.chunksRetransmitted;
          continue;
        case FRAME_CONNECTION_CLOSE:
        case FRAME_CONNECTION_CLOSE_APPLICATION:
          this.#receiveClose(buffer, reader);
          return;
        case FRAME_HELLO:
          greeted = true;
          eager = true;
          this.#receiveHello(reader);
          break;
        case FRAME_STREAM:
          eager = true;
          if (!this.#receiveChunk(buffer, reader)) refused = true;
          break;
        case FRAME_DATAGRAM:
          this.#target.deliver("unreliableUnordered", buffer, reader.dataOffset, reader.dataLength);
          break;
        case FRAME_ORDERED:
          this.#receiveOrdered(reader.sequence, buffer, reader.dataOffset, reader.dataLength);
          break;
        case FRAME_FRAGMENT:
          this.#receiveFragment(buffer, reader, now);
          break;
        case FRAME_MAX_STREAM_DATA:
          eager = true;
          if (reader.streamId === 0 && reader.streamOffset > this.#udp.sender.maxData) {
            this.#udp.sender.maxData = reader.streamOffset;
          }
          break;
        default: // PING, STREAM_DATA_BLOCKED
          eager = true;
      }
      eliciting = true;
      if (this.#isClosed) return;
    }
    if (reader.error !== 0) {
      this.stats.malformedPackets++;
      this.#shut(new NetworkError("protocolViolation", "a payload could not be decoded"), false, reader.error, "");
      return;
    }
    if (!greeted) this.#hello?.onConfirmed();
    if (refused) {
      this.stats.packetsRefused++;
      return;
    }
    const outOfOrder = acks.largest >= 0 && packetNumber !== acks.largest + 1;
    this.#noteReceived(packetNumber, ecn, now);
    if (eliciting) schedule.onElicited(eager, outOfOrder, now);
  }

  #noteReceived(packetNumber: number, ecn: number, now: number): void {
    this.#udp.acks.insert(packetNumber, ecn, now);
    this.#udp.detector.loss.onReceived(packetNumber);
  }

  get #isClosed(): boolean {
    return this.#state === "closed";
  }

  #receiveHello(reader: FrameReader): void {
    const { hello } = reader;
    if (hello === undefined || this.#hello === undefined) return;
    const error = this.#hello.onReceived(hello);
    if (error !== undefined) this.fail(error);
    else if (this.#state === "hello") this.#state = "open";
  }

  #receiveClose(buffer: Uint8Array, reader: FrameReader): void {
    const length = Math.min(reader.dataLength, MAX_REASON_BYTES);
    let reason = "";
    for (let i = 0; i < length; i++) {
      const byte = buffer[reader.dataOffset + i];
      reason += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "?";
    }
    const application = reader.kind === FRAME_CONNECTION_CLOSE_APPLICATION;
    this.abandon(errorOfClose(application, reader.closeCode, reason));
  }

  /** False when the packet must not be acknowledged. */
  #receiveChunk(buffer: Uint8Array, reader: FrameReader): boolean {
    const { dataLength, dataOffset, streamId, streamOffset } = reader;
    const result =
      streamId === 0
        ? this.#udp.onChunkReceived(streamOffset, buffer, dataOffset, dataLength, this.#target)
        : CLOSE_PROTOCOL_VIOLATION;
    if (result === CHUNK_ACCEPTED) return true;
    if (result !== CHUNK_REFUSED) {
      this.#shut(new NetworkError("protocolViolation", "the peer broke the rules of a stream"), false, result, "");
    }
    return false;
  }

  #receiveOrdered(sequence: number, buffer: Uint8Array, offset: number, length: number): void {
    if (sequence <= this.#newestOrdered) {
      this.stats.droppedLate++;
      return;
    }
    this.#newestOrdered = sequence;
    if (this.#fragmenter.pendingCount > 0) this.#fragmenter.dropOrderedUpTo(sequence);
    this.#target.deliver("unreliableOrdered", buffer, offset, length);
  }

  #receiveFragment(buffer: Uint8Array, reader: FrameReader, now: number): void {
    const { dataLength, dataOffset, fragment, lastFragment, ordered, sequence } = reader;
    this.stats.fragmentsReceived++;
    if (ordered && sequence <= this.#newestOrdered) {
      if (fragment === 0) this.stats.droppedLate++;
      return;
    }
    const fragmenter = this.#fragmenter;
    const complete = fragmenter.receive(ordered, sequence, fragment, lastFragment, buffer, dataOffset, dataLength, now);
    if (complete && ordered) this.#receiveOrdered(sequence, fragmenter.message, 0, fragmenter.messageLength);
    else if (complete) this.#target.deliver("unreliableUnordered", fragmenter.message, 0, fragmenter.messageLength);
    this.stats.reassembliesDropped = fragmenter.dropped;
  }

  #fillFrames(packetNumber: number, now: number): number {
    const udp = this.#udp;
    const { detector, pacer, schedule } = udp;
    const queue = this.#queue;
    this.#dropStale(now);
    const probing = detector.probesPending > 0;
    if (probing && !this.carrier.reliable && !udp.sender.hasData) udp.repeatOldest();
    const messages = queue.count > 0 && (probing || this.#windowOpenForMessages);
    const chunks = udp.sender.hasData && (probing || (udp.windowOpenForChunks && pacer.nextSendAt(now) <= now));
    const maxData = udp.hasMaxDataToSend;
    const answer = this.#hello?.answerDue ?? false;
    const ackDue = schedule.dueAt <= now;
    if (!messages && !chunks && !maxData && !answer && !probing && !ackDue) return 0;

    const writer = this.#writer;
    const start = writer.offset;
    let flags = 0;
    let reported = -1;
    let eliciting = false;
    if (this.#hello?.announcing) {
      this.#hello.write(writer);
      flags = PACKET_EAGER;
      eliciting = true;
    }
    if (schedule.pending && (ackDue || !(messages && this.#ackCrowdsOut())) && udp.acks.write(writer, now)) {
      reported = udp.acks.largest;
      schedule.onAckSent();
    }
    if (maxData) {
      udp.writeMaxData(writer);
      flags |= PACKET_EAGER | PACKET_MAX_STREAM_DATA;
      eliciting = true;
    }
    if (messages && this.#batcher.write(writer, queue, reported < 0)) {
      eliciting = true;
      this.stats.unreliableQueuedBytes = queue.queuedBytes;
      this.stats.fragmentsSent = this.#batcher.fragments;
    }
    const firstChunk = udp.beginPacket();
    if (chunks && udp.writeChunks(writer) > 0) {
      flags |= PACKET_EAGER;
      eliciting = true;
    }
    if (!eliciting && (probing || (reported >= 0 && ++this.#acksInARow >= PING_EVERY_ACKS))) {
      writer.u8(FRAME_PING);
      flags |= PACKET_EAGER;
      eliciting = true;
    }
    const length = writer.offset - start;
    if (!eliciting) {
      if (length > 0) this.stats.acksSent++;
      return length;
    }
    this.#acksInARow = 0;
    if (queue.count === 0 && !udp.sender.hasData) flags |= PACKET_APP_LIMITED;
    const bytes = netcodePacketBytes(length, packetNumber);
    udp.onPacketSent(packetNumber, bytes, flags, firstChunk, reported, now);
    pacer.onSent(bytes, now);
    return length;
  }

  /** The first message fits into a packet, but not next to an ACK: the ACK rides on the next one. */
  #ackCrowdsOut(): boolean {
    const needed = this.#queue.firstLength + MAX_MESSAGE_HEAD_BYTES;
    const { remaining } = this.#writer;
    return needed <= remaining && needed + SMALL_ACK_BYTES > remaining;
  }

  #fillHello(now: number): number {
    const hello = this.#hello;
    if (hello === undefined || !hello.isDue(now)) return 0;
    hello.write(this.#writer);
    hello.onSent(now);
    return this.#writer.length;
  }

  #fillRaw(buffer: Uint8Array, offset: number, room: number): number {
    const queue = this.#queue;
    const length = queue.count > 0 ? queue.firstLength : 0;
    if (length === 0 || length > room) return 0;
    queue.readFirst(0, length, buffer, offset);
    queue.pop();
    this.stats.unreliableQueuedBytes = queue.queuedBytes;
    return length;
  }

  #fillClose(): number {
    if (this.#closesLeft === 0) return 0;
    this.#closesLeft--;
    const writer = this.#writer;
    if (this.#hello?.announcing) this.#hello.write(writer);
    writer.u8(this.#closeApplication ? FRAME_CONNECTION_CLOSE_APPLICATION : FRAME_CONNECTION_CLOSE);
    writer.varint(this.#closeCode);
    if (!this.#closeApplication) writer.varint(0);
    const length = Math.min(this.#closeReason.length, MAX_REASON_BYTES);
    writer.varint(length);
    for (let i = 0; i < length; i++) {
      const code = this.#closeReason.charCodeAt(i);
      writer.u8(code >= 0x20 && code < 0x7f ? code : 0x3f);
    }
    return writer.length;
  }

  #shut(error: NetworkError | undefined, application: boolean, code: number, reason: string): void {
    this.#closesLeft = this.#state === "raw" ? 0 : CLOSE_PACKETS;
    this.#state = "closed";
    this.#closeError = error;
    this.#closeApplication = application;
    this.#closeCode = code;
    this.#closeReason = reason;
    this.#queue.release();
    this.#udp.release();
    this.#fragmenter.clear();
    this.stats.reliableQueuedBytes = 0;
    this.stats.unreliableQueuedBytes = 0;
    this.#owner.wake(this);
  }
}

/** An ACK of a few ranges. */
const SMALL_ACK_BYTES = 56;

/** Hands messages to the sink, until the connection is closed. */
class Delivery implements MessageTarget {
  readonly #connection: Connection;
  readonly #sink: ConnectionSink;
  readonly #stats: ConnectionStats;

  constructor(connection: Connection, sink: ConnectionSink, stats: ConnectionStats) {
    this.#connection = connection;
    this.#sink = sink;
    this.#stats = stats;
  }

  get closed(): boolean {
    return this.#connection.state === "closed";
  }

  deliver(channel: Channel, buffer: Uint8Array, offset: number, length: number): void {
    this.#stats.messagesReceived++;
    this.#sink.message(this.#connection, channel, buffer, offset, length);
  }
}

/** Size on the wire of the netcode packet around a payload; the sequence takes as many bytes as it needs. */
function netcodePacketBytes(payloadBytes: number, packetNumber: number): number {
  let sequenceBytes = 1;
  for (let rest = packetNumber; rest >= 256; rest /= 256) sequenceBytes++;
  return payloadBytes + NETCODE_TAG_AND_PREFIX_BYTES + sequenceBytes;
}

function checkRun(buffer: Uint8Array, offset: number, length: number): void {
  if (offset >= 0 && length >= 0 && offset + length <= buffer.length) return;
  throw new RangeError(`offset ${offset} and length ${length} are outside a buffer of ${buffer.length} bytes`);
}
