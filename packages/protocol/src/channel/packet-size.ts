/** Tag and prefix byte of a netcode payload packet (netcode 1.02). */
const TAG_AND_PREFIX_BYTES = 17;

/** Size on the wire of the netcode packet around a payload; the sequence takes as many bytes as it needs. */
export function netcodePacketBytes(payloadBytes: number, packetNumber: number): number {
  let sequenceBytes = 1;
  for (let rest = packetNumber; rest >= 256; rest /= 256) sequenceBytes++;
  return payloadBytes + TAG_AND_PREFIX_BYTES + sequenceBytes;
}

/** What names a session on any path, in the header of a client's packets, once migration is agreed on. */
export const SESSION_ID_BYTES = 4;
