/** The bridge with the library it was made for. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { addComponent, addEntity, createWorld, query, removeEntity } from "bitecs";
import { bytesPerTurn } from "../../test/allocation.ts";
import { checkDeterminism } from "../determinism/index.ts";
import { defineGame } from "../game/index.ts";
import { bool, defineInput, defineState, float, StateTable, uint, vec2 } from "../state/index.ts";
import { EcsBridge } from "./index.ts";

const coordinate = float({ min: -100, max: 100, step: 1 / 256 });
const Body = defineState(
  { x: coordinate, y: coordinate, velocity: vec2(coordinate), heat: uint({ max: 100 }) },
  { capacity: 64 },
);
type BodyFields = (typeof Body)["fields"];

/** A bitecs world tied to a table. */
function tie(table: StateTable<BodyFields>) {
  const Position = { x: [] as number[], y: [] as number[] };
  const Velocity = { x: new Float32Array(1000), y: new Float32Array(1000) };
  const ecs = createWorld();
  const gone: number[] = [];
  const bridge = new EcsBridge(table, {
    columns: { x: Position.x, y: Position.y, "velocity.x": Velocity.x, "velocity.y": Velocity.y },
    added: () => {
      const entity = addEntity(ecs);
      addComponent(ecs, entity, Position);
      addComponent(ecs, entity, Velocity);
      return entity;
    },
    removed: (entity, id) => {
      gone.push(id);
      removeEntity(ecs, entity);
    },
  });
  /** A system as users of bitecs write it. */
  const move = (): void => {
    for (const entity of query(ecs, [Position, Velocity])) {
      Position.x[entity] += Velocity.x[entity] * 0.5;
      Position.y[entity] += Velocity.y[entity] * 0.5;
    }
  };
  return { bridge, ecs, Position, Velocity, move, gone };
}

describe("EcsBridge with bitecs", () => {
  it("makes entities of rows, lets systems work on them and takes the results back", () => {
    const table = new StateTable(Body);
    const a = table.spawn(0, { x: 1, y: 2, velocity: { x: 4, y: -2 } });
    const b = table.spawn(1, { x: 10, velocity: { x: 1, y: 0 } });
    const { bridge, ecs, Position, Velocity, move, gone } = tie(table);
    assert.equal(bridge.pull(), 2);
    assert.equal(query(ecs, [Position, Velocity]).length, 2);
    const entity = bridge.entityOf(a.id);
    assert.deepEqual([Position.x[entity], Position.y[entity], Velocity.x[entity]], [1, 2, 4]);
    assert.equal(bridge.rowOf(entity), a);

    move();
    bridge.push();
    table.settle();
    assert.deepEqual([a.x, a.y, b.x], [3, 1, 10.5]);

    const { id } = b;
    table.despawn(b);
    const c = table.spawn(2, { x: -5 });
    assert.equal(c.index, 1);
    bridge.push();
    assert.equal(c.x, -5, "what another entity left behind is not written to a new row");
    bridge.pull();
    assert.deepEqual(gone, [id]);
    assert.equal(bridge.entityOf(id), -1);
    assert.equal(Position.x[bridge.entityOf(c.id)], -5);
    assert.equal(query(ecs, [Position]).length, 2);
  });

  it("makes rows of entities that began in the library", () => {
    const table = new StateTable(Body);
    const { bridge, ecs, Position, Velocity, gone } = tie(table);
    const entity = addEntity(ecs);
    addComponent(ecs, entity, Position);
    Position.x[entity] = 7;
    Position.y[entity] = 0;
    Velocity.x[entity] = 0.1;
    const row = bridge.attach(entity, 3);
    assert.deepEqual([row.x, row.owner, row.velocity.x], [7, 3, 0.1015625], "settled");
    assert.equal(bridge.pull(), 1);
    assert.equal(bridge.entityOf(row.id), entity);
    bridge.detach(entity);
    assert.deepEqual([table.count, gone, bridge.rowOf(entity)], [0, [], undefined]);
    bridge.detach(entity);
  });

  it("does not write to rows that are not simulated here", () => {
    const table = new StateTable(Body);
    const row = table.spawn(0, { x: 1, velocity: { x: 4, y: 0 } });
    const { bridge, move } = tie(table);
    bridge.pull();
    table.simulated[row.index] = 0;
    move();
    bridge.push();
    assert.equal(row.x, 1);
  });

  it("names an entity that is none and a column that is none", () => {
    const table = new StateTable(Body);
    table.spawn();
    const bridge = new EcsBridge(table, { columns: {}, added: () => -1 });
    assert.throws(() => bridge.pull(), /entity must be an integer from 0 to \d+, got -1/);
    // @ts-expect-error: there is no such field
    assert.throws(() => new EcsBridge(table, { columns: { z: [] }, added: () => 0 }), /"z"/);
  });

  it("can be a game's whole step: predicted, saved and put back like any other", () => {
    const tied = new WeakMap<object, ReturnType<typeof tie>>();
    const game = defineGame({
      tickRate: 60,
      states: { bodies: Body },
      input: defineInput({ push: bool() }),
      join(world, client) {
        world.bodies.spawn(client.id, { x: client.id });
      },
      step(world, inputs) {
        let systems = tied.get(world);
        if (systems === undefined) tied.set(world, (systems = tie(world.bodies)));
        for (const body of world.bodies) {
          if (inputs.of(body).push) body.velocity.x += 0.25;
          if (body.x > 50) world.bodies.despawn(body);
        }
        if (world.tick % 20 === 0 && !world.bodies.full) world.bodies.spawn(-1, { velocity: { x: 1, y: 2 } });
        systems.bridge.pull();
        systems.move();
        systems.bridge.push();
      },
    });
    const report = checkDeterminism(game, { ticks: 200 });
    assert.deepEqual(report.problems, []);
    assert.ok(new Set(report.checkpoints.map(({ checksum }) => checksum)).size > 1);
  });

  it("allocates nothing while entities only move", async () => {
    const table = new StateTable(Body);
    for (let i = 0; i < 50; i++) table.spawn(i, { velocity: { x: 1, y: 1 } });
    const { bridge, Velocity } = tie(table);
    bridge.pull();
    const bytes = await bytesPerTurn(6000, () => {
      Velocity.x[bridge.entityOf(0)] *= -1;
      bridge.push();
      bridge.pull();
    });
    assert.ok(bytes < 8, `${bytes} bytes a frame`);
  });
});
