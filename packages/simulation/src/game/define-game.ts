/**
 * A game, said once: what its state and input are, how a player joins, and one `step` that is run
 * by the server, predicted by clients and replayed after corrections.
 */
import { schemaHash } from "../state/index.ts";
import type { AccessOf, Fields, InputDefinition, Row, RowIdentity, StateDefinition, Values } from "../state/index.ts";
import type { EventDefinition } from "../prediction/events/define-event.ts";
import { tablePredictions } from "../prediction/prediction-options.ts";
import type { PredictionOptions, TablePrediction } from "../prediction/prediction-options.ts";
import type { AbilityView } from "../prediction/abilities/inspect-abilities.ts";
import type { AnyMessage, ValuesOf } from "./message.ts";
import type { EntityPriorities } from "./entity-priority.ts";
import type { Sight } from "./sight.ts";
import { StaticGeometry } from "./statics/static-geometry.ts";
import type { StaticsOptions } from "./statics/shapes.ts";
import type { FieldsOf, States, World } from "./world.ts";

/** A player who has a seat in a room. */
export interface RoomClient {
  /** The seat: a small integer, unique in the room; the `owner` of its entities. */
  readonly id: number;
  /** Who it is, from the connect token. */
  readonly clientId: bigint;
  /** The game's own part of the token's user data. */
  readonly userData: Uint8Array;
}

/** The input of a tick, field by field. Read only; valid during the step. */
export type InputView<I extends Fields> = { readonly [K in keyof I]: AccessOf<I[K]> };

export interface Inputs<I extends Fields> {
  /** The input of the player who owns `row`; the neutral one when there is none. */
  of(row: RowIdentity): InputView<I>;
  /** Whether the owner of `row` is connected; on a client: whether it is this client, or one whose inputs are relayed. */
  isPresent(row: RowIdentity): boolean;
}

/** A message from a client, for `receive`: `if (message.is(Chat)) message.value.text`. */
export interface ReceivedMessage<M extends AnyMessage = AnyMessage> {
  readonly definition: M;
  readonly value: ValuesOf<M>;
  is<N extends AnyMessage>(definition: N): this is ReceivedMessage<N>;
}

export interface InterestOptions<S extends States = States> {
  /** Entities farther than this from a player's eye are not sent. Default: no limit. */
  readonly radius?: number;
  /**
   * The state that players look from, by name: the centre is the player's own entity of it (the first, until it is
   * gone), and stays where it was while there is none. Default: the state of the first entity with a
   * position that the player owned, which is what `join` spawned.
   */
  readonly eye?: string;
  /**
   * Server: whether a player sees an entity. One that it does not see is not sent, so that nothing can be read out of
   * the client; `lineOfSight()` is ready-made. Its own entities and states without a position are always sent. Default:
   * everything within the radius.
   */
  readonly visible?: (this: void, world: World<States>, sight: Sight) => boolean;
  /**
   * Server: by state, how much an entity matters to a player just now, `(world, sight) => factor`, for snapshots that have
   * no room for all that has changed. It multiplies the state's own `priority` and the nearness that counts anyway: what
   * has 2 comes twice as often as what has 1; what has 0, only when there is room left. Asked at most once for a player,
   * entity and snapshot, and only when room is short; not for a player's own entities, which go first, nor while it has
   * no place to look from. What has no position counts as being at the eye. A factor that is below 0 or not finite throws
   * `RangeError`: the player gets no snapshot. Default: 1.
   */
  readonly priority?: EntityPriorities<S>;
  /** How long an entity stays known after it was seen last, so that nothing flickers at corners. Default 250. */
  readonly lingerMs?: number;
  /** Most calls of `visible` for one player's snapshot; the rest is asked for in the next ones. Default 256. */
  readonly maxSightTests?: number;
}

export interface SnapshotsOptions {
  /**
   * "shared": encoded once for all clients that need the same, the least work for the server. "dense": a third fewer
   * bytes, made for each client alone: more processor time and memory for each of them. Default "shared".
   */
  readonly encoder?: "dense" | "shared";
}

