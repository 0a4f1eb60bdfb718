import assert from "node:assert/strict";
import { test } from "node:test";
import {
  angle,
  bool,
  circle,
  defineInput,
  defineState,
  entity,
  enumeration,
  float,
  list,
  StateTable,
  uint,
  vec2,
} from "./index.ts";

const coordinate = float({ min: -50, max: 50, step: 1 / 512 });

void test("a game's types are inferred from its schema", () => {
  const Player = defineState({
    x: coordinate,
    y: coordinate,
    aim: angle({ bits: 10 }),
    health: uint({ max: 100 }),
    weapon: enumeration(["rifle", "bow"]),
    velocity: vec2(float({ min: -20, max: 20, step: 1 / 64 })),
    target: entity(),
    marks: list(uint({ max: 7 }), { max: 4 }),
    alive: bool(),
  });
  const players = new StateTable(Player);
  const row = players.spawn(3, { health: 100, x: 1.5, weapon: "bow", marks: [1, 2] });
  row.x += 1;
  row.velocity.x = 3;
  row.velocity = { x: 4, y: 5 };
  row.alive = true;
  row.marks.push(5);
  row.weapon = "rifle";
  // @ts-expect-error a name that is not declared
  assert.throws(() => (row.weapon = "sword"), RangeError);
  // @ts-expect-error a field that is not declared
  assert.throws(() => players.spawn(0, { nothing: 1 }), RangeError);
  const health: number = row.health;
  const x: Float64Array = players.columns.x;
  const vx: Float64Array = players.columns.velocity.x;
  assert.deepEqual([health, x[0], vx[0], [...row.marks]], [100, 2.5, 4, [1, 2, 5]]);
  const Input = defineInput({ fire: bool(), aim: angle({ bits: 10 }) });
  const inputs = new StateTable(Input, { capacity: 4 });
  const input = inputs.spawn(0, { fire: true });
  const fire: boolean = input.fire;
  assert.equal(fire, true);
});

void test("a definition finds the position and refuses what does not fit", () => {
  assert.deepEqual(defineState({ x: coordinate, y: coordinate }).position, ["x", "y"]);
  assert.deepEqual(defineState({ position: vec2(coordinate) }).position, ["position"]);
  assert.deepEqual(defineState({ x: bool() }).position, []);
  assert.deepEqual(defineState({ a: coordinate, b: coordinate }, { position: ["a", "b"] }).position, ["a", "b"]);
  assert.throws(() => defineState({ a: bool() }, { position: "a" }), RangeError);
  assert.throws(() => defineState({ id: bool() }), RangeError);
  assert.throws(() => defineState({ a: bool() }, { capacity: 65537 }), RangeError);
  assert.throws(() => defineState({ x: float({ min: 0, max: 1, step: 0.1, velocity: "vx" }) }), RangeError);
  assert.throws(() => circle({ radius: 0 }), RangeError);
  assert.throws(() => uint({}), RangeError);
  assert.throws(() => float({ min: 0, max: 1e10, step: 1e-9 }), RangeError);
});
