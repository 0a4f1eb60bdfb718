import { StoreError } from "./state-store.ts";
import type { StateStore } from "./state-store.ts";

/** The same store, with each call that fails told to `note`. */
export function countStoreErrors(store: StateStore, note: (code: StoreError["code"]) => void): StateStore {
  const counted = async <R>(call: Promise<R>): Promise<R> => {
    try {
      return await call;
    } catch (error) {
      if (error instanceof StoreError) note(error.code);
      throw error;
    }
  };
  return {
    kind: store.kind,
    get status() {
      return store.status;
    },
    onStatus: (listener) => store.onStatus(listener),
    get: (key) => counted(store.get(key)),
    list: (prefix) => counted(store.list(prefix)),
    put: (key, value, options) => counted(store.put(key, value, options)),
    delete: (key) => counted(store.delete(key)),
    watch: (prefix, listener) => store.watch(prefix, listener),
    campaign: (name, candidate, leaseMs, listener) => store.campaign(name, candidate, leaseMs, listener),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}