/** What a game does, which its definition keeps as it was given. */
interface GameRules<S extends States, I extends Fields> {
  /** Server: a player has taken a seat. Spawn its entities here. */
  join(this: void, world: World<S>, client: RoomClient): void;
  /** Server: a player is gone for good (after the time it had to reconnect). Default: its entities are despawned. */
  leave?(this: void, world: World<S>, client: RoomClient): void;
  /** Server: a typed message came from a player. */
  receive?(this: void, world: World<S>, client: RoomClient, message: ReceivedMessage): void;
  /**
   * Makes an input what it may be, where ranges do not say it all (a direction is no longer than 1; who is dead does not
   * fire): changes the row. Called before every step, on the server and for its own input on the client, which so
   * predicts it. Must depend on nothing but its arguments.
   */
  sanitize?(this: void, input: Row<I>, seat: number): void;
  /**
   * Server: makes up the input of a tick that has none. `input` is the newest one known; `missed` counts such ticks in a
   * row, from 1. Default: it is repeated for a while, then neutral (`InputPolicy.repeatInputMs`).
   */
  idle?(this: void, input: Row<I>, missed: number, seat: number): void;
  /**
   * Server: an input came after its tick had been simulated, for which another one was made up (`idle`). It is too late to move
   * anybody; a shot in it can still be judged. Called once for each such input that is at most `lateInputMs` late, before the
   * step of the tick after it came, oldest first. Meanwhile `seenBy` of that seat's rows looks at the picture of this
   * input; `tick` is its own: give it to `HitRegistration.judge`. Default: such inputs are only counted.
   */
  late?(this: void, world: World<S>, input: InputView<I>, seat: number, tick: number): void;
  /**
   * Both sides: the abilities of a seat's player at the world's tick, for the debug channel: what `inspectAbilities` of the
   * player's row gives.
   */
  inspectAbilities?(this: void, world: World<S>, seat: number, tick: number): AbilityView | undefined;
  /** One tick: on the server for everybody, on a client for its own entities. Must depend on nothing but its arguments. */
  step(this: void, world: World<S>, inputs: Inputs<I>): void;
}

export interface GameOptions<S extends States, I extends Fields, M extends readonly AnyMessage[]> extends GameRules<
  S,
  I
> {
  /** Default "game". */
  readonly name?: string;
  /** Simulation steps a second. */
  readonly tickRate: number;
  /** Snapshots a second; a divisor of `tickRate`. Default half of it. */
  readonly snapshotRate?: number;
  /** A table for each; the name is the world's property. */
  readonly states: S;
  readonly input: InputDefinition<I>;
  /** Typed messages and calls; both sides number them in this order. */
  readonly messages?: M;
  /** Events that `step` emits; both sides number them in this order. */
  readonly events?: readonly EventDefinition[];
  /** Walls and the like. */
  readonly statics?: StaticsOptions | StaticGeometry;
  readonly interest?: InterestOptions<NoInfer<S>>;
  readonly snapshots?: SnapshotsOptions;
  /** Corrections of a client's own entities farther than this, in world units, are drawn at once and do not fade. Default 4. */
  readonly snapDistance?: number;
  /** The same for angles and rotations, in radians. Default a right angle. */
  readonly snapAngle?: number;
  /**
   * In which half of the difference fades that late news make in the picture of others, in milliseconds; 0: none does, they
   * leap. Both sides know it, because shots are judged by what was drawn. Default 60.
   */
  readonly slideHalfLifeMs?: number;
  /** What clients predict beyond their own entities. Default: nothing. */
  readonly prediction?: PredictionOptions<NoInfer<S>>;
}

export interface GameDefinition<
  S extends States = States,
  I extends Fields = Fields,
  M extends readonly AnyMessage[] = readonly AnyMessage[],
> extends GameRules<S, I> {
  readonly name: string;
  readonly tickRate: number;
  readonly tickMs: number;
  readonly snapshotRate: number;
  /** Ticks from one snapshot to the next. */
  readonly snapshotTicks: number;
  readonly states: S;
  readonly input: InputDefinition<I>;
  readonly messages: M;
  readonly events: readonly EventDefinition[];
  readonly statics: StaticGeometry;
  readonly interest: InterestOptions<S>;
  readonly snapshots: Required<SnapshotsOptions>;
  readonly snapDistance: number;
  readonly snapAngle: number;
  readonly slideHalfLifeMs: number;
  readonly prediction: PredictionOptions<S>;
  /** By place in `states`. */
  readonly tablePredictions: readonly TablePrediction[];
  /** 8 bytes over everything that both sides must agree on. */
  readonly schemaHash: Uint8Array;
}

/** Any game, as an upper bound: `<G extends AnyGame>`. */
export type AnyGame = GameDefinition;

/** The plain values of one input of a game. */
export type InputOf<G extends AnyGame> = Values<FieldsOf<G["input"]>>;

export type WorldOf<G extends AnyGame> = World<G["states"]>;

export function defineGame<
  const S extends Readonly<Record<string, StateDefinition>>,
  I extends Fields,
  const M extends readonly AnyMessage[] = readonly [],
