import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bytesPerTurn } from "../../test/allocation.ts";
import {
  angle,
  bool,
  defineState,
  enumeration,
  float,
  list,
  quaternion,
  StateTable,
  text,
  uint,
  vec2,
} from "../state/index.ts";
import { RenderReader, RowMirror } from "./index.ts";

const coordinate = float({ min: -100, max: 100, step: 1 / 256 });
const Thing = defineState(
  {
    x: coordinate,
    y: coordinate,
    aim: angle({ bits: 10 }),
    velocity: vec2(coordinate),
    turn: quaternion({ bits: 10 }),
    alight: bool(),
    kind: enumeration(["crate", "barrel"]),
    health: uint({ max: 100 }),
    name: text({ maxBytes: 20 }),
    items: list(uint({ max: 255 }), { max: 4 }),
  },
  { capacity: 32 },
);

function things(count: number): StateTable<(typeof Thing)["fields"]> {
  const table = new StateTable(Thing);
  for (let i = 0; i < count; i++) table.spawn(i, { x: i, y: -i, velocity: { x: i / 2, y: 3 }, name: `thing ${i}` });
  return table;
}

/** Nothing smaller can be allocated in a frame. */
const LEAST_OBJECT_BYTES = 8;

describe("RenderReader", () => {
  it("writes rows one after the other, with their ids", () => {
    const table = things(4);
    table.despawn(1);
    const again = table.spawn(9, { x: 50, alight: true, kind: "barrel" });
    table.despawn(3);
    const reader = new RenderReader(table, ["x", "velocity.y", "alight", "kind", "turn.w"]);
    const target = new Float32Array(32 * reader.stride).fill(-1);
    assert.equal(reader.read(target), 3);
    assert.deepEqual([...target.subarray(0, 16)], [0, 3, 0, 0, 1, 50, 0, 1, 1, 1, 2, 3, 0, 0, 1, -1]);
    assert.deepEqual([...reader.ids.subarray(0, reader.count)], [0, again.id, 2]);
    assert.notEqual(again.id, again.index);
  });

  it("leaves room between rows and before the first", () => {
    const reader = new RenderReader(things(2), ["x", "y"], { stride: 4 });
    const target = new Float32Array(8).fill(7);
    reader.read(target, 2);
    assert.deepEqual([...target], [7, 7, 0, 0, 7, 7, 1, -1]);
  });

  it("names what is wrong", () => {
    const table = things(3);
    // @ts-expect-error: a text is no number
    assert.throws(() => new RenderReader(table, ["name"]), /no column of numbers "name"/);
    // @ts-expect-error: a vector has parts
    assert.throws(() => new RenderReader(table, ["velocity"]), RangeError);
    // @ts-expect-error: there is no such part
    assert.throws(() => new RenderReader(table, ["velocity.z"]), RangeError);
    assert.throws(() => new RenderReader(table, ["x", "y"], { stride: 1 }), /stride/);
    assert.throws(() => new RenderReader(table, ["x"]).read(new Float32Array(2)), /3 rows from 0 on need 3 numbers/);
  });

  it("allocates nothing", async () => {
    const table = things(30);
    const reader = new RenderReader(table, ["x", "y", "aim", "velocity.x"]);
    const target = new Float32Array(200);
    let i = 0;
    const bytes = await bytesPerTurn(5000, () => {
      table.columns.x[i++ % 30] += 0.25;
      reader.read(target);
    });
    assert.ok(bytes < LEAST_OBJECT_BYTES, `${bytes} bytes a frame`);
    // The measure itself sees what is allocated.
    assert.ok((await bytesPerTurn(5000, () => target.subarray(1))) > 20);
  });
});

describe("RowMirror", () => {
  it("keeps objects in step with the rows, and tells births, changes and deaths", () => {
    const table = things(2);
    const told: string[] = [];
    const mirror = new RowMirror(table, {
      added: ({ id }) => told.push(`+${id}`),
      changed: ({ id }) => told.push(`~${id}`),
      removed: ({ id, name }) => told.push(`-${id} ${name}`),
    });
    mirror.sync();
    assert.deepEqual(told.splice(0), ["+0", "+1"]);
    const first = mirror.get(0);
    assert(first !== undefined);
    assert.equal(first.name, "thing 0");
    mirror.sync();
    assert.deepEqual(told.splice(0), []);

    const row = table.rowAt(0);
    row.velocity.y = 4;
    row.kind = "barrel";
    row.items.push(7);
    mirror.sync();
    assert.deepEqual(told.splice(0), ["~0"]);
    assert.equal(mirror.get(0), first);
    assert.deepEqual(first, { id: 0, owner: 0, ...table.copyValues(0) });
    // By itself: it is no view of the table.
    row.velocity.y = 5;
    assert.equal(first.velocity.y, 4);
    mirror.sync();
    assert.deepEqual(told.splice(0), ["~0"]);

    table.setOwner(row, 5);
    mirror.sync();
    assert.deepEqual([told.splice(0), first.owner], [["~0"], 5]);

    // Another entity in the same row is another object.
    table.despawn(0);
    const { id } = table.spawn(3);
    mirror.sync();
    assert.deepEqual(told.splice(0), ["-0 thing 0", `+${id}`]);
    assert.notEqual(mirror.get(id), first);
    assert.deepEqual([...mirror.objects.keys()], [1, id]);
    table.clear();
    mirror.sync();
    assert.equal(mirror.objects.size, 0);
  });

  it("allocates nothing for what only changes", async () => {
    const table = things(30);
    const mirror = new RowMirror(table);
    mirror.sync();
    // Whole numbers: V8 keeps others of an object's properties in boxes of their own, which it makes anew.
    const bytes = await bytesPerTurn(1500, () => {
      table.columns.health[3] = (table.columns.health[3] + 1) % 100;
      mirror.sync();
    });
    assert.ok(bytes < LEAST_OBJECT_BYTES, `${bytes} bytes a frame`);
    assert.equal(mirror.get(3)?.health, table.columns.health[3]);
  });
});
