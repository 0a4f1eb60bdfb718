/** Who is sent when not everybody fits into a snapshot (docs/snapshots.md, "Budget"). */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BitReader, BitWriter } from "@riposte/wire";
import { defineState, float, SnapshotReceiver, SnapshotStream, StateTable, uint } from "../index.ts";

const COUNT = 20;
const SNAPSHOTS = 400;
const coordinate = float({ min: -1000, max: 1000, step: 1 });
const fields = { x: coordinate, y: coordinate, noise: uint({ bits: 32 }) };

/** The nth of a sequence of numbers that compress badly. */
function noise(n: number): number {
  return Math.imul(n + 1, 0x9e3779b1) >>> 0;
}

interface Served {
  /** How often each entity was sent. */
  readonly times: number[];
  /** The longest each had to wait, in snapshots. */
  readonly waits: number[];
}

/** Two states of that many entities at these distances, all of which change all the time, over a line with room for a few. */
function serve(priorities: [number, number], distances: [number, number]): [Served, Served] {
  const [first, second] = priorities.map((priority) => defineState(fields, { capacity: COUNT, priority }));
  const tables = { first: new StateTable(first), second: new StateTable(second) };
  [tables.first, tables.second].forEach((table, i) => {
    for (let n = 0; n < COUNT; n++) table.spawn(-1, { x: distances[i] });
  });
  const stream = new SnapshotStream({ tables, clientId: 0, budgetBytes: 48, relevanceRadius: 500 });
  const receiver = new SnapshotReceiver({ definitions: { first, second } });
  const served = [0, 1].map(() => ({
    times: Array.from({ length: COUNT }, () => 0),
    waits: Array.from({ length: COUNT }, () => 0),
  }));
  const lastAt = served.map(() => Array.from({ length: COUNT }, () => 100));
  const bytes = new Uint8Array(4096);
  for (let tick = 1; tick <= SNAPSHOTS; tick++) {
    for (const table of [tables.first, tables.second]) {
      for (const row of table) row.noise = noise(tick * 64 + row.index);
      table.settle();
    }
    const writer = new BitWriter().reset(bytes);
    assert.ok(stream.write(tick, 0, 0, writer));
    stream.acknowledge(receiver.read(new BitReader().reset(bytes, 0, writer.finish())));
    // The first ones are whole records: everybody has to become known.
    if (tick <= 100) continue;
    [receiver.table("first"), receiver.table("second")].forEach((table, i) => {
      for (let n = 0; n < COUNT; n++) {
        if (table.updatedAt[n] !== tick) continue;
        served[i].times[n]++;
        served[i].waits[n] = Math.max(served[i].waits[n], tick - lastAt[i][n]);
        lastAt[i][n] = tick;
      }
    });
  }
  return [served[0], served[1]];
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

describe("a snapshot that is too small for everything", () => {
  it("serves a state of four times the priority about four times as often", () => {
    const [plain, urgent] = serve([1, 4], [100, 100]);
    const ratio = sum(urgent.times) / sum(plain.times);
    assert.ok(ratio > 3.2 && ratio < 4.8, `${ratio} times`);
    const [a, b] = serve([2, 2], [100, 100]);
    assert.ok(Math.abs(sum(a.times) / sum(b.times) - 1) < 0.1, "the same priority, the same share");
  });

  it("serves what is near more often", () => {
    const [near, far] = serve([1, 1], [10, 400]);
    const ratio = sum(near.times) / sum(far.times);
    assert.ok(ratio > 2 && ratio < 6, `${ratio} times`);
  });

  it("leaves nobody out for ever: claims add up until it is one's turn", () => {
    const [plain, urgent] = serve([1, 4], [400, 10]);
    for (const { times, waits } of [plain, urgent]) {
      const most = Math.max(...times);
      for (let n = 0; n < COUNT; n++) {
        assert.ok(times[n] > most * 0.7, `${n} was sent ${times[n]} times, another ${most} times`);
        assert.ok(waits[n] <= (SNAPSHOTS - 100) / times[n] + 12, `${n} waited for ${waits[n]} snapshots`);
      }
    }
  });
});
