import { ByteWriter } from "@riposte/wire";
import { NewRenoCongestionControl } from "../congestion/new-reno-congestion-control.ts";
import type { CongestionControl } from "../congestion/congestion-control.ts";
import type { MtuDiscovery } from "../path/mtu-discovery.ts";
import type { NetworkError } from "../network-error.ts";
import { checkCloseCode, checkRaw, checkRun } from "./checks.ts";
import { DEFAULT_LIMITS } from "./connection-options.ts";
import type {
  CarrierTraits,
  Channel,
  ConnectionOptions,
  ConnectionOwner,
  ConnectionSink,
  ConnectionState,
  NegotiatedExtensions,
  SendOptions,
  SendResult,
} from "./connection-options.ts";
import { ConnectionStats } from "./connection-stats.ts";
import type { ConnectionTrace } from "./connection-trace.ts";
import { Delivery } from "./delivery.ts";
import { NOTHING_NEGOTIATED } from "./extensions.ts";
import { Farewell } from "./farewell.ts";
import type { GameConnection } from "./game-connection.ts";
import { HelloExchange } from "./hello-exchange.ts";
import { startsWithHello } from "./hello.ts";
import { PacketBatcher } from "./packet-batcher.ts";
import type { PacketFragmenter } from "./packet-fragmenter.ts";
import { SESSION_ID_BYTES, netcodePacketBytes } from "./packet-size.ts";
import { MTU_PROBE_FLAGS, PathMtu } from "./path-mtu.ts";
import { PAYLOAD_CLOSED, PAYLOAD_FAILED, PayloadReceiver } from "./payload-receiver.ts";
import type { PathFrames } from "./payload-receiver.ts";
import { QosManager } from "./qos-manager.ts";
import { ReliableUdp } from "./reliable-udp.ts";
import { SendQueues } from "./send-queues.ts";

/** For a plain peer: kept however long it takes. */
const RAW_OPTIONS: SendOptions = { deadlineMs: Infinity };
/** `finish` gives up waiting for acknowledgements after this. */
const FINISH_TIMEOUT_MS = 5_000;

/**
 * One session with one peer: three channels over netcode payloads. A state machine without clock
 * or socket: the endpoint below brings payloads by `receivePayload` and takes them by
 * `fillPayload`; the game above calls `send` and is told by the sink. Nothing here trusts the
 * peer: what it sends costs bounded memory, and what it breaks closes this connection only.
 */
export class Connection implements GameConnection {
  /** netcode's client index on a server, 0 on a client. */
  readonly index: number;
  readonly clientId: bigint;
  /** The token's 256 bytes of user data. */
  readonly userData: Uint8Array;
  readonly stats: ConnectionStats;
  /** Priorities, weights and rate limits of this connection; change them at any time. */
  readonly qos: QosManager;
  /** Free for the layer above. */
  context: unknown;
  readonly #isClient: boolean;
  readonly #owner: ConnectionOwner;
  readonly #sink: ConnectionSink;
  #createCongestionControl: () => CongestionControl;
  readonly #delivery: Delivery;
  readonly #hello: HelloExchange | undefined;
  readonly #mtu: PathMtu;
  readonly #udp: ReliableUdp;
  readonly #queues: SendQueues;
  readonly #batcher: PacketBatcher;
  readonly #payloads: PayloadReceiver;
  readonly #writer: ByteWriter;
  #carrier: CarrierTraits;
  #interrupted: boolean;
  #isRaw: boolean;
  #farewell: Farewell | undefined;
  /** What `finish` will say, and when it gives up waiting; -1: from the next `now` on. */
  #finishing: Farewell | undefined;
  #finishBy: number;
  #finishWithinMs: number;
  #nextNumber: number;
  #now: number;

