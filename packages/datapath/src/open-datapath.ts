import type { Datapath } from "./datapath.ts";
import { PortablePacketProtection } from "./portable/portable-packet-protection.ts";
import { PortableUdpSocket } from "./portable/portable-udp-socket.ts";

const portable: Datapath = {
  name: "portable",
  openUdpSocket: (options) => PortableUdpSocket.open(options),
  createPacketProtection: () => new PortablePacketProtection(),
};

/** The best datapath this runtime has; for now the portable one. */
export function openDatapath(): Datapath {
  return portable;
}
