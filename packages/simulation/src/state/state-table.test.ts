import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { angle, defineState, enumeration, float, InterestGrid, list, StateTable, text, uint, vec2 } from "./index.ts";

const coordinate = float({ min: -50, max: 50, step: 1 / 8 });
const Ball = defineState(
  { x: coordinate, y: coordinate, aim: angle({ bits: 8 }), hits: uint({ max: 9 }) },
  { capacity: 8 },
);

void test("rows keep their identity, ids tell generations apart", () => {
  const balls = new StateTable(Ball);
  const first = balls.spawn(4, { x: 1 });
  assert.equal(balls.rowAt(0), first);
  assert.deepEqual([first.id, first.owner, first.index], [0, 4, 0]);
  balls.despawn(first);
  balls.despawn(first);
  assert.equal(balls.count, 0);
  const second = balls.spawn(5);
  assert.equal(second, first);
  assert.equal(second.id, 1 << 16);
  assert.equal(second.x, 0, "a new row starts neutral");
  assert.equal(balls.get(0), undefined);
  assert.equal(balls.get(1 << 16), second);
  for (const id of [-1, 9, 1.5, Number.NaN, 2 ** 24, 2 ** 40]) assert.equal(balls.get(id), undefined, `id ${id}`);
});

void test("spawning takes the lowest free index and throws when there is none", () => {
  const balls = new StateTable(Ball);
  for (let i = 0; i < 8; i++) balls.spawn();
  assert.ok(balls.full);
  assert.throws(() => balls.spawn(), RangeError);
  balls.remove(6);
  balls.remove(2);
  assert.equal(balls.spawn().index, 2);
  assert.equal(balls.spawn().index, 6);
  balls.clear();
  assert.deepEqual([balls.count, balls.highWater], [0, 0]);
});

void test("iteration visits simulated rows, survives despawning, and does not visit what is spawned meanwhile", () => {
  const balls = new StateTable(Ball);
  for (let i = 0; i < 5; i++) balls.spawn(i);
  balls.simulated[1] = 0;
  const seen: number[] = [];
  for (const ball of balls) {
    seen.push(ball.index);
    if (ball.index === 0) {
      balls.remove(3);
      balls.spawn(9);
      balls.spawn(9);
    }
  }
  assert.deepEqual(seen, [0, 2, 4]);
  assert.deepEqual(
    [...balls.all()].map(({ index }) => index),
    [0, 1, 2, 3, 4, 5],
  );
  const pairs: string[] = [];
  for (const a of balls)
    for (const b of balls) if (a.index < b.index && b.index < 4) pairs.push(`${a.index}${b.index}`);
  assert.deepEqual(pairs, ["02", "03", "23"]);
  for (const ball of balls) if (ball.index === 2) break;
  assert.equal([...balls].length, 5);
});

void test("settle rounds simulated rows only, and records change with it only", () => {
  const balls = new StateTable(Ball);
  const own = balls.spawn(0);
  const other = balls.spawn(1);
  balls.simulated[other.index] = 0;
  own.x = 0.3;
  other.x = 0.3;
  const words = new Int32Array(balls.wordCount);
  balls.readWords(own.index, words);
  assert.deepEqual(words, Ball.initialWords);
  const before = balls.version;
  balls.settle();
  assert.ok(balls.version > before);
  assert.deepEqual([own.x, other.x], [0.25, 0.3]);
  balls.readWords(own.index, words);
  assert.equal(words[0], (50 + 0.25) * 8);
});

void test("blending goes the short way around, keeps what steps, and jumps where a field teleports", () => {
  const Ghost = defineState({
    x: coordinate,
    aim: angle({ bits: 8 }),
    place: vec2(coordinate),
    name: text({ maxBytes: 4 }),
    marks: list(uint({ max: 3 }), { max: 2 }),
    lives: uint({ max: 9, teleport: true }),
  });
  const ghosts = new StateTable(Ghost);
  const from = ghosts.spawn(0, { x: 0, aim: Math.PI - 0.2, place: { x: 2, y: 2 }, name: "a", marks: [1] });
  const to = ghosts.spawn(0, { x: 10, aim: -Math.PI + 0.2, place: { x: 4, y: 6 }, name: "b", marks: [2, 3] });
  const drawn = ghosts.spawn();
  const size = ghosts.wordCount;
  const blend = (fraction: number): void =>
    ghosts.blendWords(drawn.index, ghosts.words, from.index * size, ghosts.words, to.index * size, fraction);
  blend(0.5);
  assert.deepEqual([drawn.x, drawn.place.x, drawn.place.y, drawn.name, [...drawn.marks]], [5, 3, 4, "a", [1]]);
  assert.ok(Math.abs(Math.abs(drawn.aim) - Math.PI) < 1e-9);
  blend(1);
  assert.deepEqual([drawn.x, drawn.name, [...drawn.marks]], [10, "b", [2, 3]]);
  to.lives = 1;
  ghosts.settle();
  blend(0.9);
  assert.equal(drawn.x, 0);
  blend(1);
  assert.equal(drawn.x, 10);
});

