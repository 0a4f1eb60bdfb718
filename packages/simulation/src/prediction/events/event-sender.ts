/** The server's side of events: numbers what a step emits and queues it for the players who may know. */
import type { Fields, RowIdentity, SnapshotStream, Values } from "../../state/index.ts";
import type { InterestEye } from "../../game/interest-eye.ts";
import type { MessagePeer } from "../../game/message-router.ts";
import type { AnyWorldTable } from "../../game/world.ts";
import type { EventDefinition } from "./define-event.ts";
import { EventOrdinals } from "./event-key.ts";
import type { EventKey } from "./event-key.ts";
import { EventWriter } from "./event-message.ts";
import { kindOf } from "./predicted-events.ts";

/** Whom events are for. */
export interface EventListenerSeat {
  readonly id: number;
  readonly connected: boolean;
  readonly peer: MessagePeer;
  readonly eye: InterestEye;
  readonly stream: SnapshotStream;
}

/**
 * Whether a player may know what happens to a row at `tick`: within `radius` of where it looks from, if there is a place
 * and a limit, and in its sight as far as snapshots ask for that.
 */
function mayKnow(
  { eye, stream }: EventListenerSeat,
  table: AnyWorldTable,
  ordinal: number,
  index: number,
  tick: number,
  radius: number,
): boolean {
  eye.update();
  const { positionX, positionY } = table;
  if (positionX !== undefined && positionY !== undefined && radius < Infinity)
    if (!eye.reaches(positionX[index], positionY[index], radius)) return false;
  return stream.sees(ordinal, index, tick);
}

export class EventSender {
  /** Events that were not sent to somebody because a queue was full, or because a tick had too many. */
  dropped = 0;
  readonly #definitions: readonly EventDefinition[];
  readonly #seats: readonly (EventListenerSeat | undefined)[];
  readonly #radius: number;
  readonly #ordinals = new EventOrdinals();
  readonly #writer = new EventWriter();
  #now = -1;
  readonly #key: EventKey = { tick: -1, kind: 0, table: 0, entity: 0, ordinal: 0 };

  /** `radius`: how near is near where an event does not say. */
  constructor(
    definitions: readonly EventDefinition[],
    seats: readonly (EventListenerSeat | undefined)[],
    radius: number,
  ) {
    this.#definitions = definitions;
    this.#seats = seats;
    this.#radius = radius;
  }

  /** `of`: the tick of the input that is judged late, if one is: its client has emitted its events there. */
  beginTick(tick: number, of: number = tick): void {
    this.#now = tick;
    this.#key.tick = of;
    this.#ordinals.reset();
  }

  emit(
    definition: EventDefinition,
    table: AnyWorldTable,
    ordinal: number,
    row: RowIdentity,
    value: Values<Fields>,
  ): void {
    const key = this.#key;
    key.kind = kindOf(this.#definitions, definition);
    key.table = ordinal;
    key.entity = table.identityOf(row);
    key.ordinal = this.#ordinals.next(key.kind, key.table, key.entity);
    if (key.ordinal < 0) {
      this.dropped++;
      return;
    }
    const length = this.#writer.write(definition, key, row.id, value);
    const { audience, radius = this.#radius } = definition;
    const { owner, index } = row;
    for (const seat of this.#seats) {
      if (seat === undefined || !seat.connected) continue;
      if (seat.id !== owner) {
        if (audience === "owner") continue;
        if (!mayKnow(seat, table, ordinal, index, this.#now, radius)) continue;
      }
      if (!seat.peer.queue.push(definition.channel, this.#writer.packet, 0, length)) this.dropped++;
    }
  }
}
