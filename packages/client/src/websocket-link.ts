/** One WebSocket as a carrier of datagrams: one binary message is one datagram. In browsers and in Node. */
import type { CarrierTraits } from "@riposte/protocol/channel";

/** Above this many bytes in the socket's buffer no packet is made: what waits there only gets older. */
const MAX_BUFFERED_BYTES = 65_536;
/** How often to look whether a full buffer has drained: sockets do not say so. */
const WRITABLE_CHECK_MS = 5;
/** netcode's largest packet, and room to spare. */
const MAX_DATAGRAM_BYTES = 2048;

const TRAITS: CarrierTraits = { name: "websocket", maxPayloadBytes: 1200, reliable: true };

/** Messages that are no datagrams, by kind: such a server is not ours, or broken. */
export interface WebSocketLinkStats {
  text: number;
  empty: number;
  oversized: number;
}

export class WebSocketLink {
  readonly traits: CarrierTraits = TRAITS;
  readonly stats: WebSocketLinkStats = { text: 0, empty: 0, oversized: 0 };
  /** Resolves when it is open, rejects when it closes before. */
  readonly opened: Promise<void>;
  /** Resolves when it is closed. */
  readonly closed: Promise<void>;
  onDatagram: (bytes: Uint8Array) => void = () => {};
  onWritable: () => void = () => {};
  onClose: (code: number) => void = () => {};
  readonly #socket: WebSocket;
  #check: ReturnType<typeof setTimeout> | undefined;

  constructor(url: string) {
    const opened = Promise.withResolvers<void>();
    const closed = Promise.withResolvers<void>();
    this.opened = opened.promise;
    this.closed = closed.promise;
    // Whoever does not wait for it hears of the end by `onClose`.
    opened.promise.catch(() => undefined);
    this.#socket = new WebSocket(url);
    this.#socket.binaryType = "arraybuffer";
    this.#socket.addEventListener("open", () => {
      opened.resolve();
      this.onWritable();
    });
    this.#socket.addEventListener("message", (event: MessageEvent) => this.#receive(event.data));
    this.#socket.addEventListener("close", (event) => {
      clearTimeout(this.#check);
      opened.reject(new Error(`the WebSocket to ${url} closed with code ${event.code}`));
      closed.resolve();
      this.onClose(event.code);
    });
    // The reason is never told; "close" follows.
    this.#socket.addEventListener("error", () => undefined);
  }

  get writable(): boolean {
    if (this.#socket.readyState !== WebSocket.OPEN) return false;
    if (this.#socket.bufferedAmount < MAX_BUFFERED_BYTES) return true;
    this.#check ??= setTimeout(this.#checkWritable, WRITABLE_CHECK_MS);
    return false;
  }

  send(buffer: Uint8Array, offset: number, length: number): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.#socket.send(buffer.subarray(offset, offset + length) as Uint8Array<ArrayBuffer>);
  }

  close(): void {
    clearTimeout(this.#check);
    if (this.#socket.readyState <= WebSocket.OPEN) this.#socket.close(1000);
  }

  #receive(data: unknown): void {
    if (!(data instanceof ArrayBuffer)) this.stats.text++;
    else if (data.byteLength === 0) this.stats.empty++;
    else if (data.byteLength > MAX_DATAGRAM_BYTES) this.stats.oversized++;
    else this.onDatagram(new Uint8Array(data));
  }

  readonly #checkWritable = (): void => {
    this.#check = undefined;
    if (this.writable) this.onWritable();
  };
}
