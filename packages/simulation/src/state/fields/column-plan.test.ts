import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { angle, bool, defineFields, enumeration, float, int, StateTable, uint, vec2 } from "../index.ts";
import { createLevels, levelValue, roundToLevel } from "./rounding.ts";
import type { Levels } from "./rounding.ts";

/** Column by column with the rounding of `rounding.ts`: what the plan must give to the bit. */
type Reference = (value: number) => { readonly word: number; readonly value: number };

function levelsReference(levels: Levels): Reference {
  return (value) => {
    const level = roundToLevel(levels, value);
    return { word: level | 0, value: levelValue(levels, level) };
  };
}

function angleReference(count: number): Reference {
  const step = (2 * Math.PI) / count;
  return (value) => {
    const turn = Math.floor(value / step + 0.5);
    const [word] = Int32Array.of(turn - Math.floor(turn / count) * count);
    return { word, value: (word >= count / 2 ? word - count : word) * step };
  };
}

function smallReference(max: number): Reference {
  return (value) => ({ word: Math.min(value, max), value: Math.min(value, max) });
}

const wild = fc.oneof(
  fc.double(),
  fc.double({ min: -1100, max: 1100 }),
  fc.integer({ min: -300, max: 300 }),
  fc.constantFrom(-0, 0, 0.5, -0.5, 2 ** 31, 2 ** 32, Math.PI, -Math.PI, Number.MIN_VALUE),
);
const whole = fc.oneof(fc.integer(), fc.integer({ min: -200, max: 200 }));
const byte = fc.integer({ min: 0, max: 255 });

const definition = defineFields({
  fine: float({ min: -50, max: 50, step: 1 / 512 }),
  decimal: float({ min: -0.3, max: 77.7, step: 0.1 }),
  odd: float({ min: 1 / 3, max: 99.9, step: 0.0123 }),
  huge: float({ min: -1000, max: 1000, step: 2000 / 0xffffffff }),
  unsigned: uint({ bits: 32 }),
  health: uint({ max: 100 }),
  offset: int({ min: -5, max: 100 }),
  wide: int({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  aim: angle({ bits: 10 }),
  exact: angle({ bits: 24 }),
  place: vec2(float({ min: -10, max: 10, step: 0.01 })),
  flag: bool(),
  name: enumeration(["a", "b", "c"]),
});

const references: readonly (readonly [(table: Table) => Storage, fc.Arbitrary<number>, Reference])[] = [
  [(table) => table.columns.fine, wild, levelsReference(createLevels(-50, 50, 1 / 512, ""))],
  [(table) => table.columns.decimal, wild, levelsReference(createLevels(-0.3, 77.7, 0.1, ""))],
  [(table) => table.columns.odd, wild, levelsReference(createLevels(1 / 3, 99.9, 0.0123, ""))],
  [(table) => table.columns.huge, wild, levelsReference(createLevels(-1000, 1000, 2000 / 0xffffffff, ""))],
  [(table) => table.columns.unsigned, wild, levelsReference(createLevels(0, 2 ** 32 - 1, 1, ""))],
  [(table) => table.columns.health, whole, levelsReference(createLevels(0, 100, 1, ""))],
  [(table) => table.columns.offset, whole, levelsReference(createLevels(-5, 100, 1, ""))],
  [(table) => table.columns.wide, whole, levelsReference(createLevels(-(2 ** 31), 2 ** 31 - 1, 1, ""))],
  [(table) => table.columns.aim, wild, angleReference(2 ** 10)],
  [(table) => table.columns.exact, wild, angleReference(2 ** 24)],
  [(table) => table.columns.place.x, wild, levelsReference(createLevels(-10, 10, 0.01, ""))],
  [(table) => table.columns.place.y, wild, levelsReference(createLevels(-10, 10, 0.01, ""))],
  [(table) => table.columns.flag, byte, smallReference(1)],
  [(table) => table.columns.name, byte, smallReference(2)],
];

type Table = StateTable<typeof definition.fields>;
type Storage = Float64Array | Int32Array | Uint8Array;

const rows = fc.array(fc.tuple(...references.map(([, values]) => values)), { minLength: 3, maxLength: 3 });

void test("rows are settled and loaded to the bit as each column by itself would be", () => {
  const table = new StateTable(definition, { capacity: 3 });
  const copy = new StateTable(definition, { capacity: 3 });
  for (let i = 0; i < 3; i++) copy.insert(table.spawn().id, -1);
  fc.assert(
    fc.property(rows, (values) => {
      values.forEach((row, index) => row.forEach((value, i) => (references[i][0](table)[index] = value)));
      table.settle();
      for (let index = 0; index < 3; index++) {
        copy.writeWords(index, table.words, index * table.wordCount);
        references.forEach(([storage, , reference], i) => {
          const expected = reference(values[index][i]);
          assert.ok(Object.is(table.words[index * table.wordCount + i], expected.word), `word ${i}`);
          assert.ok(Object.is(storage(table)[index], expected.value), `value ${i} of ${values[index][i]}`);
          assert.ok(Object.is(storage(copy)[index], expected.value), `loaded ${i}`);
        });
      }
    }),
    { seed: 11, numRuns: 500 },
  );
});

void test("rows that are not simulated keep what was written to them", () => {
  const table = new StateTable(definition, { capacity: 3 });
  for (let i = 0; i < 3; i++) table.spawn();
  table.columns.fine.fill(1 / 3);
  table.simulated[1] = 0;
  table.settle();
  assert.deepEqual([...table.columns.fine], [171 / 512, 1 / 3, 171 / 512]);
});

void test("what is written again is settled again, down to the sign of 0", () => {
  const table = new StateTable(definition, { capacity: 1 });
  const row = table.spawn(-1, { fine: 0, aim: 0, odd: 2 });
  const { odd } = row;
  for (const value of [-0, 0, Number.NaN, -0]) {
    row.fine = row.aim = row.odd = value;
    table.settle();
    assert.ok(Object.is(row.fine, Number.isNaN(value) ? -50 : 0));
    assert.ok(Object.is(row.aim, 0));
    assert.equal(row.odd, 1 / 3);
  }
  row.odd = odd;
  table.settle();
  assert.equal(row.odd, odd);
  assert.equal(table.words[2], 136);
});
