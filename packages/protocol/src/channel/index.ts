export { NetworkError } from "../network-error.ts";
export type { NetworkErrorCode, NetworkErrorOptions } from "../network-error.ts";
export { Connection } from "./connection.ts";
export { DEFAULT_LIMITS } from "./connection-options.ts";
export type {
  CarrierTraits,
  Channel,
  Channel as NetworkChannel,
  ConnectionLimits,
  ConnectionOptions,
  ConnectionOwner,
  ConnectionSink,
  ConnectionState,
  SendResult,
} from "./connection-options.ts";
export { ConnectionStats } from "./connection-stats.ts";
export type { Hello, HelloExtension } from "./hello.ts";
export { PacketBatcher } from "./packet-batcher.ts";
export { PacketFragmenter } from "./packet-fragmenter.ts";
export { ReliableUdp } from "./reliable-udp.ts";
