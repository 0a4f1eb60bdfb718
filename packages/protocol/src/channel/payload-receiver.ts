import { NetworkError } from "../network-error.ts";
import { errorOfClose, readReason } from "./close-frame.ts";
import type { ConnectionStats } from "./connection-stats.ts";
import type { Delivery } from "./delivery.ts";
import { FrameReader } from "./frame-reader.ts";
import {
  FRAME_ACK,
  FRAME_CONNECTION_CLOSE,
  FRAME_CONNECTION_CLOSE_APPLICATION,
  FRAME_DATAGRAM,
  FRAME_FRAGMENT,
  FRAME_HELLO,
  FRAME_MAX_DATA,
  FRAME_ORDERED,
  FRAME_PATH_CHALLENGE,
  FRAME_PATH_RESPONSE,
  FRAME_STREAM,
  PATH_DATA_BYTES,
} from "./frames.ts";
import type { HelloExchange } from "./hello-exchange.ts";
import { PacketFragmenter } from "./packet-fragmenter.ts";
import type { ReassemblyPool } from "./reassembly-pool.ts";
import { LANE_ORDERED, LANE_RELIABLE } from "./qos-manager.ts";
import { CHUNK_ACCEPTED, CHUNK_REFUSED } from "./reliable-receive.ts";
import type { ReliableUdp } from "./reliable-udp.ts";

/** Each ACK frame costs a walk over what is in flight; honest payloads have one. */
const MAX_ACKS_PER_PAYLOAD = 4;

/** What a payload did to the connection. */
const PAYLOAD_TAKEN = 0;
/** The connection must close: `error` says why, and the peer is to be told. */
export const PAYLOAD_FAILED = 1;
/** The peer closed: `error` says why. */
export const PAYLOAD_CLOSED = 2;

export interface PayloadReceiverOptions {
  readonly hello: HelloExchange | undefined;
  readonly udp: ReliableUdp;
  readonly delivery: Delivery;
  readonly stats: ConnectionStats;
  readonly reassemblyBytes: number;
  readonly reassemblyTimeoutMs: number;
  readonly pool: ReassemblyPool | undefined;
}

/** What the newest payload said about paths; one record, reused. */
export class PathFrames {
  /** It held more than probing frames (RFC 9000 section 9.1): the peer uses the path it came by. */
  nonProbing = false;
  /** Its packet number is the highest so far. */
  newest = false;
  /** A PATH_CHALLENGE or PATH_RESPONSE came, with this data. */
  challenged = false;
  responded = false;
  readonly challenge: Uint8Array = new Uint8Array(PATH_DATA_BYTES);
  readonly response: Uint8Array = new Uint8Array(PATH_DATA_BYTES);

  reset(): void {
    this.nonProbing = false;
    this.newest = false;
    this.challenged = false;
    this.responded = false;
  }

  /** Takes one of the two frames. */
  take(isChallenge: boolean, buffer: Uint8Array, offset: number): void {
    if (isChallenge) this.challenged = true;
    else this.responded = true;
    const data = isChallenge ? this.challenge : this.response;
    for (let i = 0; i < PATH_DATA_BYTES; i++) data[i] = buffer[offset + i];
  }
}

/** Takes payloads of frames apart and brings each frame where it belongs. */
export class PayloadReceiver {
  readonly fragmenter: PacketFragmenter;
  readonly paths: PathFrames;
  error: NetworkError | undefined;
  /** Code of the CONNECTION_CLOSE for `error`; 0: the one of `error.code`. */
  closeCode: number;
  readonly #hello: HelloExchange | undefined;
  readonly #udp: ReliableUdp;
  readonly #delivery: Delivery;
  readonly #stats: ConnectionStats;
  readonly #reader: FrameReader;
  #newestOrdered: number;

  constructor(options: PayloadReceiverOptions) {
    this.fragmenter = new PacketFragmenter(options.reassemblyBytes, options.reassemblyTimeoutMs, options.pool);
    this.paths = new PathFrames();
    this.error = undefined;
    this.closeCode = 0;
    this.#hello = options.hello;
    this.#udp = options.udp;
    this.#delivery = options.delivery;
    this.#stats = options.stats;
    this.#reader = new FrameReader();
    this.#newestOrdered = -1;
  }

