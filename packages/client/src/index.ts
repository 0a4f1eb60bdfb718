/** The client, for browsers and Node from one import. */

export { CallError } from "@riposte/simulation/game";
export { connect } from "./connect.ts";
export type { ConnectOptions } from "./connect.ts";
export type { Unsubscribe } from "@riposte/protocol";
export type { OwnShot, SessionDebug } from "./session-debug.ts";
export type { CallHandler, Session, SessionEvents, SessionStats } from "./session.ts";
export { NetworkError } from "@riposte/protocol";
export type { NetworkErrorCode } from "@riposte/protocol";
export type { NetworkConditions } from "@riposte/protocol/simulator";