void test("insert gives a row exactly the id it has elsewhere", () => {
  const balls = new StateTable(Ball);
  const row = balls.insert(3 | (7 << 16), 2);
  assert.deepEqual([row.id, row.owner, balls.highWater], [3 | (7 << 16), 2, 4]);
  assert.equal(balls.insert(3 | (8 << 16), 1).id, 3 | (8 << 16));
  assert.equal(balls.count, 1);
  assert.throws(() => balls.insert(8, 0), RangeError);
});

void test("the grid marks every row in the circle, whatever has moved since", () => {
  const Dot = defineState({ x: coordinate, y: coordinate }, { capacity: 64 });
  const spot = fc.record({
    x: fc.double({ min: -50, max: 50, noNaN: true }),
    y: fc.double({ min: -50, max: 50, noNaN: true }),
  });
  const property = fc.property(
    fc.array(spot, { maxLength: 64 }),
    fc.array(fc.tuple(spot, fc.double({ min: 0.1, max: 80, noNaN: true }), fc.nat(63)), { maxLength: 6 }),
    fc.double({ min: 0.5, max: 30, noNaN: true }),
    (spots, queries, cellSize) => {
      const dots = new StateTable(Dot);
      for (const values of spots) dots.spawn(-1, values);
      const grid = new InterestGrid({ cellSize });
      for (const [centre, radius, moved] of queries) {
        dots.remove(moved);
        const marks = new Uint8Array(dots.capacity);
        grid.mark(dots, centre.x, centre.y, radius, marks);
        for (const dot of dots) {
          if (Math.hypot(dot.x - centre.x, dot.y - centre.y) <= radius) assert.equal(marks[dot.index], 1);
        }
        for (let index = 0; index < dots.capacity; index++) if (marks[index] === 1) assert.equal(dots.alive[index], 1);
      }
    },
  );
  fc.assert(property, { seed: 8, numRuns: 100 });
});

void test("the grid does leave out most of what is far away", () => {
  const Dot = defineState({ x: coordinate, y: coordinate }, { capacity: 1024 });
  const dots = new StateTable(Dot);
  for (let i = 0; i < 1024; i++) dots.spawn(-1, { x: (i % 32) * 3 - 48, y: Math.floor(i / 32) * 3 - 48 });
  const marks = new Uint8Array(1024);
  new InterestGrid({ cellSize: 6 }).mark(dots, 0, 0, 9, marks);
  const marked = marks.reduce((sum, mark) => sum + mark, 0);
  assert.ok(marked >= 29 && marked < 200, `${marked}`);
});

void test("a row whose first values are refused is not there", () => {
  const table = new StateTable(defineState({ kind: enumeration(["wood", "iron"]) }, { capacity: 1 }));
  const wrong: Record<string, unknown> = { kind: "gold" };
  for (let i = 0; i < 3; i++) assert.throws(() => table.spawn(0, wrong), /"gold" is not one of/);
  assert.equal(table.count, 0);
  assert.equal(table.spawn(0, { kind: "iron" }).kind, "iron");
});

void test("a list takes out what there is, and nothing else", () => {
  const bags = new StateTable(
    defineState({ marks: list(uint({ max: 9 }), { max: 4 }), places: list(vec2(coordinate), { max: 3 }) }),
  );
  const bag = bags.spawn(0, {
    marks: [1, 2, 3],
    places: [
      { x: 1, y: 1 },
      { x: 2, y: 2 },
      { x: 3, y: 3 },
    ],
  });
  for (const index of [-1, 3, 0.5, Number.NaN]) assert.throws(() => bag.marks.removeAt(index), RangeError);
  assert.deepEqual([...bag.marks], [1, 2, 3]);
  bag.marks.removeAt(1);
  assert.deepEqual([...bag.marks], [1, 3]);
  bag.places.removeAt(0);
  assert.deepEqual(
    Array.from(bag.places, ({ x, y }) => [x, y]),
    [
      [2, 2],
      [3, 3],
    ],
  );
  assert.equal(bag.marks.push(4), true);
  assert.deepEqual([...bag.marks], [1, 3, 4]);
});
