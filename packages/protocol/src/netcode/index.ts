export { addressesEqual, formatAddress, parseAddress } from "./address.ts";
export type { NetcodeAddress } from "./address.ts";
export { NetcodeClient } from "./client.ts";
export type { NetcodeClientHandler, NetcodeClientOptions, NetcodeClientState } from "./client-options.ts";
export { generateConnectToken, readConnectToken, writeConnectToken } from "./connect-token.ts";
export type { ConnectToken, ConnectTokenOptions } from "./connect-token.ts";
export {
  CONNECT_TOKEN_BYTES,
  KEY_BYTES,
  MAX_CLIENTS,
  MAX_PACKET_BYTES,
  MAX_PAYLOAD_BYTES,
  MAX_SERVER_ADDRESSES,
  NETCODE_VERSION_INFO,
  REPLAY_WINDOW,
  REQUEST_PACKET_BYTES,
  TAG_BYTES,
  USER_DATA_BYTES,
} from "./constants.ts";
export { Deadlines } from "../deadlines.ts";
export { NetcodeDrops } from "./drops.ts";
export { nobleCrypto } from "./noble-crypto.ts";
export { ReadyRing } from "./ready-ring.ts";
export { ReplayProtection } from "./replay-protection.ts";
export { NetcodeServer } from "./server.ts";
export type { NetcodeServerHandler, NetcodeServerOptions, ServerDisconnectReason } from "./server-options.ts";
export type { ServerSession } from "./server-session.ts";
export { MAX_THREADS, threadOfPacket } from "./shared-admission.ts";
export type { SharedAdmission } from "./shared-admission.ts";
export { SoftwareKeys } from "./software-keys.ts";
export { GAME_DATA_BYTES, MAX_ROOM_BYTES, readUserData, writeUserData } from "./user-data.ts";
export type { ParsedUserData, UserData } from "./user-data.ts";
