import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { ManualClock } from "../../test/manual-clock.ts";
import { EmbeddedStore } from "./embedded-store.ts";
import { Leadership } from "./leadership.ts";
import { StoreError } from "./state-store.ts";
import type { PutOptions, StateStore, StoreEntry, StoreEvent } from "./state-store.ts";

const LEASE_MS = 1000;
const STEP_MS = 20;

/** A candidate's way to a store, which a test cuts; the store behind it may be lost, and be another one then. */
class Way implements Pick<StateStore, "get" | "put" | "watch"> {
  readonly #clock: ManualClock;
  readonly #stores: readonly [EmbeddedStore];
  cut = false;
  tell: (event: StoreEvent) => void = () => undefined;

  constructor(clock: ManualClock, stores: readonly [EmbeddedStore]) {
    this.#clock = clock;
    this.#stores = stores;
  }

  get(key: string): Promise<StoreEntry | undefined> {
    return this.#pass(() => this.#stores[0].get(key));
  }

  put(key: string, value: string, options?: PutOptions): Promise<StoreEntry | undefined> {
    return this.#pass(() => this.#stores[0].put(key, value, options));
  }

  /** Hears nothing when it is cut, also not later: candidates must do without. */
  watch(prefix: string, listener: (event: StoreEvent) => void): () => void {
    this.tell = listener;
    return this.#stores[0].watch(prefix, (event) => this.cut || listener(event));
  }

  /** There and back; cut on either way it takes until the call is given up. */
  async #pass<T>(call: () => Promise<T>): Promise<T> {
    await this.#trip();
    const result = await call();
    await this.#trip();
    return result;
  }

  async #trip(): Promise<void> {
    const delayMs = this.cut ? 300 : 5;
    const away = this.cut;
    await new Promise<void>((resolve) => this.#clock.after(delayMs, resolve));
    if (away) throw new StoreError("timeout", "cut");
  }
}

interface Candidate {
  readonly way: Way;
  readonly leadership: Leadership;
  readonly told: boolean[];
}

let lives = 0;

/** No two give the same revisions. */
function newStore(clock: ManualClock): Promise<EmbeddedStore> {
  return EmbeddedStore.open({ clock, firstRevision: 10_000 * ++lives });
}

async function candidates(count: number): Promise<{ clock: ManualClock; stores: [EmbeddedStore]; all: Candidate[] }> {
  const clock = new ManualClock();
  const stores: [EmbeddedStore] = [await newStore(clock)];
  const all = Array.from({ length: count }, (_, i): Candidate => {
    const way = new Way(clock, stores);
    const told: boolean[] = [];
    const leadership = new Leadership(way, {
      name: "scaling",
      candidate: String(i),
      leaseMs: LEASE_MS,
      clock,
      distrustsEmpty: true,
      listener: (leads) => told.push(leads),
    });
    return { way, leadership, told };
  });
  return { clock, stores, all };
}

async function until(clock: ManualClock, condition: () => boolean): Promise<number> {
  const started = clock.now();
  while (!condition()) {
    assert.ok(clock.now() - started < 20_000, condition.toString());
    await clock.advance(STEP_MS);
  }
  return clock.now() - started;
}

describe("leadership", () => {
  it("waits for a lease's length in an empty store: somebody may lead who is not in it any more", async () => {
    const { clock, all } = await candidates(1);
    const waitedMs = await until(clock, () => all[0].leadership.leads);
    assert.ok(waitedMs >= LEASE_MS && waitedMs < 1.5 * LEASE_MS, `${waitedMs} ms`);
    await clock.advance(10 * LEASE_MS);
    assert.deepEqual(all[0].told, [true]);
  });

  it("ends by the leader's own clock before the lease does, and goes on when the store is back in time", async () => {
    const { clock, stores, all } = await candidates(1);
    const [{ way, leadership, told }] = all;
    await until(clock, () => leadership.leads);
    way.cut = true;
    const ledMs = await until(clock, () => !leadership.leads);
    assert.ok(ledMs <= 0.9 * LEASE_MS, `${ledMs} ms`);
    assert.ok((await stores[0].get("leaders/scaling"))?.value.includes('"0"'));
    assert.deepEqual(told, [true, false]);
    way.cut = false;
    await until(clock, () => leadership.leads);
    way.cut = true;
    await clock.advance(LEASE_MS / 2);
    way.cut = false;
    await clock.advance(5 * LEASE_MS);
    assert.deepEqual(told, [true, false, true]);
  });

  it("passes on when a lease ends: nobody waits for a second one", async () => {
    const { clock, all } = await candidates(2);
    await until(clock, () => all.some(({ leadership }) => leadership.leads));
    const [first, second] = all[0].leadership.leads ? all : [all[1], all[0]];
    first.way.cut = true;
    const tookMs = await until(clock, () => second.leadership.leads);
    assert.ok(tookMs > 0.9 * LEASE_MS && tookMs < 2 * LEASE_MS, `${tookMs} ms`);
    assert.ok(!first.leadership.leads);
  });

  it("does not take a loss of the store for the end of a lease", async () => {
    const { clock, stores, all } = await candidates(2);
    await until(clock, () => all.some(({ leadership }) => leadership.leads));
    const [first, second] = all[0].leadership.leads ? all : [all[1], all[0]];
    stores[0] = await newStore(clock);
    first.way.cut = true;
    second.way.tell({ deleted: "leaders/scaling", revision: 0, lost: true });
    await until(clock, () => {
      assert.ok(!first.leadership.leads || !second.leadership.leads);
      return second.leadership.leads;
    });
  });

  it("knows without a timer that its time is over: a process may have been stopped", async () => {
    const { clock, all } = await candidates(1);
    await until(clock, () => all[0].leadership.leads);
    clock.jump(LEASE_MS);
    assert.ok(!all[0].leadership.leads);
    assert.deepEqual(all[0].told, [true]);
    await clock.advance(0);
    assert.deepEqual(all[0].told, [true, false]);
  });

  it("is never with two, whatever is cut, lost or stopped, and with one again when all is well", async () => {
    const fault = fc.record({
      candidate: fc.integer({ min: 0, max: 2 }),
      what: fc.constantFrom("cut", "mend", "lose", "close", "pause"),
      afterMs: fc.integer({ min: 0, max: 2500 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(fault, { minLength: 1, maxLength: 12 }), async (faults) => {
        const { clock, stores, all } = await candidates(4);
        const check = (): void => {
          const leaders = all.filter(({ leadership }) => leadership.leads).length;
          assert.ok(leaders <= 1, `${leaders} lead at ${clock.now()}`);
        };
        for (const { candidate, what, afterMs } of faults) {
          for (let passed = 0; passed < afterMs; passed += STEP_MS) {
            await clock.advance(STEP_MS);
            check();
          }
          if (what === "lose") stores[0] = await newStore(clock);
          else if (what === "close") void all[candidate].leadership.close();
          else if (what === "pause") clock.jump(afterMs);
          else all[candidate].way.cut = what === "cut";
          check();
        }
        for (const { way } of all) way.cut = false;
        await until(clock, () => {
          check();
          return all.some(({ leadership }) => leadership.leads);
        });
      }),
      { seed: 35, numRuns: 60 },
    );
  });
});
