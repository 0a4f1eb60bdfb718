/** Nothing is allocated per packet in steady state, through all layers: sampled over 100,000 packets. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { openDatapath } from "@riposte/datapath";

const CHILD = fileURLToPath(new URL("children/allocation.child.ts", import.meta.url));
const skip = openDatapath().name === "native" ? false : "node:dgram and node:crypto allocate for each packet";

interface Result {
  readonly packets: number;
  /** Numbers that are no small integers, where V8 boxes them to pass them between functions: not our objects. */
  readonly boxedBytesPerPacket: number;
  readonly objectBytesPerPacket: number;
  readonly places: readonly string[];
}

test("100,000 packets between a server and a client are made and taken without an object", { skip }, async (t) => {
  const child = spawn(process.execPath, [CHILD], { stdio: ["ignore", "pipe", "inherit"] });
  const [output] = await Promise.all([text(child.stdout), once(child, "exit")]);
  t.diagnostic(output.trim());
  const { packets, boxedBytesPerPacket, objectBytesPerPacket, places } = JSON.parse(output) as Result;
  assert.ok(packets >= 100_000);
  // The smallest object would be 24 bytes in each packet. Node's timers have some in each wake-up.
  assert.ok(objectBytesPerPacket < 12, places.join("\n"));
  assert.ok(boxedBytesPerPacket < 400, `${boxedBytesPerPacket} bytes of boxed numbers`);
});
