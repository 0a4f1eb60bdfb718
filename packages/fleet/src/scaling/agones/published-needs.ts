/** What the leader wants of each Fleet: it writes that to the store, under a lease, and every balancer reads it there. */
import { isDeepStrictEqual } from "node:util";
import type { StateStore } from "../../store/state-store.ts";
import type { FleetNeed } from "./autoscale-review.ts";

export interface PublishedNeedsOptions {
  readonly store: Pick<StateStore, "put" | "watch" | "status">;
  readonly log: (line: string) => void;
}

const KEY = "scaling/agones";
/** Of who leads no more nothing is left after so long. */
const LEASE_MS = 60_000;
const RENEW_EVERY_MS = 20_000;
/** At once when it changes, but not more often. */
const PUT_EVERY_MS = 1000;
/** So long is what this balancer itself has said taken without the store. */
const OWN_FOR_MS = 5000;

export class PublishedNeeds {
  readonly #options: PublishedNeedsOptions;
  readonly #stopWatching: () => void;
  #read: ReadonlyMap<string, FleetNeed> = new Map();
  #own: { readonly needs: ReadonlyMap<string, FleetNeed>; readonly at: number } | undefined;
  #put: { readonly needs: ReadonlyMap<string, FleetNeed>; readonly at: number } | undefined;

  constructor(options: PublishedNeedsOptions) {
    this.#options = options;
    this.#stopWatching = options.store.watch(KEY, (event) => {
      if (("put" in event ? event.put.key : event.deleted) !== KEY) return;
      this.#read = "put" in event ? read(event.put.value) : new Map();
    });
  }

  /** Of a Fleet by its name; `undefined`: nothing is known, or nothing that is sure to be of now. */
  of(fleet: string, now: number): FleetNeed | undefined {
    if (this.#own !== undefined && now - this.#own.at < OWN_FOR_MS) return this.#own.needs.get(fleet);
    return this.#options.store.status === "connected" ? this.#read.get(fleet) : undefined;
  }

  /** By who leads, about once a second. */
  publish(needs: ReadonlyMap<string, FleetNeed>, now: number): void {
    this.#own = { needs, at: now };
    const passedMs = this.#put === undefined ? Infinity : now - this.#put.at;
    const isSame = this.#put !== undefined && isDeepStrictEqual(this.#put.needs, needs);
    if (passedMs < (isSame ? RENEW_EVERY_MS : PUT_EVERY_MS)) return;
    this.#put = { needs, at: now };
    const { store, log } = this.#options;
    store.put(KEY, JSON.stringify(Object.fromEntries(needs)), { leaseMs: LEASE_MS }).catch((error: unknown) => {
      log(`scaling: what is wanted of Agones cannot be told to other balancers now: ${String(error)}`);
    });
  }

  close(): void {
    this.#stopWatching();
  }
}

/** What another balancer has written; nothing of what is none of it. */
function read(text: string): ReadonlyMap<string, FleetNeed> {
  try {
    const entries = Object.entries(JSON.parse(text) as Record<string, FleetNeed>);
    return new Map(entries.filter(([, need]) => isNeed(need)));
  } catch {
    return new Map();
  }
}

function isNeed(need: unknown): boolean {
  if (typeof need !== "object" || need === null) return false;
  const { pending, draining, warm } = need as Partial<FleetNeed>;
  return [pending, draining, warm].every((count) => Number.isInteger(count) && count! >= 0);
}
