/** The server: rooms, the game loop, the local token service. */

export { listen } from "./listen.ts";
export type { ListenOptions, MatchOptions } from "./options.ts";
export type { IssueTokenOptions, PlainPeerHandlers, Server, ServerError, ServerEvents, ServerStats } from "./server.ts";
export type { CallHandler, MessageHandler, Room, RoomError, RoomEvents, RoomStats } from "./room.ts";
export type { Client } from "./room-client.ts";
export { CallError } from "@riposte/simulation/game";
export type { InputStats } from "@riposte/simulation/game";
export type { Unsubscribe } from "@riposte/protocol";
export type { MessageLimitOptions } from "./message-limit.ts";
export type { AddressRateLimiterOptions } from "./http/address-rate-limiter.ts";
export type { JoinRefusal, JoinReply } from "./http/join-service.ts";
export type { TickLoopStats } from "./loop/tick-loop.ts";
export type { DurationSummary } from "./loop/duration-histogram.ts";
