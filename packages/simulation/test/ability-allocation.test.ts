/** Stepping and using abilities leaves nothing for the garbage collector. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { getHeapStatistics } from "node:v8";
import { AbilityPredictor, StateTable } from "@riposte/simulation";
import { abilityGame, kit } from "./ability-game.ts";

it("allocates nothing per tick", (t) => {
  const { states } = abilityGame([]);
  const table = new StateTable(states.heroes);
  const abilities = new AbilityPredictor(kit, table);
  const rows = [table.spawn(0), table.spawn(1), table.spawn(2), table.spawn(3)];
  for (const row of rows) abilities.reset(row);
  const world = { tick: 0, isServer: true };
  let ticks = 0;
  const run = (count: number): void => {
    for (let i = 0; i < count; i++) {
      world.tick++;
      for (let r = 0; r < rows.length; r++) {
        ticks += abilities.step(rows[r], world).ticks("regrowth");
        abilities.activate(rows[r], "dash", world);
        if (world.tick % 200 < 100) abilities.activate(rows[r], "rifle", world);
        else abilities.activate(rows[r], "mend", world);
      }
    }
  };
  // Until the code is optimised numbers are boxed, and a collection hides what was allocated: one honest stretch is enough.
  let perTick = Infinity;
  for (let i = 0; i < 100 && !(perTick >= 0 && perTick < 4); i++) {
    const before = getHeapStatistics().used_heap_size;
    run(5000);
    perTick = (getHeapStatistics().used_heap_size - before) / 5000;
  }
  t.diagnostic(`${perTick.toFixed(2)} bytes a tick of 4 entities`);
  assert.ok(ticks > 0);
  // One small object for each entity would be 64 bytes and more.
  assert.ok(perTick >= 0 && perTick < 4, `${perTick} bytes a tick`);
});
