import type { GameConnection, ConnectionTrace } from "@riposte/protocol/channel";
import type { ListenerSet } from "./listener-set.ts";

const NOTHING = new Uint8Array(0);

/** Tells the listeners of one connection's packets, by one record. */
export class PacketNotifier implements ConnectionTrace {
  readonly #listeners: ListenerSet;
  readonly #connection: GameConnection;
  readonly #packet: {
    readonly connectionId: number;
    packetNumber: number;
    buffer: Uint8Array;
    offset: number;
    length: number;
    at: number;
  };

  constructor(connectionId: number, connection: GameConnection, listeners: ListenerSet) {
    this.#listeners = listeners;
    this.#connection = connection;
    this.#packet = { connectionId, packetNumber: 0, buffer: NOTHING, offset: 0, length: 0, at: 0 };
  }

  packetSent(packetNumber: number, buffer: Uint8Array, offset: number, length: number, now: number): void {
    this.#fill(packetNumber, buffer, offset, length, now);
    this.#listeners.packetSent(this.#packet, this.#connection.packetBytes(length, packetNumber, false));
  }

  packetReceived(packetNumber: number, buffer: Uint8Array, offset: number, length: number, now: number): void {
    this.#fill(packetNumber, buffer, offset, length, now);
    this.#listeners.packetReceived(this.#packet, this.#connection.packetBytes(length, packetNumber, true));
  }

  packetLost(): void {
    // Listeners hear of losses by the statistics.
  }

  #fill(packetNumber: number, buffer: Uint8Array, offset: number, length: number, now: number): void {
    const packet = this.#packet;
    packet.packetNumber = packetNumber;
    packet.buffer = buffer;
    packet.offset = offset;
    packet.length = length;
    packet.at = now;
  }
}
