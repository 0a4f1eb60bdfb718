import type { NetworkError } from "@riposte/protocol";
import type { Channel, Connection } from "@riposte/protocol/channel";
import type { ComplianceHandlers } from "./carrier-harness.ts";

export interface RecordedMessage {
  readonly connection: Connection;
  readonly channel: Channel | "raw";
  readonly bytes: Uint8Array;
}

/** Handlers that write down everything they hear. */
export class Recorder implements ComplianceHandlers {
  readonly opened: Connection[] = [];
  readonly ended: { readonly connection: Connection; readonly error: NetworkError | undefined }[] = [];
  readonly messages: RecordedMessage[] = [];
  /** Messages that came before their connection was announced. */
  early = 0;
  /** Called after each message, to answer from within the handler. */
  onMessage: (message: RecordedMessage) => void = () => {};

  connected(connection: Connection): void {
    this.opened.push(connection);
  }

  disconnected(connection: Connection, error: NetworkError | undefined): void {
    this.ended.push({ connection, error });
  }

  message(connection: Connection, channel: Channel, buffer: Uint8Array, offset: number, length: number): void {
    this.#record({ connection, channel, bytes: buffer.slice(offset, offset + length) });
  }

  raw(connection: Connection, buffer: Uint8Array, offset: number, length: number): void {
    this.#record({ connection, channel: "raw", bytes: buffer.slice(offset, offset + length) });
  }

  /** Messages of one channel, in the order they came. */
  on(channel: Channel | "raw"): Uint8Array[] {
    return this.messages.filter((message) => message.channel === channel).map((message) => message.bytes);
  }

  #record(message: RecordedMessage): void {
    if (!this.opened.includes(message.connection)) this.early += 1;
    this.messages.push(message);
    this.onMessage(message);
  }
}
