import type { UdpSocketCapabilities } from "@riposte/datapath";
import type { CarrierTraits } from "@riposte/protocol/channel";

/** netcode 1.02's largest payload, on every carrier. */
const MAX_PAYLOAD_BYTES = 1200;
/** IP and UDP headers. */
const HEADER_BYTES = { 4: 28, 6: 48 } as const;

/** Messages of a WebSocket are never larger: netcode's largest packet, and an id. */
export const MAX_WEBSOCKET_BYTES = 1232;

export const WEBSOCKET_TRAITS: CarrierTraits = {
  name: "websocket",
  maxPayloadBytes: MAX_PAYLOAD_BYTES,
  reliable: true,
};

const PLAIN_UDP_TRAITS: CarrierTraits = { name: "udp", maxPayloadBytes: MAX_PAYLOAD_BYTES, reliable: false };

/** Checks the option of that name and gives the largest UDP payload, at the smaller headers of IPv4. */
export function maxDatagramBytes(maxPacketBytes: number = 1500): number {
  if (!(Number.isInteger(maxPacketBytes) && maxPacketBytes >= 1280 && maxPacketBytes <= 9000)) {
    throw new RangeError(`maxPacketBytes must be an integer from 1280 to 9000, got ${maxPacketBytes}`);
  }
  return maxPacketBytes - HEADER_BYTES[4];
}

/** What UDP gives on the way to `host`. Where packets may be cut on their way, the path is not searched for larger ones. */
export function udpTraits(host: string, capabilities: UdpSocketCapabilities, maxPacketBytes = 1500): CarrierTraits {
  if (!capabilities.dontFragment) return PLAIN_UDP_TRAITS;
  return { ...PLAIN_UDP_TRAITS, path: { ipVersion: host.includes(":") ? 6 : 4, maxPacketBytes } };
}

/** Bytes of a slot that takes every datagram up to that size. */
export function slotBytesFor(datagramBytes: number): number {
  return datagramBytes <= 2048 ? 2048 : 9216;
}
