import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { BitReader, BitWriter } from "@riposte/wire";
import {
  defineState,
  float,
  schemaHash,
  SharedSnapshots,
  SnapshotReceiver,
  SnapshotStream,
  StateTable,
  uint,
} from "../index.ts";

/** The worked example of docs/snapshots.md: what the page shows is what the code sends. */
const Ship = defineState({
  x: float({ min: 0, max: 100, step: 0.25, velocity: "speed" }),
  speed: float({ min: -8, max: 8, step: 0.5 }),
  hull: uint({ max: 3 }),
  fuel: uint({ max: 100, audience: "owner" }),
});

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

/** Three snapshots to the owner of one of two ships. */
function send(encoder: "dense" | "shared"): string[] {
  const ships = new StateTable(Ship);
  const own = ships.spawn(4, { x: 10, hull: 3, fuel: 90 });
  const other = ships.spawn(9, { x: 50, speed: 6, hull: 3, fuel: 80 });
  const tables = { ships };
  const shared = encoder === "shared" ? { shared: new SharedSnapshots({ tables }) } : {};
  const stream = new SnapshotStream({ tables, clientId: 4, tickRate: 60, ...shared });
  const receiver = new SnapshotReceiver({ definitions: { ships: Ship }, clientId: 4, tickRate: 60 });
  const buffer = new Uint8Array(100);
  const sent: string[] = [];
  const next = (tick: number): void => {
    const writer = new BitWriter(buffer);
    assert.ok(stream.write(tick, 0, 0, writer));
    const end = writer.finish();
    sent.push(hex(buffer.subarray(0, end)));
    stream.acknowledge(receiver.read(new BitReader(buffer, 0, end)));
  };
  next(600);
  own.fuel = 85;
  other.x += 0.25;
  ships.settle();
  next(602);
  next(604);
  assert.deepEqual([receiver.table("ships").count, receiver.newestTick], [2, 604]);
  return sent;
}

void test("the worked examples in docs/snapshots.md are what is sent", () => {
  const page = readFileSync(new URL("../../../../../docs/snapshots.md", import.meta.url), "utf8");
  const shown = [...page.matchAll(/^ {4}bytes: (.*)$/gm)].map(([, bytes]) => bytes);
  assert.deepEqual([...send("dense"), ...send("shared")], shown);
  assert.ok(page.includes(`schema hash: ${hex(schemaHash(Ship))}`), hex(schemaHash(Ship)));
});
