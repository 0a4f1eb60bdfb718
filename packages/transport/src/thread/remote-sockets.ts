import { PacketBatch } from "@riposte/datapath";
import type { SocketCallbacks, SocketCarrier } from "../websocket-listener.ts";
import { socketName } from "../websocket-listener.ts";
import type { RingRecord } from "./shared-ring.ts";
import type { SocketFlags } from "./socket-flags.ts";
import type { ServerEvent } from "./records.ts";

/** Who takes what WebSockets are sent, and what is said of their paths. */
export interface SocketLane {
  datagram(path: number, buffer: Uint8Array, offset: number, length: number): void;
  event(event: ServerEvent): void;
}

/** WebSockets as the network thread sees them: the sockets are the game thread's, their datagrams come and go by the rings. */
export class RemoteSockets implements SocketCarrier {
  /** Counted in the game thread. */
  readonly stats = undefined;
  readonly #callbacks: SocketCallbacks;
  readonly #flags: SocketFlags;
  readonly #lane: SocketLane;
  readonly #batch = new PacketBatch();

  constructor(callbacks: SocketCallbacks, flags: SocketFlags, lane: SocketLane) {
    this.#callbacks = callbacks;
    this.#flags = flags;
    this.#lane = lane;
  }

  writable(path: number): boolean {
    return this.#flags.writable(path - this.#callbacks.firstPath);
  }

  nameOf(path: number): string {
    return socketName(this.#flags.serial(path - this.#callbacks.firstPath));
  }

  /** The game thread knows. */
  addressOf(): string {
    return "";
  }

  send(path: number, buffer: Uint8Array, offset: number, length: number): void {
    this.#lane.datagram(path, buffer, offset, length);
  }

  retain(path: number): void {
    this.#lane.event({ type: "pathRetained", path });
  }

  release(path: number): void {
    this.#lane.event({ type: "pathReleased", path });
  }

  close(): void {
    // The game thread closes them once everything has arrived there.
  }

  /** A datagram came from the game thread; `deliver` follows. */
  receive({ slot: path, buffer, offset, length }: RingRecord): void {
    if (this.#batch.full) this.deliver();
    this.#batch.append(buffer, offset, length, path);
  }

  deliver(): void {
    if (this.#batch.count === 0) return;
    this.#callbacks.onBatch(this.#batch);
    this.#batch.count = 0;
  }

  handleWritable(): void {
    this.#callbacks.onWritable();
  }

  handleClosed(path: number): void {
    this.deliver();
    this.#callbacks.onPathClosed(path);
    this.#lane.event({ type: "pathForgotten", path });
  }
}
