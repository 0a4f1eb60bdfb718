import type { CarrierTraits } from "@riposte/protocol/channel";

/** netcode 1.02's largest payload, on every carrier. */
const MAX_PAYLOAD_BYTES = 1200;
/** The largest netcode packet: a payload with prefix, sequence and tag. */
export const MAX_PACKET_BYTES = 1300;

export const UDP_TRAITS: CarrierTraits = { name: "udp", maxPayloadBytes: MAX_PAYLOAD_BYTES, reliable: false };
export const WEBSOCKET_TRAITS: CarrierTraits = {
  name: "websocket",
  maxPayloadBytes: MAX_PAYLOAD_BYTES,
  reliable: true,
};
