import assert from "node:assert/strict";
import { it } from "node:test";
import { percent, table } from "./table.ts";

it("aligns columns, numbers to the right", () => {
  const text = table(
    ["node", "#players"],
    [
      ["a", "7"],
      ["eu-central-1", "1234"],
    ],
  );
  assert.equal(text, "NODE          PLAYERS\na                   7\neu-central-1     1234");
  assert.equal(table(["a"], []), "A");
  assert.deepEqual([percent(1, 3), percent(0, 0)], ["33 %", "-"]);
});
