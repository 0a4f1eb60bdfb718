/** Who listens to a server's network, and what it hears. */

/**
 * - `connecting`: the client has a seat; its hello is outstanding
 * - `connected`: usable
 * - `interrupted`: no path leads to the peer for the moment; the session waits for another one
 * - `migrated`: told when it goes on by another path, on the same carrier or another; the connection is `connected` then
 * - `closing`: this side ends it; what was accepted, or a goodbye, is still on its way
 * - `disconnected`: over, or it never became usable
 */
export type ConnectionStatus = "connecting" | "connected" | "interrupted" | "migrated" | "closing" | "disconnected";

/** One packet's payload, opened, as frames; one record, reused: borrowed until return. */
export interface NetworkPacket {
  readonly connectionId: number;
  readonly packetNumber: number;
  /** The payload is `buffer[offset, offset + length)`; length 0 stands for a keep-alive that was received. */
  readonly buffer: Uint8Array;
  readonly offset: number;
  readonly length: number;
  /** Monotonic milliseconds. */
  readonly at: number;
}

/**
 * Every method is optional. One that throws, or returns a promise that rejects, is reported (at most once a
 * second for each method) and hurts neither the connection nor other listeners. Packets are traced only while
 * some listener has a method for them.
 */
export interface NetworkEventListener {
  /** `bytesSent` is the whole packet: header, number, payload and tag, without IP and UDP. */
  onPacketSent?(packet: NetworkPacket, bytesSent: number): unknown;
  onPacketReceived?(packet: NetworkPacket, bytesReceived: number): unknown;
  onConnectionStatusChanged?(connectionId: number, status: ConnectionStatus): unknown;
  /** A connection ended because of an error, or never became usable. */
  onNetworkError?(connectionId: number, message: string): unknown;
}

/** Hears of what a listener threw; `repeated` reports were left out since the last one. */
export type ListenerErrorReport = (during: string, error: unknown, repeated: number) => void;
