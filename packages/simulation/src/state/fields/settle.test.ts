import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { BitReader, BitWriter } from "@riposte/wire";
import * as state from "../index.ts";
import type { Field } from "../index.ts";

/** Numbers of every size and kind, NaN and infinities among them. */
const wild = fc.oneof(fc.double(), fc.double({ min: -100, max: 100 }), fc.integer({ min: -200, max: 200 }));
const vector2 = fc.record({ x: wild, y: wild });
const rotation = fc.oneof(
  fc.record({ x: wild, y: wild, z: wild, w: wild }),
  fc.constantFrom(
    { x: 0.5, y: 0.5, z: 0.5, w: 0.5 },
    { x: -0.5, y: 0.5, z: -0.5, w: 0.5 },
    { x: Math.SQRT1_2, y: Math.SQRT1_2, z: 0, w: 0 },
    { x: 0, y: 0, z: 0, w: 0 },
  ),
  // Near the ties, where which component is largest may change by rounding.
  fc
    .tuple(
      fc.constantFrom(1, -1),
      fc.double({ min: -0.02, max: 0.02, noNaN: true }),
      fc.double({ min: -0.02, max: 0.02, noNaN: true }),
    )
    .map(([sign, a, b]) => ({ x: 0.5 + a, y: sign * (0.5 + b), z: 0.5, w: 0.5 - a })),
);

interface Case<Value> {
  readonly name: string;
  readonly field: Field<Value, unknown>;
  readonly values: fc.Arbitrary<Value>;
}

function fieldCase<Value>(name: string, field: Field<Value, unknown>, values: fc.Arbitrary<Value>): Case<unknown> {
  return { name, field, values };
}

