export { NetworkError } from "../network-error.ts";
export type { NetworkErrorCode, NetworkErrorOptions } from "../network-error.ts";
export { Connection } from "./connection.ts";
export { DEFAULT_LIMITS } from "./connection-options.ts";
export type {
  BatchOptions,
  CarrierTraits,
  Channel,
  Channel as NetworkChannel,
  ConnectionExtensions,
  ConnectionLimits,
  ConnectionOptions,
  ConnectionOwner,
  ConnectionSink,
  ConnectionState,
  NegotiatedExtensions,
  PathTraits,
  SendOptions,
  SendResult,
} from "./connection-options.ts";
export { CHANNEL_COUNTERS, CONNECTION_COUNTERS, ChannelStats, ConnectionStats } from "./connection-stats.ts";
export type { RecoveryNumbers } from "./connection-stats.ts";
export type { ConnectionTrace } from "./connection-trace.ts";
export { DrainedWaiter } from "./drained-waiter.ts";
export type { GameConnection } from "./game-connection.ts";
export { checkCloseCode, checkMessage, checkRaw, checkRun } from "./checks.ts";
export { FrameReader } from "./frame-reader.ts";
export {
  FRAME_ACK,
  FRAME_CONNECTION_CLOSE,
  FRAME_CONNECTION_CLOSE_APPLICATION,
  FRAME_DATAGRAM,
  FRAME_DATA_BLOCKED,
  FRAME_FRAGMENT,
  FRAME_HELLO,
  FRAME_MAX_DATA,
  FRAME_ORDERED,
  FRAME_PATH_CHALLENGE,
  FRAME_PATH_RESPONSE,
  FRAME_PING,
  FRAME_STREAM,
} from "./frames.ts";
export type { Hello, HelloExtension } from "./hello.ts";
export { PacketBatcher } from "./packet-batcher.ts";
export { PacketFragmenter } from "./packet-fragmenter.ts";
export type { Reassembly } from "./packet-fragmenter.ts";
export { laneOf, QosManager, QosSettings } from "./qos-manager.ts";
export type { ChannelQos, QosOverrides } from "./qos-manager.ts";
export { netcodePacketBytes, SESSION_ID_BYTES } from "./packet-size.ts";
export { ReassemblyPool } from "./reassembly-pool.ts";
export { ReliableUdp } from "./reliable-udp.ts";
