/** Engines with a hidden state: a replay takes it back to the tick it begins at, within a limit. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import RAPIER from "@dimforge/rapier2d-deterministic-compat";
import { bool, defineGame, defineInput, defineState, definePhysics, float, StateTable } from "@riposte/simulation";
import type { PhysicsAdapter, PhysicsOptions } from "@riposte/simulation";
import { PhysicsHistory } from "../src/prediction/physics.ts";
import { TestNetwork } from "./link.ts";

const coordinate = float({ min: -500, max: 500, step: 1 / 512 });
const velocity = float({ min: -64, max: 64, step: 1 / 4096 });
const Crate = defineState({ x: coordinate, y: coordinate, vx: velocity, vy: velocity });
const states = { crates: Crate };
const still = { push: false };

/** A toy: crates gain speed by a hidden wind that turns a little at every tick in which it blows. */
class Wind implements PhysicsAdapter {
  phase = 0;
  blows = false;
  readonly #crates: () => Iterable<{ x: number; vx: number }>;
  readonly #padding: number;

  constructor(crates: () => Iterable<{ x: number; vx: number }>, padding = 0) {
    this.#crates = crates;
    this.#padding = padding;
  }

  save(): Uint8Array {
    const bytes = new Uint8Array(8 + this.#padding);
    new DataView(bytes.buffer).setFloat64(0, this.phase);
    return bytes;
  }

  load(saved: Uint8Array): void {
    this.phase = new DataView(saved.buffer, saved.byteOffset).getFloat64(0);
  }

  step(): void {
    if (this.blows) this.phase += 0.1;
    for (const crate of this.#crates()) {
      if (this.blows) crate.vx += Math.sin(this.phase);
      crate.x += crate.vx / 60;
    }
    this.blows = false;
  }
}

function windGame(options: PhysicsOptions & { readonly padding?: number; readonly forgets?: boolean } = {}) {
  const physics = definePhysics(
    states,
    (world) => {
      const wind = new Wind(() => world.crates, options.padding);
      if (options.forgets === true) wind.load = () => {};
      return wind;
    },
    options,
  );
  return defineGame({
    tickRate: 60,
    states,
    input: defineInput({ push: bool() }),
    prediction: { physics },
    join(world, client) {
      world.crates.spawn(client.id);
    },
    step(world, inputs) {
      for (const crate of world.crates) if (inputs.of(crate).push) physics.of(world).blows = true;
    },
  });
}

/** The wind blows, and the server moves the crate now and then: replays go through the hidden state. */
function blow(game: ReturnType<typeof windGame>) {
  const network = new TestNetwork(game);
  const player = network.add({ latencyMs: 100 }, still);
  network.run(1500);
  const crate = network.match.world.crates.firstOwnedBy(player.seat) ?? assert.fail();
  player.input = { push: true };
  for (let i = 0; i < 10; i++) {
    crate.y += 1;
    network.run(150);
  }
  player.input = still;
  network.run(500);
  return player.client.stats.prediction;
}

describe("a physics engine", () => {
  it("is taken back with the fields when ticks are replayed", () => {
    const { mispredictions, physics } = blow(windGame());
    assert.equal(mispredictions, 10, "the server's pushes, and nothing else");
    assert.equal(physics?.missingLoads, 1, "the first state of all");
    assert.ok(physics.savedTicks > 100 && physics.bytes === physics.savedTicks * 8);
    // Without loading, the replays turn the wind too far.
    assert.ok(blow(windGame({ forgets: true })).mispredictions > 15);
  });

  it("is kept within a limit of bytes", () => {
    const small = blow(windGame({ padding: 992, maxSaveBytes: 1000, maxBytes: 20_000 })).physics;
    assert.ok(small !== undefined && small.bytes <= 20_000 && small.savedTicks <= 20);
    const refused = blow(windGame({ padding: 1000, maxSaveBytes: 1000 })).physics;
    assert.ok(refused !== undefined && refused.refusedSaves > 100 && refused.bytes === 0);
    assert.ok(refused.missingLoads > 5);
    assert.throws(() => definePhysics(states, () => new Wind(() => []), { maxSaveBytes: 0 }), RangeError);
    assert.throws(
      () => definePhysics(states, () => new Wind(() => []), { maxSaveBytes: 100, maxBytes: 50 }),
      RangeError,
    );
    const other = definePhysics(states, () => new Wind(() => []));
    assert.throws(() => other.of(new TestNetwork(windGame()).match.world), TypeError);
  });
});

/** Rapier with a pile of crates: the rows are the truth, the engine keeps contacts and warm starts. */
class Pile implements PhysicsAdapter {
  #world = new RAPIER.World({ x: 0, y: -9.81 });
  readonly #table: StateTable<typeof Crate.fields>;
  #bodies = new Map<number, number>();