  receive(buffer: Uint8Array, offset: number, length: number, packetNumber: number, ecn: number, now: number): number {
    const { acks, schedule } = this.#udp;
    if (acks.isDuplicate(packetNumber)) {
      this.#stats.duplicatePackets++;
      return PAYLOAD_TAKEN;
    }
    const reader = this.#reader;
    reader.reset(buffer, offset, length);
    let greeted = false;
    let acknowledgements = 0;
    let eliciting = false;
    let eager = false;
    let acknowledge = true;
    while (reader.next()) {
      switch (reader.kind) {
        case FRAME_ACK:
          this.paths.nonProbing = true;
          if (++acknowledgements <= MAX_ACKS_PER_PAYLOAD) this.#receiveAck(now);
          continue;
        case FRAME_PATH_CHALLENGE:
        case FRAME_PATH_RESPONSE:
          eliciting = true;
          this.paths.take(reader.kind === FRAME_PATH_CHALLENGE, buffer, reader.dataOffset);
          continue;
        case FRAME_CONNECTION_CLOSE:
        case FRAME_CONNECTION_CLOSE_APPLICATION:
          this.#receiveClose(buffer);
          return PAYLOAD_CLOSED;
        case FRAME_DATAGRAM:
          this.#delivery.deliver("unreliableUnordered", buffer, reader.dataOffset, reader.dataLength, 0);
          break;
        case FRAME_ORDERED:
          this.#receiveOrdered(reader.sequence, buffer, reader.dataOffset, reader.dataLength);
          break;
        case FRAME_FRAGMENT:
          this.#receiveFragment(buffer, now);
          break;
        case FRAME_STREAM:
          eager = true;
          acknowledge = this.#receiveChunk(buffer) && acknowledge;
          break;
        case FRAME_MAX_DATA:
          eager = true;
          if (reader.maxData > this.#udp.sender.maxData) this.#udp.sender.maxData = reader.maxData;
          break;
        case FRAME_HELLO:
          eager = true;
          greeted = true;
          this.#receiveHello();
          break;
        default: // PING, DATA_BLOCKED
          eager = true;
      }
      eliciting = true;
      this.paths.nonProbing = true;
      if (this.error !== undefined) return PAYLOAD_FAILED;
      if (this.#delivery.closed) return PAYLOAD_TAKEN;
    }
    if (reader.error !== 0) {
      this.#stats.malformedPackets++;
      this.#fail(reader.error, "a payload could not be decoded");
      return PAYLOAD_FAILED;
    }
    if (!greeted) this.#hello?.onConfirmed();
    if (!acknowledge) {
      this.#stats.packetsRefused++;
      return PAYLOAD_TAKEN;
    }
    const outOfOrder = acks.largest >= 0 && packetNumber !== acks.largest + 1;
    this.receiveEmpty(packetNumber, ecn, now);
    if (eliciting) schedule.onElicited(eager, outOfOrder, now);
    return PAYLOAD_TAKEN;
  }

  /** A packet that asks for nothing, such as netcode's keep-alive: its number closes a gap. */
  receiveEmpty(packetNumber: number, ecn: number, now: number): void {
    if (this.#udp.acks.isDuplicate(packetNumber)) return;
    this.paths.newest = packetNumber > this.#udp.acks.largest;
    this.#udp.acks.insert(packetNumber, ecn, now);
    this.#udp.detector.loss.onReceived(packetNumber);
  }

  #receiveAck(now: number): void {
    const udp = this.#udp;
    udp.onAckReceived(this.#reader.ack, now);
    this.#stats.channels[LANE_RELIABLE].queuedBytes = udp.sender.queuedBytes;
  }

  #receiveClose(buffer: Uint8Array): void {
    const { closeCode, dataLength, dataOffset, kind } = this.#reader;
    const reason = readReason(buffer, dataOffset, dataLength);
    this.error = errorOfClose(kind === FRAME_CONNECTION_CLOSE_APPLICATION, closeCode, reason);
  }

  #receiveHello(): void {
    const { hello } = this.#reader;
    if (hello !== undefined && this.#hello !== undefined) this.error = this.#hello.onReceived(hello);
  }

  /** False when the packet must not be acknowledged. */
  #receiveChunk(buffer: Uint8Array): boolean {
    const { dataLength, dataOffset, streamId, streamOffset } = this.#reader;
    const { receiver } = this.#udp;
    const result = receiver.receive(streamId, streamOffset, buffer, dataOffset, dataLength, this.#delivery);
    if (result === CHUNK_ACCEPTED) return true;
    if (result !== CHUNK_REFUSED) this.#fail(result, "the peer broke the rules of a stream");
    return false;
  }

  #receiveOrdered(sequence: number, buffer: Uint8Array, offset: number, length: number): void {
    if (sequence <= this.#newestOrdered) {
      this.#stats.channels[LANE_ORDERED].droppedLate++;
      return;
    }
    this.#newestOrdered = sequence;
    if (this.fragmenter.pendingCount > 0) this.fragmenter.dropOrderedUpTo(sequence);
    this.#delivery.deliver("unreliableOrdered", buffer, offset, length, 0);
  }

  #receiveFragment(buffer: Uint8Array, now: number): void {
    const { dataLength, dataOffset, fragment, lastFragment, ordered, sequence } = this.#reader;
    const { fragmenter } = this;
    this.#stats.fragmentsReceived++;
    if (ordered && sequence <= this.#newestOrdered) {
      if (fragment === 0) this.#stats.channels[LANE_ORDERED].droppedLate++;
      return;
    }
    const complete = fragmenter.receive(ordered, sequence, fragment, lastFragment, buffer, dataOffset, dataLength, now);
    if (complete && ordered) this.#receiveOrdered(sequence, fragmenter.message, 0, fragmenter.messageLength);
    else if (complete)
      this.#delivery.deliver("unreliableUnordered", fragmenter.message, 0, fragmenter.messageLength, 0);
    this.#stats.reassembliesDropped = fragmenter.dropped;
  }

  #fail(closeCode: number, message: string): void {
    this.closeCode = closeCode;
    this.error = new NetworkError("protocolViolation", message);
  }
}
