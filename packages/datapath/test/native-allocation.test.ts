/** Nothing is allocated per packet on JavaScript's side: bytes counted over 100,000 packets. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { packageFolder, runNode } from "./child.ts";
import { skipNative } from "./forms.ts";

test(
  "100,000 packets each way are sealed, sent, received and opened without an object",
  { skip: skipNative },
  async (t) => {
    const young = ["--max-semi-space-size=128", "--min-semi-space-size=128"];
    const { status, output } = await runNode([...young, join(packageFolder, "test/children/allocation.child.ts")]);
    assert.equal(status, 0, output);
    t.diagnostic(output.trim());
    const { packets, opened, batches, bytes, wakeups } = JSON.parse(output) as Result;
    assert.ok(packets >= 100_000);
    assert.equal(opened, packets * (5 + bytes.length + wakeups.length));
    // One object for each batch would be tens of thousands.
    const least = Math.min(...bytes);
    assert.ok(least < 2000, `${least} bytes for ${packets} packets`);
    // Nor for a turn of the event loop, but for what Node itself may need (56 bytes in version 24, none in 26).
    const leastWakeups = Math.min(...wakeups);
    assert.ok(leastWakeups / batches < 100, `${leastWakeups / batches} bytes for a wake-up`);
  },
);

interface Result {
  readonly packets: number;
  readonly opened: number;
  readonly batches: number;
  /** One sample each. */
  readonly bytes: readonly number[];
  readonly wakeups: readonly number[];
}
