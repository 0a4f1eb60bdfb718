/** What abilities do that a player sees or hears. A client's prediction may be wrong: who listens plays each once and takes back what was undone. */
import type { RowIdentity } from "../../state/index.ts";

export type AbilityEventKind =
  | "castStarted"
  | "castCancelled"
  /** An ability took effect: at once, or when its cast was through. */
  | "activated"
  | "effectApplied"
  | "effectTicked"
  | "effectEnded";

export interface AbilityEvent {
  readonly kind: AbilityEventKind;
  /** Of the ability or the effect. */
  readonly name: string;
  readonly row: RowIdentity;
  readonly tick: number;
  /** Stacks of the effect; 1 for abilities. */
  readonly stacks: number;
}

/** Hears of events in every step, replays included. The same step of the same tick says the same. */
export interface AbilityEventSink {
  /** The event is reused: read it at once. */
  emit(event: AbilityEvent): void;
}

/** Tells a sink of the events of one table; nobody while there is none. */
export class AbilityEmitter {
  sink: AbilityEventSink | undefined;
  readonly #event: Writable<AbilityEvent> = { kind: "activated", name: "", row: NOBODY, tick: -1, stacks: 1 };

  emit(kind: AbilityEventKind, name: string, row: RowIdentity, tick: number, stacks: number): void {
    if (this.sink === undefined) return;
    const event = this.#event;
    event.kind = kind;
    event.name = name;
    event.row = row;
    event.tick = tick;
    event.stacks = stacks;
    this.sink.emit(event);
  }
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

const NOBODY: RowIdentity = { id: -1, owner: -1, index: -1 };