  constructor(table: StateTable<typeof Crate.fields>) {
    this.#table = table;
    this.#world.timestep = 1 / 60;
    this.#world.createCollider(RAPIER.ColliderDesc.cuboid(50, 1).setTranslation(0, -1));
  }

  save(): Uint8Array {
    return this.#world.takeSnapshot();
  }

  load(saved: Uint8Array): void {
    const { size } = this;
    this.#world.free();
    this.#world = RAPIER.World.restoreSnapshot(saved);
    assert.equal(this.size, size);
  }

  get size(): number {
    return this.#world.bodies.len();
  }

  step(): void {
    for (const row of this.#table) {
      let handle = this.#bodies.get(row.id);
      if (handle === undefined) {
        const body = this.#world.createRigidBody(RAPIER.RigidBodyDesc.dynamic().lockRotations());
        this.#world.createCollider(RAPIER.ColliderDesc.cuboid(0.5, 0.5), body);
        handle = body.handle;
        this.#bodies.set(row.id, handle);
      }
      const body = this.#world.getRigidBody(handle);
      // Rounded as both sides have it; single precision is the engine's own.
      body.setTranslation({ x: row.x, y: row.y }, false);
      body.setLinvel({ x: row.vx, y: row.vy }, false);
    }
    this.#world.step();
    for (const row of this.#table) {
      const body = this.#world.getRigidBody(this.#bodies.get(row.id) ?? 0);
      const { x, y } = body.translation();
      const { x: vx, y: vy } = body.linvel();
      row.x = x;
      row.y = y;
      row.vx = vx;
      row.vy = vy;
    }
    this.#table.settle();
  }
}

await RAPIER.init();

/** Twelve crates for 200 ticks; `replayed`: with corrections that change nothing. */
function fall(replayed: boolean): Int32Array {
  const table = new StateTable(Crate, { capacity: 16 });
  for (let i = 0; i < 12; i++) table.spawn(-1, { x: (i % 4) * 0.9, y: 1 + Math.floor(i / 4) * 1.1 });
  const pile = new Pile(table);
  const definition = definePhysics(states, () => pile);
  const history = new PhysicsHistory(pile, definition, 64);
  const kept: Int32Array[] = [];
  for (let tick = 0; tick < 200; tick++) {
    history.step();
    history.record(tick);
    kept[tick] = table.words.slice();
    if (!replayed || tick % 20 !== 19) continue;
    // A correction: back 15 ticks, and the same again.
    history.load(tick - 15);
    for (let index = 0; index < 12; index++) table.writeWords(index, kept[tick - 15], index * table.wordCount);
    for (let again = tick - 14; again <= tick; again++) {
      history.step();
      history.record(again);
      assert.deepEqual(table.words, kept[again], `tick ${again}`);
    }
  }
  assert.equal(history.stats.missingLoads, 0);
  return table.words;
}

describe("rapier", () => {
  it("goes the same way again after load, byte for byte in the records", () => {
    assert.deepEqual(fall(true), fall(false));
  });

  it("does not, without", () => {
    const table = new StateTable(Crate, { capacity: 16 });
    for (let i = 0; i < 12; i++) table.spawn(-1, { x: (i % 4) * 0.9, y: 1 + Math.floor(i / 4) * 1.1 });
    const pile = new Pile(table);
    const kept: Int32Array[] = [];
    for (let tick = 0; tick < 60; tick++) {
      pile.step();
      kept[tick] = table.words.slice();
    }
    for (let index = 0; index < 12; index++) table.writeWords(index, kept[20], index * table.wordCount);
    let same = true;
    for (let tick = 21; tick < 60; tick++) {
      pile.step();
      if (table.words.some((word, i) => word !== kept[tick][i])) same = false;
    }
    assert.equal(same, false, "the contacts of tick 59 are not those of tick 20");
  });
});
