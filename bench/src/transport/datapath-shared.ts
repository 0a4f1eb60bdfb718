/** Packets in a burst: as many as a batch holds. */
export const BURST = 64;
/** A sealed 64-byte payload. */
export const PACKET_BYTES = 80;
