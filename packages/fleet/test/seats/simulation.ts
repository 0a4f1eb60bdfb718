/**
 * Processes and a network between them on a virtual clock, from one seed: messages are lost, doubled, late and overtake each
 * other; processes are killed, started anew and stopped for a while; links are cut.
 */
import { Random } from "@riposte/protocol";

interface Due {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

export interface NetworkQuality {
  /** Of messages, one way. */
  readonly lossRate: number;
  readonly duplicateRate: number;
  /** Of messages that take up to `slowMs`. The others take 1 to 40 ms. */
  readonly slowRate: number;
  readonly slowMs: number;
}

export class Simulation {
  readonly random: Random;
  readonly quality: NetworkQuality;
  now = 0;
  readonly #due: Due[] = [];
  #order = 0;
  readonly #cut = new Set<string>();

  constructor(seed: number, quality: NetworkQuality) {
    this.random = new Random(seed);
    this.quality = quality;
  }

  after(ms: number, run: () => void): void {
    const heap = this.#due;
    const due = { at: this.now + ms, order: this.#order++, run };
    let i = heap.push(due) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (isBefore(heap[parent], due)) break;
      heap[i] = heap[parent];
      i = parent;
    }
    heap[i] = due;
  }

  runUntil(time: number): void {
    while (this.#due.length > 0 && this.#due[0].at <= time) {
      const { at, run } = this.#pop();
      this.now = at;
      run();
    }
    this.now = time;
  }

  between(low: number, high: number): number {
    return low + this.random.next() * (high - low);
  }

  /** One way; arrives once, twice or never, sooner or later. */
  send(from: Process, to: Process, deliver: () => void): void {
    const { lossRate, duplicateRate } = this.quality;
    if (this.isCut(from, to)) return;
    if (!this.random.chance(lossRate)) this.after(this.#delayMs(), () => to.run(deliver));
    if (this.random.chance(duplicateRate)) this.after(this.#delayMs(), () => to.run(deliver));
  }

  /** Asks and hears, or gives up after a while; only the first of both counts. What comes later goes to `late`. */
  request<T>(
    from: Process,
    to: Process,
    timeoutMs: number,
    serve: (reply: (value: T) => void) => void,
    done: (value: T | undefined) => void,
    late?: (value: T) => void,
  ): void {
    let isOver = false;
    const finish = (value: T | undefined): void => {
      if (isOver) {
        if (value !== undefined) late?.(value);
        return;
      }
      isOver = true;
      done(value);
    };
    this.send(from, to, () => {
      const { incarnation } = to;
      serve((value) => {
        if (to.incarnation === incarnation) this.send(to, from, () => finish(value));
      });
    });
    from.after(timeoutMs, () => {
      if (!isOver) finish(undefined);
    });
  }

  cut(a: Process, b: Process): void {
    this.#cut.add(`${a.id} ${b.id}`).add(`${b.id} ${a.id}`);
  }

  mend(): void {
    this.#cut.clear();
  }

  isCut(a: Process, b: Process): boolean {
    return this.#cut.has(`${a.id} ${b.id}`);
  }

  #delayMs(): number {
    const { slowRate, slowMs } = this.quality;
    return this.random.chance(slowRate) ? this.between(40, slowMs) : this.between(1, 40);
  }

  #pop(): Due {
    const heap = this.#due;
    const first = heap[0];
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1], heap[child])) child++;
      if (isBefore(last, heap[child])) break;
      heap[i] = heap[child];
      i = child;
    }
    heap[i] = last;
    return first;
  }
}

/** Something with a clock of its own that can be stopped and killed. */
export class Process {
  readonly id: string;
  readonly sim: Simulation;
  state: "up" | "frozen" | "dead" = "up";
  /** Counts its starts. */
  incarnation = 0;
  diedAt = Infinity;
  readonly #clockOffset: number;
  readonly #clockRate: number;
  #backlog: (() => void)[] = [];

  constructor(id: string, sim: Simulation) {
    this.id = id;
    this.sim = sim;
    this.#clockOffset = sim.between(0, 1e6);
    // 100 ppm off, as quartz may be.
    this.#clockRate = 1 + sim.between(-1e-4, 1e-4);
  }

  /** By its own clock, which runs on while it is stopped. */
  get now(): number {
    return this.#clockOffset + this.sim.now * this.#clockRate;
  }

  /** Now, or when it goes on; never when it is dead. */
  run(action: () => void): void {
    if (this.state === "up") action();
    else if (this.state === "frozen") this.#backlog.push(action);
  }

  /** Unless it died meanwhile. */
  after(ms: number, action: () => void): void {
    const { incarnation } = this;
    this.sim.after(ms, () => {
      this.run(() => {
        if (this.incarnation === incarnation) action();
      });
    });
  }

  every(ms: number, action: () => void): void {
    this.after(ms, () => {
      action();
      this.every(ms, action);
    });
  }

  freeze(): void {
    if (this.state === "up") this.state = "frozen";
  }

  thaw(): void {
    if (this.state !== "frozen") return;
    this.state = "up";
    const backlog = this.#backlog;
    this.#backlog = [];
    for (const action of backlog) action();
  }

  kill(): void {
    if (this.state !== "dead") this.diedAt = this.sim.now;
    this.state = "dead";
    this.#backlog = [];
  }

  /** A new process of the same id; the caller sets it up. */
  restart(): void {
    this.incarnation++;
    this.state = "up";
    this.diedAt = Infinity;
  }
}

function isBefore(a: Due, b: Due): boolean {
  return a.at === b.at ? a.order < b.order : a.at < b.at;
}
