/** Who is told of every packet of a connection: diagnostics. Costs nothing while there is none. */
export interface ConnectionTrace {
  /** One payload as it was written, before it is sealed; borrowed until return. */
  packetSent(packetNumber: number, buffer: Uint8Array, offset: number, length: number, now: number): void;
  /** One opened payload; length 0 stands for a keep-alive. */
  packetReceived(packetNumber: number, buffer: Uint8Array, offset: number, length: number, now: number): void;
  /** A packet was given up for lost. */
  packetLost(packetNumber: number, bytes: number, now: number): void;
}
