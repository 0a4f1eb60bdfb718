/** The embedded store as every store: in memory, and on disk. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EmbeddedStore } from "../src/store/embedded-store.ts";
import { ManualClock } from "./manual-clock.ts";
import { testStore } from "./store-compliance.ts";
import type { StoreSubject } from "./store-compliance.ts";

testStore("embedded store in memory", () => makeSubject(undefined));
testStore("embedded store on disk", async () => makeSubject(await mkdtemp(join(tmpdir(), "riposte-store-"))));

async function makeSubject(directory: string | undefined): Promise<StoreSubject> {
  const clock = new ManualClock();
  const store = await EmbeddedStore.open({
    ...(directory === undefined ? {} : { directory }),
    clock,
    timeoutMs: 1e9,
    compactAboveBytes: 4096,
  });
  return {
    store,
    other: store,
    now: () => clock.now(),
    // The disk is real, the clock is not: it stands until what was begun is on the disk, and what follows from that.
    async tick() {
      for (let i = 0; i < 3; i++) await store.delete("nothing");
      await clock.advance(20);
    },
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      if (directory !== undefined) await rm(directory, { recursive: true });
    },
  };
}
