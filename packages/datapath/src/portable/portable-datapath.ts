import { readFileSync } from "node:fs";
import { preferredCipher } from "../ciphers.ts";
import type { Datapath } from "../datapath.ts";
import { PortableAddressTable } from "./portable-address-table.ts";
import { PortablePacketProtection } from "./portable-packet-protection.ts";
import { PortableUdpSocket } from "./portable-udp-socket.ts";

const DEFAULT_PATHS = 32_768;

/** node:dgram and node:crypto: everywhere Node runs. */
export const portableDatapath: Datapath = {
  name: "portable",
  get preferredCipher() {
    return preferredCipher(hasAesInstructions());
  },
  createAddressTable: (capacity = DEFAULT_PATHS) => new PortableAddressTable(capacity),
  openUdpSocket: (options) => PortableUdpSocket.open(options),
  createPacketProtection: () => new PortablePacketProtection(),
};

/** Node does not say; Linux does, and elsewhere every processor that runs Node has them. */
function hasAesInstructions(): boolean {
  try {
    return (
      process.platform !== "linux" || /^(?:flags|Features)\b.*\baes\b/m.test(readFileSync("/proc/cpuinfo", "utf8"))
    );
  } catch {
    return false;
  }
}
