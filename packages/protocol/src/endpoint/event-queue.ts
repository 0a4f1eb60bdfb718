import type { EndpointEvent } from "./endpoint.ts";

/** Events waiting for `pollEvent`. They are rare: a few for each admission. */
export class EventQueue {
  #events: EndpointEvent[] = [];
  #head = 0;

  push(event: EndpointEvent): void {
    this.#events.push(event);
  }

  shift(): EndpointEvent | undefined {
    const event = this.#events[this.#head];
    if (event === undefined) return undefined;
    if (++this.#head === this.#events.length) {
      this.#events = [];
      this.#head = 0;
    }
    return event;
  }
}
