/**
 * Catches what a step may not call: functions whose result no seed decides (`Math.random`, the clock) and those that
 * engines compute to different last bits (`Math.sin`). While it watches, the globals are replaced by ones that count and
 * pass on; where that is forbidden (frozen globals) they stay and are not counted.
 *
 * `x ** y` cannot be watched: it is no call.
 */

/** A call that a game must not make in `join` or `step`. */
export interface EngineCall {
  /** As it is written: "Math.sin", "Date.now". */
  readonly name: string;
  /** Why: its results follow from no seed, or are not the same in every engine. */
  readonly reason: "random" | "engine";
  /** The tick of the first one; 0 while players join. */
  readonly tick: number;
  /** In the whole run. */
  readonly calls: number;
}

/** ECMAScript leaves their last bits to the engine. */
const APPROXIMATED =
  "acos acosh asin asinh atan atan2 atanh cbrt cos cosh exp expm1 hypot log log10 log1p log2 pow sin sinh tan tanh";
const RANDOM: readonly (readonly [object: string, key: string])[] = [
  ["Math", "random"],
  ["Date", "now"],
  ["performance", "now"],
  ["crypto", "getRandomValues"],
  ["crypto", "randomUUID"],
];

type Callable = (...values: unknown[]) => unknown;

export class EngineCalls {
  readonly #calls = new Map<string, { name: string; reason: EngineCall["reason"]; tick: number; calls: number }>();
  readonly #allowed: ReadonlySet<string>;
  #tick = 0;

  /** `allowed`: names that are not watched. */
  constructor(allowed: readonly string[]) {
    this.#allowed = new Set(allowed);
  }

  get found(): readonly EngineCall[] {
    return [...this.#calls.values()];
  }

  /** Runs `body`, which belongs to `tick`, with the globals watched. */
  watch(tick: number, body: () => void): void {
    this.#tick = tick;
    const undo: (() => void)[] = [];
    try {
      for (const key of APPROXIMATED.split(" ")) this.#replace(Math, "Math", key, "engine", undo);
      for (const [name, key] of RANDOM) this.#replace(globals[name], name, key, "random", undo);
      this.#replaceDate(undo);
      body();
    } finally {
      for (const restore of undo.toReversed()) restore();
    }
  }

  #replace(object: unknown, name: string, key: string, reason: EngineCall["reason"], undo: (() => void)[]): void {
    const path = `${name}.${key}`;
    if (this.#allowed.has(path) || !isObject(object)) return;
    const original = object[key];
    if (typeof original !== "function") return;
    const count = (): void => this.#count(path, reason);
    const watched = (...values: unknown[]): unknown => {
      count();
      return Reflect.apply(original as Callable, object, values);
    };
    define(object, key, watched, undo);
  }

  /** `new Date()` and `Date()`; a date of given numbers is no clock. */
  #replaceDate(undo: (() => void)[]): void {
    const original = globals["Date"];
    if (this.#allowed.has("Date") || typeof original !== "function") return;
    const count = (): void => this.#count("Date", "random");
    const watched = new Proxy(original, {
      apply(target, self, values: unknown[]): unknown {
        count();
        return Reflect.apply(target as Callable, self, values);
      },
      construct(target, values: unknown[], self): object {
        if (values.length === 0) count();
        return Reflect.construct(target, values, self) as object;
      },
    });
    define(globals, "Date", watched, undo);
  }

  #count(name: string, reason: EngineCall["reason"]): void {
    const known = this.#calls.get(name);
    if (known === undefined) this.#calls.set(name, { name, reason, tick: this.#tick, calls: 1 });
    else known.calls++;
  }
}

const globals = globalThis as unknown as Record<string, unknown>;

function define(object: Record<string, unknown>, key: string, value: unknown, undo: (() => void)[]): void {
  const before = Object.getOwnPropertyDescriptor(object, key);
  if (!Reflect.defineProperty(object, key, { value, writable: true, configurable: true, enumerable: false })) return;
  undo.push(() => {
    if (before === undefined) Reflect.deleteProperty(object, key);
    else Reflect.defineProperty(object, key, before);
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}
