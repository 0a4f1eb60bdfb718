export type { CipherName } from "./ciphers.ts";
export type {
  AddressTable,
  Datapath,
  DatapathAead,
  DatapathCrypto,
  KeyOptions,
  PacketProtection,
  UdpSocket,
  UdpSocketCapabilities,
  UdpSocketOptions,
  UdpSocketStats,
} from "./datapath.ts";
export { openDatapath } from "./open-datapath.ts";
export { copyBytes } from "./copy-bytes.ts";
export { NO_KEY, PacketBatch } from "./packet-batch.ts";
export { nodeCrypto } from "./portable/node-crypto.ts";
