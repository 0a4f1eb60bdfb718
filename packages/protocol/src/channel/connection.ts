import { ByteWriter } from "@riposte/wire";
import { NewRenoCongestionControl } from "../congestion/new-reno-congestion-control.ts";
import type { NetworkError } from "../network-error.ts";
import { closeCodeOf, writeClose } from "./close-frame.ts";
import { DEFAULT_LIMITS } from "./connection-options.ts";
import type {
  CarrierTraits,
  Channel,
  ConnectionLimits,
  ConnectionOptions,
  ConnectionOwner,
  ConnectionState,
  SendResult,
} from "./connection-options.ts";
import { ConnectionStats } from "./connection-stats.ts";
import { Delivery } from "./delivery.ts";
import { MAX_UNRELIABLE_BYTES } from "./frames.ts";
import { HelloExchange } from "./hello-exchange.ts";
import { startsWithHello } from "./hello.ts";
import type { HelloExtension } from "./hello.ts";
import { PacketBatcher } from "./packet-batcher.ts";
import { netcodePacketBytes } from "./packet-size.ts";
import { PAYLOAD_CLOSED, PAYLOAD_FAILED, PayloadReceiver } from "./payload-receiver.ts";
import { ReliableUdp } from "./reliable-udp.ts";
import { UnreliableQueue } from "./unreliable-queue.ts";

