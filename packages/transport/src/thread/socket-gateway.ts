import type { Server } from "node:http";
import type { PacketBatch } from "@riposte/datapath";
import { threadOfPacket } from "@riposte/protocol/netcode";
import { listenWebSocket } from "../listen-transport.ts";
import type { ListenTransportOptions } from "../listen-transport.ts";
import type { WebSocketListener, WebSocketStats } from "../websocket-listener.ts";
import type { SocketFlags } from "./socket-flags.ts";
import type { ThreadLink } from "./thread-link.ts";

/** The game thread's WebSockets, whose datagrams go to the network threads and come from them. */
export class SocketGateway {
  readonly #links: readonly ThreadLink[];
  readonly #flags: SocketFlags;
  readonly #firstPath: number;
  readonly #listener: WebSocketListener;
  /** Paths that took no more when we looked last. */
  readonly #blocked = new Set<number>();

  constructor(http: Server, options: ListenTransportOptions, flags: SocketFlags, links: readonly ThreadLink[]) {
    this.#links = links;
    this.#flags = flags;
    this.#firstPath = links[0].firstSocketPath;
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
      const path = batch.path[i];
      this.#show(path);
      this.#linkOf(batch, i).datagram(path, batch.buffer, batch.offset[i], batch.length[i]);
    }
    for (const link of this.#links) link.publishNow();
  }

  /** The thread of the session that a packet names; else sockets take turns. */
  #linkOf(batch: PacketBatch, index: number): ThreadLink {
    const links = this.#links;
    if (links.length === 1) return links[0];
    const named = threadOfPacket(batch.buffer, batch.offset[index], batch.length[index]);
    return links[named] ?? links[(batch.path[index] - this.#firstPath) % links.length];
  }

  /** The number rests until all threads know, so that it means another socket to both sides at the same time. */
  #handleClosed(path: number): void {
    this.#blocked.delete(path);
    this.#flags.set(path - this.#firstPath, this.#listener.serialOf(path), false);
    for (const link of this.#links) {
      this.#listener.retain(path);
      link.serverCommand({ type: "pathClosed", path });
      link.publishNow();
    }
  }

  #handleWritable(): void {
    if (this.#blocked.size === 0) return;
    for (const path of this.#blocked) this.#show(path);
    for (const link of this.#links) {
      link.serverCommand({ type: "writable" });
      link.publishNow();
    }
  }

  #show(path: number): void {
    const writable = this.#listener.writable(path);
    this.#flags.set(path - this.#firstPath, this.#listener.serialOf(path), writable);
    if (writable) this.#blocked.delete(path);
    else this.#blocked.add(path);
  }
}
