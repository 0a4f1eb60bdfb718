/**
 * WebSockets of browsers as a carrier: one binary message is one datagram, one socket is one path.
 *
 * An open socket has proven nothing. Until netcode has admitted it, it counts against a cap for its
 * address and one for all, and has little time. What it sends is read one message per turn of the
 * event loop, so that no socket can hold the game up; what it does not read is dropped here, newest
 * first, once a limit is reached, and before that the endpoint is told to wait.
 */
import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { PacketBatch } from "@riposte/datapath";
import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";

export interface WebSocketLimits {
  /** Open sockets, admitted or not. Default: `maxClients` and 256. */
  readonly maxSockets: number;
  /** Sockets not yet admitted, over all addresses. Default 256. */
  readonly maxUnadmitted: number;
  /** Sockets not yet admitted from one IPv4 address or IPv6 /64 network. Default 16. */
  readonly maxUnadmittedPerAddress: number;
  /** How long a socket may take to be admitted. Default 5,000. */
  readonly admissionTimeoutMs: number;
  /** Bytes waiting in one socket at which the endpoint is told to wait; twice as many drop. Default 65,536. */
  readonly sendBufferBytes: number;
}

/** Whom a carrier of WebSockets tells. */
export interface SocketCallbacks {
  /** First path number; sockets take `firstPath .. firstPath + maxSockets - 1`. */
  readonly firstPath: number;
  readonly onBatch: (batch: PacketBatch) => void;
  readonly onWritable: () => void;
  readonly onPathClosed: (path: number) => void;
}

/** WebSockets as a `ServerTransport` sees them; a `WebSocketListener` is one. */
export interface SocketCarrier {
  readonly stats: WebSocketStats | undefined;
  /** True while the socket of a path takes more. */
  writable(path: number): boolean;
  /** Names the socket of a path; a later one of the same number has another name. */
  nameOf(path: number): string;
  /** The address that the socket of a path was opened from, without the port. */
  addressOf(path: number): string;
  /** Sends a datagram; its bytes are copied. */
  send(path: number, buffer: Uint8Array, offset: number, length: number): void;
  /** The endpoint admitted the path: it keeps its meaning until `release`. */
  retain(path: number): void;
  release(path: number): void;
  close(): void;
}

export interface WebSocketListenerOptions extends SocketCallbacks {
  readonly http: Server;
  readonly httpPath: string;
  readonly maxPayloadBytes: number;
  readonly limits: WebSocketLimits;
  /** The address that the caps count a request by. */
  readonly addressOf: (request: IncomingMessage) => string;
}

/** A message of a client counts once: as received, as overflowed or as malformed. */
export interface WebSocketStats {
  /** Sockets open now, and how many of them are not admitted yet. */
  open: number;
  unadmitted: number;
  /** Handed over to be read. */
  packetsReceived: number;
  bytesReceived: number;
  packetsSent: number;
  bytesSent: number;
  /** Upgrades refused because of a cap. */
  refused: number;
  /** Sockets closed because they were not admitted in time. */
  admissionTimedOut: number;
  /** Sockets closed for text, an empty or oversized message or a broken frame, each once; what follows on them is not taken. */
  malformed: number;
  /** Messages dropped because too many waited to be read. */
  receiveOverflowed: number;
  /** Datagrams dropped because the socket's buffer was full or it was gone. */
  sendOverflowed: number;
}

const QUEUE_PACKETS = 4096;
/** Messages taken per turn of the event loop. */
const BATCHES_PER_WAKE = 2;
const CLOSE_GRACE_MS = 2000;

interface Slot {
  socket: WebSocket | undefined;
  readonly path: number;
  network: string;
  address: string;
  /** Counts sockets: a path number is used again, a socket is not. */
  serial: number;
  retained: number;
  admitted: boolean;
  /** It is being closed for what it sent. */
  malformed: boolean;
  timer: NodeJS.Timeout | undefined;
}