>(options: GameOptions<S, I, M>): GameDefinition<S, I, M | readonly []> {
  const { tickRate, states, input } = options;
  if (!(Number.isInteger(tickRate) && tickRate >= 1 && tickRate <= 1000))
    throw new RangeError(`tickRate must be an integer from 1 to 1000, got ${tickRate}`);
  const snapshotRate = options.snapshotRate ?? (tickRate % 2 === 0 ? tickRate / 2 : tickRate);
  const snapshotTicks = tickRate / snapshotRate;
  if (!Number.isInteger(snapshotTicks))
    throw new RangeError(`snapshotRate must divide tickRate ${tickRate}, got ${snapshotRate}`);
  const messages = options.messages ?? [];
  checkNames("messages", messages);
  const prediction: PredictionOptions<S> = options.prediction ?? {};
  const events = options.events ?? [];
  checkNames("events", events);
  const interest: InterestOptions<S> = options.interest ?? {};
  checkInterest(interest, states);
  const snapDistance = options.snapDistance ?? 4;
  if (!(snapDistance >= 0)) throw new RangeError(`snapDistance must not be negative, got ${snapDistance}`);
  const snapAngle = options.snapAngle ?? Math.PI / 2;
  if (!(snapAngle >= 0)) throw new RangeError(`snapAngle must not be negative, got ${snapAngle}`);
  const slideHalfLifeMs = options.slideHalfLifeMs ?? 60;
  if (!(slideHalfLifeMs >= 0)) throw new RangeError(`slideHalfLifeMs must not be negative, got ${slideHalfLifeMs}`);
  const statics = options.statics instanceof StaticGeometry ? options.statics : new StaticGeometry(options.statics);
  return {
    name: options.name ?? "game",
    tickRate,
    tickMs: 1000 / tickRate,
    snapshotRate,
    snapshotTicks,
    states,
    input,
    messages,
    events,
    statics,
    interest,
    snapshots: resolveSnapshots(options.snapshots ?? {}),
    snapDistance,
    snapAngle,
    slideHalfLifeMs,
    prediction,
    tablePredictions: tablePredictions(prediction, states),
    schemaHash: schemaHash(
      tickRate,
      states,
      Object.values(states).map((state) => state.capacity),
      input,
      messages.map(describeMessage),
      ...(prediction.spawns === undefined && prediction.remote === undefined
        ? []
        : [prediction.spawns ?? [], prediction.remote?.state ?? ""]),
      ...(events.length === 0 ? [] : [events.map(({ name, channel, record }) => [name, channel, record])]),
    ),
    join: options.join,
    ...given(options, ["leave", "receive", "sanitize", "idle", "late", "inspectAbilities"]),
    step: options.step,
  };
}

/** Those of the members that are there. */
function given<T extends object, K extends keyof T>(from: T, names: readonly K[]): Partial<Pick<T, K>> {
  const found: Partial<Pick<T, K>> = {};
  for (const name of names) if (from[name] !== undefined) found[name] = from[name];
  return found;
}

function checkNames(what: string, list: readonly { readonly name: string }[]): void {
  if (list.length > 255) throw new RangeError(`a game has at most 255 ${what}, got ${list.length}`);
  if (new Set(list.map(({ name }) => name)).size !== list.length)
    throw new RangeError(`two ${what} have the same name`);
}

function resolveSnapshots({ encoder = "shared" }: SnapshotsOptions): Required<SnapshotsOptions> {
  if (encoder !== "dense" && encoder !== "shared")
    throw new RangeError(`snapshots.encoder must be "dense" or "shared", got ${String(encoder)}`);
  return { encoder };
}

function checkInterest<S extends States>(interest: InterestOptions<S>, states: States): void {
  const { radius, eye, priority = {}, lingerMs = 0, maxSightTests = 1 } = interest;
  for (const name of Object.keys(priority))
    if (!Object.hasOwn(states, name)) throw new RangeError(`interest.priority: there is no state "${name}"`);

  if (!(lingerMs >= 0)) throw new RangeError(`interest.lingerMs must be at least 0, got ${lingerMs}`);
  if (!(Number.isInteger(maxSightTests) && maxSightTests >= 1))
    throw new RangeError(`interest.maxSightTests must be an integer from 1, got ${maxSightTests}`);
  if (radius !== undefined && !(radius > 0 && radius < Infinity))
    throw new RangeError(`interest.radius must be above 0, got ${radius}`);
  if (eye === undefined) return;
  const state = Object.hasOwn(states, eye) ? states[eye] : undefined;
  if (state === undefined || state.position.length === 0)
    throw new RangeError(`interest.eye must be the name of a state that has a position, got "${eye}"`);
}

function describeMessage(message: AnyMessage): readonly unknown[] {
  return message.kind === "message"
    ? [message.name, message.channel, message.record]
    : [message.name, message.channel, message.record, message.replyRecord];
}
