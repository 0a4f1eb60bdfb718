/** What happens at a later time of the simulation: rare things, in the order of their times, then of their coming. */
export class EventQueue<Event> {
  readonly #times: number[] = [];
  readonly #orders: number[] = [];
  readonly #events: Event[] = [];
  #order = 0;

  get size(): number {
    return this.#events.length;
  }

  /** Infinity: nothing is left. */
  get nextAt(): number {
    return this.#times[0] ?? Infinity;
  }

  push(at: number, event: Event): void {
    let place = this.#events.length;
    this.#set(place, at, this.#order++, event);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!this.#isBefore(place, parent)) break;
      this.#swap(place, parent);
      place = parent;
    }
  }

  pop(): Event | undefined {
    const last = this.#events.length - 1;
    if (last < 0) return undefined;
    const first = this.#events[0];
    this.#swap(0, last);
    this.#times.pop();
    this.#orders.pop();
    this.#events.pop();
    for (let place = 0; ;) {
      const left = 2 * place + 1;
      if (left >= last) break;
      const child = left + 1 < last && this.#isBefore(left + 1, left) ? left + 1 : left;
      if (!this.#isBefore(child, place)) break;
      this.#swap(child, place);
      place = child;
    }
    return first;
  }

  #isBefore(a: number, b: number): boolean {
    return this.#times[a] === this.#times[b] ? this.#orders[a] < this.#orders[b] : this.#times[a] < this.#times[b];
  }

  #set(place: number, at: number, order: number, event: Event): void {
    this.#times[place] = at;
    this.#orders[place] = order;
    this.#events[place] = event;
  }

  #swap(a: number, b: number): void {
    const [time, order, event] = [this.#times[a], this.#orders[a], this.#events[a]];
    this.#set(a, this.#times[b], this.#orders[b], this.#events[b]);
    this.#set(b, time, order, event);
  }
}