  constructor(options: ConnectionOptions) {
    const { carrier, hello, now, role, sink } = options;
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.index = options.index ?? 0;
    this.clientId = options.clientId ?? 0n;
    this.userData = options.userData ?? new Uint8Array(0);
    this.context = undefined;
    this.#isClient = role === "client";
    this.#owner = options.owner;
    this.#sink = sink;
    this.#createCongestionControl = options.congestionControl ?? (() => new NewRenoCongestionControl());
    this.#hello = hello && new HelloExchange(this.#isClient, hello.schemaHash, hello.extensions ?? {}, now);
    this.#mtu = new PathMtu(carrier.maxPayloadBytes);
    this.#udp = new ReliableUdp({
      congestion: this.#createCongestionControl(),
      limits,
      packetBytes: carrier.maxPayloadBytes,
      now,
      fates: this.#mtu,
      ...(options.initialRttMs === undefined ? {} : { initialRttMs: options.initialRttMs }),
    });
    this.stats = new ConnectionStats(this.#udp.detector);
    this.stats.payloadBytes = carrier.maxPayloadBytes;
    this.qos = new QosManager(options.qosDefaults, options.qos);
    this.qos.onChange = () => this.#owner.wake(this);
    this.#delivery = new Delivery(this, sink, this.stats);
    this.#queues = new SendQueues(this.#udp.sender, limits, this.stats);
    const parts = { hello: this.#hello, udp: this.#udp, stats: this.stats };
    this.#batcher = new PacketBatcher({
      ...parts,
      ordered: this.#queues.ordered,
      unordered: this.#queues.unordered,
      qos: this.qos,
      intervalMs: options.batch?.intervalMs ?? 0,
    });
    this.#batcher.reliableCarrier = carrier.reliable;
    this.#payloads = new PayloadReceiver({
      ...parts,
      delivery: this.#delivery,
      reassemblyBytes: limits.reassemblyBytes,
      reassemblyTimeoutMs: limits.reassemblyTimeoutMs,
      pool: options.reassemblyPool,
    });
    this.#writer = new ByteWriter();
    this.#carrier = carrier;
    this.#interrupted = false;
    this.#isRaw = hello === undefined;
    this.#farewell = undefined;
    this.#finishing = undefined;
    this.#finishBy = Infinity;
    this.#finishWithinMs = 0;
    this.#nextNumber = 0;
    this.#now = now;
  }

  get state(): ConnectionState {
    if (this.#farewell !== undefined) return "closed";
    if (this.#isRaw) return "raw";
    if (this.#finishing !== undefined) return "finishing";
    return this.#hello?.accepted ? "open" : "hello";
  }

  /** Why it closed; `undefined` while open, and after this side closed in good order. */
  get closeError(): NetworkError | undefined {
    return this.#farewell?.error;
  }

  /** What the carrier below gives now; a migration may change it. */
  get carrier(): CarrierTraits {
    return this.#carrier;
  }

  /** No path leads to the peer now: what is sent waits until one does, or the session times out. */
  get interrupted(): boolean {
    return this.#interrupted;
  }

  /** What both sides want beyond netcode 1.02. */
  get negotiated(): NegotiatedExtensions {
    return this.#hello?.negotiated ?? NOTHING_NEGOTIATED;
  }

  /** The search for the path's MTU; `undefined` where packets have a fixed size. */
  get mtu(): MtuDiscovery | undefined {
    return this.#mtu.discovery;
  }

  /** Unfinished fragmented messages: look at them, or clear them. */
  get fragmenter(): PacketFragmenter {
    return this.#payloads.fragmenter;
  }

  /** Told of every packet while set; see `docs/diagnostics.md`. */
  get trace(): ConnectionTrace | undefined {
    return this.#udp.trace;
  }

  set trace(trace: ConnectionTrace | undefined) {
    this.#udp.trace = trace;
  }

  /** What the last payload said about paths; for the endpoint. */
  get pathFrames(): PathFrames {
    return this.#payloads.paths;
  }

  /**
   * Queues a message, copying it. Throws `RangeError` when it is larger than the channel takes
   * (16 MiB reliable, 256 KiB unreliable) or an option does not go with the channel. In state
   * `raw` it answers `closed`: see `sendRaw`.
   */
  send(
    channel: Channel,
    buffer: Uint8Array,
    offset = 0,
    length: number = buffer.length - offset,
    options?: SendOptions,
  ): SendResult {
    checkRun(buffer, offset, length);
    this.#queues.check(channel, length, options);
    if (!this.#takesMessages()) return "closed";
    const result = this.#queues.push(channel, buffer, offset, length, options);
    if (result === "queued") this.#owner.wake(this);
    return result;
  }

  /** Queues one payload for a plain netcode peer; `closed` unless in state `raw`. Throws `RangeError` above 1200 bytes. */
  sendRaw(buffer: Uint8Array, offset = 0, length: number = buffer.length - offset): SendResult {
    checkRun(buffer, offset, length);
    checkRaw(this.#carrier.maxPayloadBytes, length);
    if (this.#farewell !== undefined || !this.#isRaw) return "closed";
    this.#queues.push("unreliableUnordered", buffer, offset, length, RAW_OPTIONS);
    this.#owner.wake(this);
    return "queued";
  }

  /** Whether the channel's rate limit would let `bytes` leave now, and its queue takes them. */
  canSend(channel: Channel, bytes: number): boolean {
    return this.#takesMessages() && this.#queues.hasRoom(channel, bytes) && this.qos.canSend(channel, bytes, this.#now);
  }

  /** Messages queued so far wait no longer for others to share a packet with. */
  flush(): void {
    this.#batcher.flush();
  }

  /** Another congestion controller from now on, on this path and later ones. It starts from its own initial window. */
  setCongestionControl(create: () => CongestionControl): void {
    this.#udp.setCongestionControl(create(), this.#now);
    this.#createCongestionControl = create;
    this.#owner.wake(this);
  }

  /**
   * For a sink that hands messages on: so many bytes of reliable messages are on their way to whoever reads them. The
   * peer may have as much less under way, so that a reader who does not keep up slows it down.
   */
  setUnreadBytes(bytes: number): void {
    this.#udp.receiver.unreadBytes = bytes;
    this.#owner.wake(this);
  }

  /** Closes at once; the peer is told the application's `code` and `reason`. What was queued is dropped. */
  close(code = 0, reason = ""): void {
    checkCloseCode(code);
    if (this.#farewell === undefined) this.#shut(Farewell.orderly(code, reason));
  }

  /**
   * Takes nothing more to send, delivers what was accepted, then closes as `close` does: when
   * everything reliable is acknowledged, or `timeoutMs` (default 5,000) are over. At once if it is not open yet.
   */
  finish(code = 0, reason = "", timeoutMs: number = FINISH_TIMEOUT_MS): void {
    checkCloseCode(code);
    if (!(timeoutMs >= 0)) throw new RangeError(`timeoutMs must be at least 0, got ${timeoutMs}`);
    if (this.#farewell !== undefined || this.#finishing !== undefined) return;
    if (this.#isRaw || !this.#hello?.accepted) {
      this.close(code, reason);
      return;
    }
    this.#finishing = Farewell.orderly(code, reason);
    this.#finishBy = -1;
    this.#finishWithinMs = timeoutMs;
    this.#owner.closing?.(this);
    this.flush();
    this.#owner.wake(this);
  }

  /** Closes at once because of `error`, which the peer is told by its code. */
  fail(error: NetworkError): void {
    if (this.#farewell === undefined) this.#shut(Farewell.failed(error));
  }

  /** The session below is gone: closes without a word to the peer. */
  abandon(error: NetworkError | undefined): void {
    if (this.#farewell === undefined) this.#shut(Farewell.silent(error));
    else this.#farewell.left = 0;
  }

  /** The path is gone: nothing is sent until `resume`. */
  interrupt(): void {
    if (this.#interrupted) return;
    this.#interrupted = true;
    this.stats.interruptions++;
  }

  /** The connection goes on by another path, on `carrier`. `fresh`: nothing learned of the old path holds for it. */
  resume(carrier: CarrierTraits, fresh: boolean, now: number): void {
    this.#enter(now);
    this.#interrupted = false;
    this.#carrier = carrier;
    this.stats.migrations++;
    this.#batcher.reliableCarrier = carrier.reliable;
    if (!fresh || this.#farewell !== undefined || this.#isRaw) return;
    this.#udp.resetPath(this.#createCongestionControl(), now);
    this.#searchMtu(now);
    this.#owner.wake(this);
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
    this.#payloads.paths.reset();
    if (this.#farewell !== undefined) return;
    this.stats.packetsReceived++;
    this.stats.bytesReceived += this.packetBytes(length, packetNumber, true);
    this.trace?.packetReceived(packetNumber, buffer, offset, length, now);
    if (this.#farewell !== undefined) return; // by whoever traces
    if (length === 0) {
      this.#payloads.paths.nonProbing = true;
      if (this.#hello?.accepted) this.#payloads.receiveEmpty(packetNumber, ecn, now);
      return;
    }
    if (this.state === "hello" && !startsWithHello(buffer, offset, length)) {
      if (this.#isClient) {
        this.stats.earlyPackets++;
        return;
      }
      this.#becomeRaw();
    }
    if (this.#isRaw) {
      this.#delivery.deliverRaw(buffer, offset, length);
      return;
    }
    const wasOpen = this.#hello?.accepted ?? false;
    const outcome = this.#payloads.receive(buffer, offset, length, packetNumber, ecn, now);
    if (!wasOpen && this.#hello?.accepted) this.#opened(now);
    const { closeCode, error } = this.#payloads;
    if (this.#farewell !== undefined) return;
    if (outcome === PAYLOAD_CLOSED) this.abandon(error);
    else if (outcome === PAYLOAD_FAILED && error !== undefined) {
      this.#shut(closeCode === 0 ? Farewell.failed(error) : Farewell.failed(error, closeCode));
    } else this.#onProgress();
  }

  /** Writes the plaintext of one netcode payload; 0 when there is nothing to send now. */
  fillPayload(buffer: Uint8Array, offset: number, capacity: number, packetNumber: number, now: number): number {
    this.#enter(now);
    if (this.#finishing !== undefined) this.#onProgress();
    this.#nextNumber = packetNumber;
    const room = Math.min(capacity, this.#mtu.payloadBytes(packetNumber));
    this.stats.payloadBytes = room;
    const writer = this.#writer.reset(buffer, offset, offset + room);
    let length = 0;
    if (this.#farewell !== undefined) length = this.#fillClose(this.#farewell);
    else if (this.#isRaw) length = this.#fillRaw(room);
    else if (!this.#hello?.accepted) length = this.#fillHello(now);
    else {
      length = this.#batcher.fill(writer, packetNumber, now);
      if (length === 0) length = this.#fillProbe(buffer, offset, capacity, packetNumber, now);
    }
    if (length === 0) return 0;
    this.countSent(packetNumber, buffer, offset, length, now);
    return length;
  }

  /** Bytes of the packet around a payload that was received or sent: header, name of the session, number, payload and tag. */
  packetBytes(payloadBytes: number, packetNumber: number, isReceived: boolean): number {
    // Only what a client sends is named.
    const isNamed = isReceived !== this.#isClient && this.negotiated.sessionId !== undefined;
    return netcodePacketBytes(payloadBytes, packetNumber) + (isNamed ? SESSION_ID_BYTES : 0);
  }

  /** A payload goes out: one of this connection's, or one that the endpoint probes a path with. */
  countSent(packetNumber: number, buffer: Uint8Array, offset: number, length: number, now: number): void {
    this.stats.packetsSent++;
    this.stats.bytesSent += this.packetBytes(length, packetNumber, false);
    this.trace?.packetSent(packetNumber, buffer, offset, length, now);
  }

  /** The socket refused a packet as too large for the path. */
  handleRefused(bytes: number, now: number): void {
    this.#enter(now);
    this.#mtu.onRefused(bytes, now);
  }

  /** Calling early or twice is harmless. */
  handleTimeout(now: number): void {
    this.#enter(now);
    if (this.#farewell !== undefined || this.#isRaw) return;
    if (this.#interrupted) {
      if (now >= this.#finishBy && this.#finishing !== undefined) this.#shut(this.#finishing);
      return;
    }
    const error = this.#hello?.handleTimeout(now);
    if (error !== undefined) {
      // Who holds a seat and never says anything is a plain program.
      if (this.#isClient) this.fail(error);
      else this.#becomeRaw();
      return;
    }
    const { detector } = this.#udp;
    if (detector.handleTimeout(this.#udp, now)) this.#mtu.onProbeTimeouts(detector.probeTimeouts, now);
    this.fragmenter.handleTimeout(now);
    this.stats.reassembliesDropped = this.fragmenter.dropped;
    this.#batcher.dropStale(now);
    if (now >= this.#finishBy && this.#finishing !== undefined) this.#shut(this.#finishing);
    else this.#onProgress();
  }

  /** When `handleTimeout` or `fillPayload` has work due; not after the last `now` when there is some at once. */
  nextTimeout(): number {
    const farewell = this.#farewell;
    if (farewell !== undefined) return farewell.left > 0 ? this.#now : Infinity;
    if (this.#interrupted) return Math.max(this.#finishBy, this.#now);
    if (this.#isRaw) return this.#queues.unordered.count > 0 ? this.#now : Infinity;
    if (!this.#hello?.accepted) return this.#hello?.nextTimeout() ?? Infinity;
    const at = Math.min(this.#udp.detector.nextTimeout(), this.fragmenter.nextTimeout(), this.#mtu.nextTimeout());
    const packetBytes = this.#mtu.payloadBytes(this.#nextNumber);
    return Math.min(at, this.#finishBy, this.#batcher.nextTimeout(packetBytes, this.#now));
  }

  #takesMessages(): boolean {
    return this.#farewell === undefined && this.#finishing === undefined && !this.#isRaw;
  }

  #enter(now: number): void {
    this.#now = now;
    this.#queues.stamp(now);
    this.#batcher.enter(now);
    this.#mtu.enter(now);
    if (this.#finishBy < 0) this.#finishBy = now + this.#finishWithinMs;
  }

  /** The hello is done. */
  #opened(now: number): void {
    const extra = this.#isClient && this.negotiated.sessionId !== undefined ? SESSION_ID_BYTES : 0;
    this.#batcher.extraHeaderBytes = extra;
    this.#mtu.extraHeaderBytes = extra;
    this.#searchMtu(now);
    this.#owner.opened?.(this);
  }

  #searchMtu(now: number): void {
    const { path, maxPayloadBytes } = this.#carrier;
    const { largePackets } = this.negotiated;
    if (path === undefined || largePackets === undefined) this.#mtu.stop(maxPayloadBytes);
    else this.#mtu.start(path, largePackets, now);
  }

  /** Acknowledgements may have come: tells who waits for them. */
  #onProgress(): void {
    if (this.#queues.takeDrained()) this.#sink.drained?.(this);
    if (this.#finishing !== undefined && this.#queues.isEmpty) this.#shut(this.#finishing);
  }

  #fillHello(now: number): number {
    const hello = this.#hello;
    if (hello === undefined || !hello.isDue(now)) return 0;
    hello.write(this.#writer);
    hello.onSent(now);
    return this.#writer.length;
  }

  #fillRaw(room: number): number {
    const queue = this.#queues.unordered;
    const length = queue.count > 0 ? queue.firstLength : 0;
    if (length === 0 || length > room) return 0;
    queue.readFirst(0, length, this.#writer.buffer, this.#writer.offset);
    queue.pop();
    this.stats.of("unreliableUnordered").queuedBytes = queue.queuedBytes;
    return length;
  }

  #fillClose(farewell: Farewell): number {
    if (farewell.left === 0) return 0;
    if (this.#hello?.announcing) this.#hello.write(this.#writer);
    farewell.write(this.#writer);
    return this.#writer.length;
  }

  /** Nothing else is to be sent: a probe may go. */
  #fillProbe(buffer: Uint8Array, offset: number, capacity: number, packetNumber: number, now: number): number {
    const length = this.#mtu.writeProbe(this.#writer.reset(buffer, offset, offset + capacity), packetNumber, now);
    if (length > 0) this.#udp.onPacketSent(packetNumber, 0, MTU_PROBE_FLAGS, this.#udp.beginPacket(), -1, now);
    return length;
  }

  #becomeRaw(): void {
    this.#isRaw = true;
    this.#release();
  }

  #shut(farewell: Farewell): void {
    if (this.#isRaw) farewell.left = 0;
    if (farewell.left > 0 && this.#finishing === undefined) this.#owner.closing?.(this);
    this.#farewell = farewell;
    this.#finishBy = Infinity;
    this.#release();
    this.#owner.wake(this);
  }

  /** Drops what is queued and frees the storage. */
  #release(): void {
    this.#queues.release();
    this.#udp.release();
    this.fragmenter.clear();
    for (const stats of this.stats.channels) stats.queuedBytes = 0;
  }
}
