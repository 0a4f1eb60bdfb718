/** The rooms of one server: opens, closes and sweeps them, and sees that handlers for all rooms reach those made later. */

import type { Unsubscribe } from "@riposte/protocol";
import type { AnyGame, CallDefinition, MessageDefinition } from "@riposte/simulation/game";
import type { Fields } from "@riposte/simulation/state";
import type { GameRoom } from "./game-room.ts";
import { isRoomName } from "./room-name.ts";
import type { CallHandler, MessageHandler } from "./room.ts";

export interface RoomRegistryOptions<G extends AnyGame> {
  readonly maxRooms: number;
  /** How long a room made on demand may be empty. */
  readonly emptyRoomMs: number;
  readonly create: (name: string, onDemand: boolean) => GameRoom<G>;
  readonly created: (room: GameRoom<G>) => void;
  readonly closed: (room: GameRoom<G>, reason: string) => void;
}

const SWEEP_INTERVAL_MS = 1000;

export class RoomRegistry<G extends AnyGame> {
  readonly #options: RoomRegistryOptions<G>;
  readonly #rooms: Map<string, GameRoom<G>> = new Map();
  /** Applied to every room that is made. */
  readonly #perRoom: Set<(room: GameRoom<G>) => void> = new Set();
  #nextSweepAt = 0;

  constructor(options: RoomRegistryOptions<G>) {
    this.#options = options;
  }

  /** By name. */
  get rooms(): ReadonlyMap<string, GameRoom<G>> {
    return this.#rooms;
  }

  get full(): boolean {
    return this.#rooms.size >= this.#options.maxRooms;
  }

  /** Throws `RangeError` when the name is taken or no name, or there are too many. */
  open(name: string, onDemand: boolean): GameRoom<G> {
    if (!isRoomName(name)) {
      throw new RangeError(
        `a room's name has up to 32 bytes of letters, digits, spaces and . _ : # -, got ${JSON.stringify(name)}`,
      );
    }
    if (this.#rooms.has(name)) throw new RangeError(`there is a room "${name}" already`);
    if (this.full) throw new RangeError(`this server has maxRooms = ${this.#options.maxRooms} rooms already`);
    const room = this.#options.create(name, onDemand);
    for (const apply of this.#perRoom) apply(room);
    this.#rooms.set(name, room);
    this.#options.created(room);
    return room;
  }

  /** False when there is none of that name. */
  close(name: string, reason: string, now: number): boolean {
    const room = this.#rooms.get(name);
    if (room === undefined) return false;
    this.#rooms.delete(name);
    room.close(reason, now);
    this.#options.closed(room, reason);
    return true;
  }

  /** Closes every room; they can still be looked at. */
  closeAll(reason: string, now: number): void {
    for (const room of this.#rooms.values()) {
      room.close(reason, now);
      this.#options.closed(room, reason);
    }
  }

  /** Once a second: closes the rooms made on demand in which nobody has been for long. */
  sweep(now: number): void {
    if (now < this.#nextSweepAt) return;
    this.#nextSweepAt = now + SWEEP_INTERVAL_MS;
    for (const { name, onDemand, emptySince } of this.#rooms.values()) {
      if (onDemand && now - (emptySince ?? now) > this.#options.emptyRoomMs) this.close(name, "nobody is here", now);
    }
  }

  onMessage<F extends Fields>(definition: MessageDefinition<F>, handler: MessageHandler<F>): Unsubscribe {
    // Weak: a closed room is kept by nothing here.
    const subscriptions = new WeakMap<GameRoom<G>, Unsubscribe>();
    const subscribe = (room: GameRoom<G>): void => void subscriptions.set(room, room.onMessage(definition, handler));
    this.#forEvery(subscribe);
    return () => {
      this.#perRoom.delete(subscribe);
      for (const room of this.#rooms.values()) subscriptions.get(room)?.();
    };
  }

  onCall<Q extends Fields, A extends Fields>(definition: CallDefinition<Q, A>, handler: CallHandler<Q, A>): void {
    this.#forEvery((room) => room.onCall(definition, handler));
  }

  #forEvery(apply: (room: GameRoom<G>) => void): void {
    for (const room of this.#rooms.values()) apply(room);
    this.#perRoom.add(apply);
  }
}