/** The CONNECTION_CLOSE goes in this many packets: nothing acknowledges it. */
const CLOSE_PACKETS = 3;

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
  readonly #isClient: boolean;
  readonly #limits: ConnectionLimits;
  readonly #owner: ConnectionOwner;
  readonly #delivery: Delivery;
  readonly #hello: HelloExchange | undefined;
  readonly #udp: ReliableUdp;
  readonly #queue: UnreliableQueue;
  readonly #batcher: PacketBatcher;
  readonly #payloads: PayloadReceiver;
  readonly #writer: ByteWriter;
  #isRaw: boolean;
  #isClosed: boolean;
  #closeError: NetworkError | undefined;
  #closeApplication: boolean;
  #closeCode: number;
  #closeReason: string;
  #closesLeft: number;
  #now: number;

  constructor(options: ConnectionOptions) {
    const { carrier, hello, now, role } = options;
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.index = options.index ?? 0;
    this.clientId = options.clientId ?? 0n;
    this.userData = options.userData ?? new Uint8Array(0);
    this.carrier = carrier;
    this.context = undefined;
    this.#isClient = role === "client";
    this.#limits = limits;
    this.#owner = options.owner;
    this.#hello = hello && new HelloExchange(this.#isClient, hello.schemaHash, hello.extensions ?? [], now);
    this.#udp = new ReliableUdp({
      congestion: options.congestionControl ?? new NewRenoCongestionControl(),
      limits,
      packetBytes: carrier.maxPayloadBytes,
      now,
      ...(options.initialRttMs === undefined ? {} : { initialRttMs: options.initialRttMs }),
    });
    this.stats = new ConnectionStats(this.#udp.detector);
    this.#delivery = new Delivery(this, options.sink, this.stats);
    this.#queue = new UnreliableQueue(limits.unreliableSendBytes);
    const parts = { hello: this.#hello, udp: this.#udp, stats: this.stats };
    this.#batcher = new PacketBatcher({
      ...parts,
      queue: this.#queue,
      reliableCarrier: carrier.reliable,
      unreliableMaxAgeMs: limits.unreliableMaxAgeMs,
    });
    this.#payloads = new PayloadReceiver({
      ...parts,
      delivery: this.#delivery,
      reassemblyBytes: limits.reassemblyBytes,
      reassemblyTimeoutMs: limits.reassemblyTimeoutMs,
    });
    this.#writer = new ByteWriter();
    this.#isRaw = hello === undefined;
    this.#isClosed = false;
    this.#closeError = undefined;
    this.#closeApplication = false;
    this.#closeCode = 0;
    this.#closeReason = "";
    this.#closesLeft = 0;
    this.#now = now;
  }

  get state(): ConnectionState {
    if (this.#isClosed) return "closed";
    if (this.#isRaw) return "raw";
    return this.#hello?.accepted ? "open" : "hello";
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
    const limit = reliable ? this.#reliableLimit : this.#unreliableLimit;
    if (length > limit) throw new RangeError(`a message on ${channel} is at most ${limit} bytes, got ${length}`);
    if (this.#isClosed || this.#isRaw) return "closed";
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
    if (this.#isClosed || !this.#isRaw) return "closed";
    this.stats.droppedFull += this.#queue.push(false, buffer, offset, length);
    this.stats.unreliableQueuedBytes = this.#queue.queuedBytes;
    this.stats.messagesSent++;
    this.#owner.wake(this);
    return "queued";
  }

  /** Closes at once; the peer is told the application's `code` and `reason`. What was queued is dropped. */
  close(code = 0, reason = ""): void {
    if (!(Number.isSafeInteger(code) && code >= 0)) throw new RangeError(`not a close code: ${code}`);
    if (this.#isClosed) return;
    this.#shut(undefined, true, code, reason);
  }

  /** Closes at once because of `error`, which the peer is told by its code. */
  fail(error: NetworkError): void {
    if (this.#isClosed) return;
    this.#shut(error, false, closeCodeOf(error.code), error.message);
  }

  /** The session below is gone: closes without a word to the peer. */
  abandon(error: NetworkError | undefined): void {
    if (!this.#isClosed) this.#shut(error, false, 0, "");
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
    if (this.#isClosed) return;
    this.stats.packetsReceived++;
    this.stats.bytesReceived += netcodePacketBytes(length, packetNumber);
    if (length === 0) {
      if (this.state === "open") this.#payloads.receiveEmpty(packetNumber, ecn, now);
      return;
    }
    if (this.state === "hello" && !startsWithHello(buffer, offset, length)) {
      if (this.#isClient) {
        this.stats.earlyPackets++;
        return;
      }
      this.#isRaw = true;
      this.#release();
    }
    if (this.#isRaw) {
      this.#delivery.deliverRaw(buffer, offset, length);
      return;
    }
    const outcome = this.#payloads.receive(buffer, offset, length, packetNumber, ecn, now);
    const { closeCode, error } = this.#payloads;
    if (error === undefined || this.#isClosed) return;
    if (outcome === PAYLOAD_CLOSED) this.abandon(error);
    else if (outcome === PAYLOAD_FAILED && closeCode === 0) this.fail(error);
    else if (outcome === PAYLOAD_FAILED) this.#shut(error, false, closeCode, error.message);
  }

  /** Writes the plaintext of one netcode payload; 0 when there is nothing to send now. */
  fillPayload(buffer: Uint8Array, offset: number, capacity: number, packetNumber: number, now: number): number {
    this.#enter(now);
    const room = Math.min(capacity, this.carrier.maxPayloadBytes);
    this.#writer.reset(buffer, offset, offset + room);
    let length = 0;
    if (this.#isClosed) length = this.#fillClose();
    else if (this.#isRaw) length = this.#fillRaw(buffer, offset, room);
    else if (this.#hello?.accepted) length = this.#batcher.fill(this.#writer, packetNumber, now);
    else length = this.#fillHello(now);
    if (length === 0) return 0;
    this.stats.packetsSent++;
    this.stats.bytesSent += netcodePacketBytes(length, packetNumber);
    return length;
  }

  /** Calling early or twice is harmless. */
  handleTimeout(now: number): void {
    this.#enter(now);
    if (this.#isClosed || this.#isRaw) return;
    const error = this.#hello?.handleTimeout(now);
    if (error !== undefined) {
      this.fail(error);
      return;
    }
    this.#udp.detector.handleTimeout(this.#udp, now);
    this.#payloads.fragmenter.handleTimeout(now);
    this.stats.reassembliesDropped = this.#payloads.fragmenter.dropped;
    this.#batcher.dropStale(now);
  }

  /** When `handleTimeout` or `fillPayload` has work due; not after the last `now` when there is some at once. */
  nextTimeout(): number {
    if (this.#isClosed) return this.#closesLeft > 0 ? this.#now : Infinity;
    if (this.#isRaw) return this.#queue.count > 0 ? this.#now : Infinity;
    if (!this.#hello?.accepted) return this.#hello?.nextTimeout() ?? Infinity;
    const at = Math.min(this.#udp.detector.nextTimeout(), this.#payloads.fragmenter.nextTimeout());
    return Math.min(at, this.#batcher.nextTimeout(this.#now));
  }

  get #reliableLimit(): number {
    return Math.min(this.#limits.reliableMessageBytes, this.#limits.reliableSendBytes);
  }

  get #unreliableLimit(): number {
    return Math.min(MAX_UNRELIABLE_BYTES, this.#limits.unreliableSendBytes);
  }

  #enter(now: number): void {
    this.#now = now;
    this.#queue.stamp(now);
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
    if (this.#hello?.announcing) this.#hello.write(this.#writer);
    writeClose(this.#writer, this.#closeApplication, this.#closeCode, this.#closeReason);
    return this.#writer.length;
  }

  #shut(error: NetworkError | undefined, application: boolean, code: number, reason: string): void {
    this.#closesLeft = this.#isRaw ? 0 : CLOSE_PACKETS;
    this.#isClosed = true;
    this.#closeError = error;
    this.#closeApplication = application;
    this.#closeCode = code;
    this.#closeReason = reason;
    this.#release();
    this.#owner.wake(this);
  }

  /** Drops what is queued and frees the storage. */
  #release(): void {
    this.#queue.release();
    this.#udp.release();
    this.#payloads.fragmenter.clear();
    this.stats.reliableQueuedBytes = 0;
    this.stats.unreliableQueuedBytes = 0;
  }
}

function checkRun(buffer: Uint8Array, offset: number, length: number): void {
  if (offset >= 0 && length >= 0 && offset + length <= buffer.length) return;
  throw new RangeError(`offset ${offset} and length ${length} are outside a buffer of ${buffer.length} bytes`);
}
