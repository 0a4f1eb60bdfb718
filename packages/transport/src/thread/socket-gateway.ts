import type { Server } from "node:http";
import type { PacketBatch } from "@riposte/datapath";
import { listenWebSocket } from "../listen-transport.ts";
import type { ListenTransportOptions } from "../listen-transport.ts";
import type { WebSocketListener, WebSocketStats } from "../websocket-listener.ts";
import type { SocketFlags } from "./socket-flags.ts";
import type { ThreadLink } from "./thread-link.ts";

/** The game thread's WebSockets, whose datagrams go to a network thread and come from it. */
export class SocketGateway {
  readonly #link: ThreadLink;
  readonly #flags: SocketFlags;
  readonly #firstPath: number;
  readonly #listener: WebSocketListener;
  /** Paths that took no more when we looked last. */
  readonly #blocked = new Set<number>();

  constructor(http: Server, options: ListenTransportOptions, flags: SocketFlags, link: ThreadLink) {
    this.#link = link;
    this.#flags = flags;
    this.#firstPath = link.firstSocketPath;
    this.#listener = listenWebSocket(http, options, {
      firstPath: this.#firstPath,
      onBatch: (batch) => this.#receive(batch),
      onWritable: () => this.#handleWritable(),
      onPathClosed: (path) => this.#handleClosed(path),
    });
  }

  get stats(): WebSocketStats {
    return this.#listener.stats;
  }

  addressOf(path: number): string {
    return this.#listener.addressOf(path);
  }

  send(path: number, buffer: Uint8Array, offset: number, length: number): void {
    this.#listener.send(path, buffer, offset, length);
    this.#show(path);
  }

  handlePathEvent(type: "pathRetained" | "pathReleased" | "pathForgotten", path: number): void {
    if (type === "pathRetained") this.#listener.retain(path);
    else this.#listener.release(path);
  }

  close(): void {
    this.#listener.close();
  }

  #receive(batch: PacketBatch): void {
    for (let i = 0; i < batch.count; i++) {
      this.#show(batch.path[i]);
      this.#link.datagram(batch.path[i], batch.buffer, batch.offset[i], batch.length[i]);
    }
    this.#link.publishNow();
  }

  /** The number rests until the thread knows, so that it means another socket to both sides at the same time. */
  #handleClosed(path: number): void {
    this.#listener.retain(path);
    this.#blocked.delete(path);
    this.#flags.set(path - this.#firstPath, this.#listener.serialOf(path), false);
    this.#link.serverCommand({ type: "pathClosed", path });
    this.#link.publishNow();
  }

  #handleWritable(): void {
    if (this.#blocked.size === 0) return;
    for (const path of this.#blocked) this.#show(path);
    this.#link.serverCommand({ type: "writable" });
    this.#link.publishNow();
  }

  #show(path: number): void {
    const writable = this.#listener.writable(path);
    this.#flags.set(path - this.#firstPath, this.#listener.serialOf(path), writable);
    if (writable) this.#blocked.delete(path);
    else this.#blocked.add(path);
  }
}
