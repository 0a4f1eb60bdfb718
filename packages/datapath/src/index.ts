export { AddressTable } from "./address-table.ts";
export type {
  Datapath,
  DatapathAead,
  DatapathCrypto,
  PacketProtection,
  UdpSocket,
  UdpSocketOptions,
  UdpSocketStats,
} from "./datapath.ts";
export { openDatapath } from "./open-datapath.ts";
export { NO_KEY, PacketBatch } from "./packet-batch.ts";
export { nodeCrypto } from "./portable/node-crypto.ts";