const cases: readonly Case<unknown>[] = [
  fieldCase("uint", state.uint({ max: 100 }), wild),
  fieldCase("uint of 32 bits", state.uint({ bits: 32 }), fc.oneof(wild, fc.double({ min: 0, max: 2 ** 33 }))),
  fieldCase("int", state.int({ min: -5, max: 100 }), wild),
  fieldCase("int of 32 bits", state.int({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.oneof(wild, fc.integer())),
  fieldCase("float", state.float({ min: -50, max: 50, step: 1 / 512 }), wild),
  fieldCase("float, decimal step", state.float({ min: -0.3, max: 77.7, step: 0.1 }), wild),
  fieldCase("float, odd range", state.float({ min: 1 / 3, max: 99.9, step: 0.0123 }), wild),
  fieldCase("float of 32 bits", state.float({ min: -1000, max: 1000, step: 2000 / 0xffffffff }), wild),
  fieldCase("f32", state.f32(), wild),
  fieldCase("angle", state.angle({ bits: 10 }), wild),
  fieldCase("angle, 24 bits", state.angle({ bits: 24 }), wild),
  fieldCase("bool", state.bool(), fc.boolean()),
  fieldCase("enumeration", state.enumeration(["a", "b", "c"]), fc.constantFrom<"a" | "b" | "c">("a", "b", "c")),
  fieldCase("entity", state.entity(), fc.oneof(fc.integer({ min: -2, max: 0x1000001 }), wild)),
  fieldCase("vec2", state.vec2(state.float({ min: -10, max: 10, step: 0.01 })), vector2),
  fieldCase("vec3", state.vec3(state.f32()), fc.record({ x: wild, y: wild, z: wild })),
  fieldCase("quaternion", state.quaternion(), rotation),
  fieldCase("quaternion, 4 bits", state.quaternion({ bits: 4 }), rotation),
  fieldCase("quaternion, 20 bits", state.quaternion({ bits: 20 }), rotation),
  fieldCase(
    "text",
    state.text({ maxBytes: 13 }),
    fc.oneof(fc.string({ maxLength: 20 }), fc.string({ unit: "binary", maxLength: 20 })),
  ),
  fieldCase("bytes", state.bytes({ maxBytes: 9 }), fc.uint8Array({ maxLength: 12 })),
  fieldCase(
    "list",
    state.list(state.float({ min: 0, max: 1, step: 0.1 }), { max: 3 }),
    fc.array(wild, { maxLength: 5 }),
  ),
  fieldCase(
    "list of vec2",
    state.list(state.vec2(state.int({ min: -9, max: 9 })), { max: 3 }),
    fc.array(vector2, { maxLength: 4 }),
  ),
  fieldCase(
    "list of text",
    state.list(state.text({ maxBytes: 5 }), { max: 3 }),
    fc.array(fc.string(), { maxLength: 4 }),
  ),
  fieldCase(
    "list of bytes",
    state.list(state.bytes({ maxBytes: 5 }), { max: 3 }),
    fc.array(fc.uint8Array({ maxLength: 6 }), { maxLength: 4 }),
  ),
];

/** The stored value down to the bit: -0 and 0 differ. */
function same(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || a === null || typeof b !== "object" || b === null) return Object.is(a, b);
  const pairs = Object.entries(a);
  const other = new Map(Object.entries(b));
  return pairs.length === other.size && pairs.every(([name, value]) => same(value, other.get(name)));
}

for (const { name, field, values } of cases) {
  const definition = state.defineFields({ value: field });
  const writer = new BitWriter(new Uint8Array(4096));

  void test(`${name}: settling twice changes nothing, and what is decoded is what was settled, to the bit`, () => {
    const table = new state.StateTable(definition, { capacity: 2 });
    const copy = new state.StateTable(definition, { capacity: 2 });
    const row = table.spawn();
    const index = copy.spawn().index;
    const property = fc.property(values, values, (first, second) => {
      table.assign(row.index, { value: first });
      table.settle();
      const settled = table.copyValues(row.index).value;
      const words = table.words.slice(0, table.wordCount);
      table.settle();
      assert.ok(same(table.copyValues(row.index).value, settled));
      assert.deepEqual(table.words.slice(0, table.wordCount), words);

      // Whole.
      writer.reset(writer.buffer);
      state.encodeRecord(definition, words, 0, undefined, 0, writer);
      assert.ok(!writer.failed);
      const decoded = new Int32Array(table.wordCount);
      const end = writer.finish();
      assert.ok(state.decodeRecord(definition, decoded, 0, undefined, 0, new BitReader(writer.buffer, 0, end)));
      assert.deepEqual(decoded, words);
      copy.writeWords(index, decoded);
      assert.ok(same(copy.copyValues(index).value, settled), "decoded whole");
      copy.settle();
      assert.deepEqual(copy.words.slice(0, table.wordCount), words, "settled again after decoding");

      // Against another value.
      table.assign(row.index, { value: second });
      table.settle();
      const target = table.words.slice(0, table.wordCount);
      writer.reset(writer.buffer);
      state.encodeRecord(definition, target, 0, words, 0, writer);
      const length = writer.bitLength;
      const deltaEnd = writer.finish();
      const reader = new BitReader(writer.buffer, 0, deltaEnd);
      assert.ok(state.decodeRecord(definition, decoded, 0, words, 0, reader));
      assert.equal(reader.bitOffset, length);
      assert.deepEqual(decoded, target);
      copy.writeWords(index, decoded);
      assert.ok(same(copy.copyValues(index).value, table.copyValues(row.index).value), "decoded delta");
    });
    fc.assert(property, { seed: 2, numRuns: 150 });
  });

  void test(`${name}: decoding garbage never throws and gives only settled records`, () => {
    const table = new state.StateTable(definition, { capacity: 1 });
    const index = table.spawn().index;
    const decoded = new Int32Array(table.wordCount);
    const property = fc.property(fc.uint8Array({ maxLength: 64 }), fc.boolean(), (garbage, delta) => {
      const reader = new BitReader(garbage);
      const baseline = delta ? definition.initialWords : undefined;
      if (!state.decodeRecord(definition, decoded, 0, baseline, 0, reader)) {
        assert.ok(reader.failed);
        return;
      }
      table.writeWords(index, decoded);
      const value = table.copyValues(index);
      table.settle();
      assert.ok(same(table.copyValues(index), value));
    });
    fc.assert(property, { seed: 3, numRuns: 150 });
  });
}

void test("a value in reach is rounded to the nearest step, a value out of reach to the end", () => {
  const definition = state.defineFields({
    x: state.float({ min: -50, max: 50, step: 0.25 }),
    health: state.uint({ max: 100 }),
  });
  const table = new state.StateTable(definition);
  const row = table.spawn(-1, { x: 1.3, health: 33.5 });
  assert.deepEqual([row.x, row.health], [1.25, 34]);
  row.x = 1e9;
  row.health -= 60;
  table.settle();
  assert.deepEqual([row.x, row.health], [50, 0]);
  row.x = Number.NaN;
  table.settle();
  assert.equal(row.x, -50);
});