export class WebSocketListener implements SocketCarrier {
  readonly stats: WebSocketStats = {
    open: 0,
    unadmitted: 0,
    packetsReceived: 0,
    bytesReceived: 0,
    packetsSent: 0,
    bytesSent: 0,
    refused: 0,
    admissionTimedOut: 0,
    malformed: 0,
    receiveOverflowed: 0,
    sendOverflowed: 0,
  };
  readonly #options: WebSocketListenerOptions;
  readonly #server: WebSocketServer;
  readonly #slots: Slot[] = [];
  /** Slots nobody uses, used longest ago first: a path number rests before it means another socket. */
  readonly #free: Slot[] = [];
  readonly #unadmitted = new Map<string, number>();
  readonly #batch = new PacketBatch();
  readonly #queue: (Uint8Array | undefined)[] = Array.from<Uint8Array | undefined>({ length: QUEUE_PACKETS }).fill(
    undefined,
  );
  readonly #queuePaths = new Int32Array(QUEUE_PACKETS);
  #queueHead = 0;
  #queueTail = 0;
  #wakeScheduled = false;
  #accepted = 0;
  #closed = false;

  constructor(options: WebSocketListenerOptions) {
    this.#options = options;
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: options.maxPayloadBytes,
      // One message per turn and socket; see above.
      allowSynchronousEvents: false,
      autoPong: false,
      skipUTF8Validation: true,
    });
    options.http.on("upgrade", this.#handleUpgrade);
  }

  /** True while the socket of a path takes more. */
  writable(path: number): boolean {
    const socket = this.#slot(path)?.socket;
    return socket !== undefined && socket.bufferedAmount < this.#options.limits.sendBufferBytes;
  }

  /** Names the socket of a path; a later one of the same number has another name. */
  nameOf(path: number): string {
    return socketName(this.serialOf(path));
  }

  /** Counts sockets: which one a path stands for. 0: none ever. */
  serialOf(path: number): number {
    return this.#slot(path)?.serial ?? 0;
  }

  /** The address that the socket of a path was opened from, without the port. */
  addressOf(path: number): string {
    return (this.#slot(path)?.address ?? "").replace(/^::ffff:(?=\d+\.)/, "");
  }

  /** Sends a datagram; its bytes are copied, since the socket may hold them for long. */
  send(path: number, buffer: Uint8Array, offset: number, length: number): void {
    const socket = this.#slot(path)?.socket;
    if (
      socket === undefined ||
      socket.readyState !== socket.OPEN ||
      socket.bufferedAmount + length > 2 * this.#options.limits.sendBufferBytes
    ) {
      this.stats.sendOverflowed += 1;
      return;
    }
    const bytes = Buffer.allocUnsafe(length);
    bytes.set(buffer.subarray(offset, offset + length));
    socket.send(bytes);
    this.stats.packetsSent += 1;
    this.stats.bytesSent += length;
  }

  /** The endpoint admitted the path: it keeps its meaning until `release`, and the caps no longer count it. */
  retain(path: number): void {
    const slot = this.#slots[path - this.#options.firstPath];
    slot.retained += 1;
    this.#admit(slot);
  }

  /** The endpoint is done with the path: its socket is closed. */
  release(path: number): void {
    const slot = this.#slots[path - this.#options.firstPath];
    slot.retained -= 1;
    if (slot.retained > 0) return;
    const { socket } = slot;
    if (socket === undefined) {
      this.#free.push(slot);
      return;
    }
    socket.close(1000);
    slot.timer = setTimeout(() => socket.terminate(), CLOSE_GRACE_MS);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#options.http.off("upgrade", this.#handleUpgrade);
    for (const slot of this.#slots) {
      clearTimeout(slot.timer);
      slot.socket?.close(1001);
      const { socket } = slot;
      if (socket !== undefined) slot.timer = setTimeout(() => socket.terminate(), CLOSE_GRACE_MS);
    }
    this.#server.close();
  }

  readonly #handleUpgrade = (request: IncomingMessage, stream: Duplex, head: Buffer): void => {
    const url = request.url ?? "";
    const query = url.indexOf("?");
    if ((query < 0 ? url : url.slice(0, query)) !== this.#options.httpPath) {
      // Another listener may know this address.
      if (this.#options.http.listenerCount("upgrade") === 1) refuse(stream, "404 Not Found");
      return;
    }
    const { limits } = this.#options;
    const address = this.#options.addressOf(request);
    const network = networkOf(address);
    const unadmitted = this.#unadmitted.get(network) ?? 0;
    if (
      (this.#slots.length >= limits.maxSockets && this.#free.length === 0) ||
      this.stats.unadmitted >= limits.maxUnadmitted ||
      unadmitted >= limits.maxUnadmittedPerAddress
    ) {
      this.stats.refused += 1;
      refuse(
        stream,
        unadmitted >= limits.maxUnadmittedPerAddress ? "429 Too Many Requests" : "503 Service Unavailable",
      );
      return;
    }
    this.#server.handleUpgrade(request, stream, head, (socket) => this.#accept(socket, stream, address));
  };

  #accept(socket: WebSocket, stream: Duplex, address: string): void {
    const slot = this.#takeSlot();
    const network = networkOf(address);
    slot.socket = socket;
    slot.network = network;
    slot.address = address;
    slot.serial = ++this.#accepted;
    slot.admitted = false;
    slot.malformed = false;
    this.stats.open += 1;
    this.stats.unadmitted += 1;
    this.#unadmitted.set(network, (this.#unadmitted.get(network) ?? 0) + 1);
    slot.timer = setTimeout(() => {
      this.stats.admissionTimedOut += 1;
      socket.terminate();
    }, this.#options.limits.admissionTimeoutMs);
    socket.on("message", (data, isBinary) => {
      if (slot.malformed) return;
      if (isBinary && data instanceof Uint8Array && data.length > 0) this.#push(data, slot.path);
      else {
        this.#countMalformed(slot);
        socket.close(1003);
      }
    });
    socket.on("ping", (data) => {
      if (this.writable(slot.path)) socket.pong(data);
    });
    // A broken or oversized frame; `ws` closes the socket with the protocol's own code.
    socket.on("error", () => this.#countMalformed(slot));
    socket.on("close", () => this.#handleClose(slot));
    stream.on("drain", this.#options.onWritable);
  }

  /** Once for each socket: nothing is taken from it any more. */
  #countMalformed(slot: Slot): void {
    if (slot.malformed) return;
    slot.malformed = true;
    this.stats.malformed += 1;
  }

  #handleClose(slot: Slot): void {
    this.#admit(slot);
    clearTimeout(slot.timer);
    slot.socket = undefined;
    this.stats.open -= 1;
    if (this.#closed) return;
    // The endpoint may give the path back within this call.
    slot.retained += 1;
    this.#options.onPathClosed(slot.path);
    this.release(slot.path);
  }

  /** Takes the socket out of the caps, once. */
  #admit(slot: Slot): void {
    if (slot.admitted) return;
    slot.admitted = true;
    clearTimeout(slot.timer);
    this.stats.unadmitted -= 1;
    const count = (this.#unadmitted.get(slot.network) ?? 1) - 1;
    if (count === 0) this.#unadmitted.delete(slot.network);
    else this.#unadmitted.set(slot.network, count);
  }

  #push(bytes: Uint8Array, path: number): void {
    if (((this.#queueTail - this.#queueHead) | 0) >= QUEUE_PACKETS) {
      this.stats.receiveOverflowed += 1;
      return;
    }
    const at = this.#queueTail & (QUEUE_PACKETS - 1);
    this.#queue[at] = bytes;
    this.#queuePaths[at] = path;
    this.#queueTail = (this.#queueTail + 1) | 0;
    if (!this.#wakeScheduled) {
      this.#wakeScheduled = true;
      setImmediate(this.#wake);
    }
  }

  readonly #wake = (): void => {
    this.#wakeScheduled = false;
    const batch = this.#batch;
    for (let round = 0; round < BATCHES_PER_WAKE && this.#queueHead !== this.#queueTail && !this.#closed; round += 1) {
      batch.count = 0;
      while (this.#queueHead !== this.#queueTail && !batch.full) {
        const at = this.#queueHead & (QUEUE_PACKETS - 1);
        const bytes = this.#queue[at];
        this.#queue[at] = undefined;
        this.#queueHead = (this.#queueHead + 1) | 0;
        if (bytes === undefined) continue;
        batch.append(bytes, 0, bytes.length, this.#queuePaths[at]);
        this.stats.packetsReceived += 1;
        this.stats.bytesReceived += bytes.length;
      }
      this.#options.onBatch(batch);
    }
    if (this.#queueHead !== this.#queueTail && !this.#closed) {
      this.#wakeScheduled = true;
      setImmediate(this.#wake);
    }
  };

  #slot(path: number): Slot | undefined {
    return this.#slots[path - this.#options.firstPath];
  }

  #takeSlot(): Slot {
    // New numbers first, so that a freed one rests as long as possible.
    if (this.#slots.length < this.#options.limits.maxSockets) {
      const slot: Slot = {
        socket: undefined,
        path: this.#options.firstPath + this.#slots.length,
        network: "",
        address: "",
        serial: 0,
        retained: 0,
        admitted: false,
        malformed: false,
        timer: undefined,
      };
      this.#slots.push(slot);
      return slot;
    }
    const slot = this.#free.shift();
    if (slot === undefined) throw new RangeError("no free socket slot");
    return slot;
  }
}

export function socketName(serial: number): string {
  return `socket ${serial}`;
}

function refuse(stream: Duplex, status: string): void {
  stream.on("error", () => {});
  // HTTP servers allow half-open connections: without this the other side decides how long it stays.
  stream.once("finish", () => stream.destroy());
  stream.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

/** What the caps count by: an IPv4 address, or the first 64 bits of an IPv6 address. */
export function networkOf(address: string): string {
  if (address.startsWith("::ffff:") && address.includes(".")) return address.slice(7);
  if (!address.includes(":")) return address;
  const [head, tail] = address.split("::");
  const groups = head.split(":").filter((group) => group !== "");
  if (tail !== undefined) {
    const after = tail.split(":").filter((group) => group !== "");
    while (groups.length + after.length < 8) groups.push("0");
  }
  return `${groups.slice(0, 4).join(":")}::/64`;
}
