export { CallError } from "./call-error.ts";
export { AGE_BUCKET_MS, ClientStats } from "./client/client-stats.ts";
export { defineGame } from "./define-game.ts";
export type {
  AnyGame,
  GameDefinition,
  GameOptions,
  InputOf,
  Inputs,
  InputView,
  InterestOptions,
  ReceivedMessage,
  RoomClient,
  SnapshotsOptions,
  WorldOf,
} from "./define-game.ts";
export type { EntityPriorities } from "./entity-priority.ts";
export { GameClient } from "./game-client.ts";
export type { GameClientOptions } from "./client/client-options.ts";
export { Match } from "./match.ts";
export type { MatchOptions, RewindHistoryLimits, RewindHistoryReport } from "./match/match-options.ts";
export { MessageKind } from "./message-kind.ts";
export { defineCall, defineMessage } from "./message.ts";
export type { AnyMessage, CallDefinition, MessageDefinition, MessageOptions, ReplyOf, ValuesOf } from "./message.ts";
export type { CallFailure, CallOutcome, IncomingCall, MessageRouter } from "./message-router.ts";
export { outgoingMessage } from "./outgoing-queue.ts";
export type { MessageChannel, OutgoingMessage } from "./outgoing-queue.ts";
export type { TickRandom } from "./random.ts";
export type { InputStats, SeatInfo, SeatStats } from "./match/seat.ts";
export { lineOfSight } from "./sight.ts";
export type { LineOfSightOptions, Sight, StateSight } from "./sight.ts";
export { StaticGeometry } from "./statics/static-geometry.ts";
export type { MovablePoint } from "./statics/static-geometry.ts";
export type { BoxShape, CircleShape, ShapeHeights, StaticsOptions } from "./statics/shapes.ts";
export type { View, ViewBase, ViewOf, ViewTable } from "./client/view.ts";
export type { FieldsOf, States, Tables, World, WorldBase } from "./world.ts";
export type { WorldTable } from "./world-table.ts";
export type { RecordedInput, RecordedState } from "../prediction/input/record-reader.ts";
export type { InterpolationMode } from "../prediction/interpolation/interpolation-mode.ts";
