/** Structured events of a server, the newest few thousand of them. */

import { toJson } from "./json.ts";

export interface LoggedEvent {
  /** Monotonic milliseconds. */
  readonly at: number;
  readonly name: string;
  /** As JSON; empty without details. */
  readonly details: string;
}

/** What an event says beside its name. Anything that JSON can hold; `bigint`s become strings. */
export type EventDetails = string | Readonly<Record<string, unknown>>;

/** Longer details are cut. */
const MAX_DETAIL_CHARS = 2048;
const MAX_NAME_CHARS = 128;
/** Names that are counted apart. */
const MAX_NAMES = 1000;
const OTHER_NAMES = "(other)";

export class EventLog {
  /** How often each name was logged, the events that are gone included. */
  readonly counts: Map<string, number> = new Map();
  readonly #events: LoggedEvent[] = [];
  readonly #capacity: number;
  #total = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Events logged so far. */
  get total(): number {
    return this.#total;
  }

  add(name: string, details: EventDetails | undefined, at: number): void {
    const short = name.slice(0, MAX_NAME_CHARS);
    const event = { at, name: short, details: details === undefined ? "" : detailsJson(details) };
    this.#events[this.#total++ % this.#capacity] = event;
    const counted = this.counts.has(short) || this.counts.size < MAX_NAMES ? short : OTHER_NAMES;
    this.counts.set(counted, (this.counts.get(counted) ?? 0) + 1);
  }

  /** Oldest first. */
  events(): LoggedEvent[] {
    const start = this.#total > this.#capacity ? this.#total % this.#capacity : 0;
    return [...this.#events.slice(start), ...this.#events.slice(0, start)];
  }
}

function detailsJson(details: EventDetails): string {
  let text: string;
  try {
    text = toJson(details);
  } catch (error) {
    text = toJson({ notSerializable: String(error) });
  }
  return text.length <= MAX_DETAIL_CHARS ? text : toJson({ cut: text.slice(0, MAX_DETAIL_CHARS) });
}
