import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { explainMisprediction, readPlayerHistory } from "./index.ts";
import type { InputOrigin, PlayerHistory, PlayerTick } from "./index.ts";

type Told = readonly [tick: number, x: number, right: boolean, origin?: InputOrigin];

function history(...told: readonly Told[]): PlayerHistory {
  const ticks = told.map(([tick, x, right, origin = "received"]): PlayerTick => ({
    tick,
    origin,
    input: { right, aim: 0 },
    entities: { players: [{ id: 7, values: { x, health: tick } }] },
  }));
  return { seat: 1, ticks };
}

describe("explainMisprediction", () => {
  it("finds the first tick at which the two accounts part, not the one that was told", () => {
    const client = history([10, 0, true], [11, 1, true], [12, 2, true], [13, 3, true]);
    const server = history([10, 0, true], [11, 1, true], [12, 1, false, "repeated"], [13, 2, true]);
    const found = explainMisprediction(client, server);
    assert.equal(found?.cause, "input");
    assert.equal(found.tick, 12);
    assert.deepEqual(
      [found.table, found.entity, found.field, found.predicted, found.actual],
      ["players", 7, "x", 2, 1],
    );
    assert.deepEqual(found.input, {
      tick: 12,
      sent: { right: true, aim: 0 },
      used: { right: false, aim: 0 },
      origin: "repeated",
      differs: ["right"],
    });
    assert.match(
      found.text,
      /tick 12: players\[7\]\.x was predicted as 2 and is 1, .* input of tick 12.*repeated.*right/,
    );
  });

  it("names an input that was wrong before anything could be seen of it", () => {
    const client = history([10, 0, true], [11, 0, true], [12, 2, true]);
    const server = history([10, 0, true], [11, 0, false, "neutral"], [12, 1, true]);
    const found = explainMisprediction(client, server);
    assert.deepEqual([found?.cause, found?.tick, found?.input.tick], ["input", 12, 11]);
    const corrected = history([11, 0, true], [12, 2, true]);
    const after = explainMisprediction(corrected, history([11, 0, false, "neutral"], [12, 1, true]));
    assert.deepEqual([after?.cause, after?.input.tick], ["step", 12], "the state of the first tick was taken over");
  });

  it("blames the step when state and input were the same before", () => {
    const found = explainMisprediction(history([10, 0, true], [11, 1, true]), history([10, 0, true], [11, 5, true]));
    assert.deepEqual([found?.cause, found?.tick, found?.input.tick], ["step", 11, 11]);
    assert.match(found?.text ?? "", /same state.*does not know/);
    const early = explainMisprediction(history([11, 1, true]), history([11, 5, true]));
    assert.equal(early?.cause, "unknown");
  });

  it("tells of entities that only one side has, and looks at no other fields than it is told", () => {
    const client = history([10, 0, true]);
    const server: PlayerHistory = { seat: 1, ticks: [{ ...client.ticks[0], entities: { players: [] } }] };
    const found = explainMisprediction(client, server);
    assert.deepEqual([found?.cause, found?.predicted, found?.actual], ["entity", "there", "not there"]);
    const wounded = history([10, 0, true]);
    Object.assign(wounded.ticks[0].entities.players[0].values, { health: 3 });
    assert.equal(explainMisprediction(client, wounded, { players: ["x"] }), undefined);
    assert.equal(explainMisprediction(client, wounded)?.field, "health");
  });

  it("works on files", () => {
    const server = history([10, 0, true], [11, 5, true, "neutral"]);
    assert.deepEqual(readPlayerHistory(JSON.parse(JSON.stringify(server))), server);
    for (const wrong of [null, {}, { seat: 1, ticks: [1] }, { seat: 1, ticks: [{ ...server.ticks[0], origin: "x" }] }])
      assert.equal(readPlayerHistory(wrong), undefined);
  });
});
