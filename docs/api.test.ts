import assert from "node:assert/strict";
import { it } from "node:test";
import { apiPage } from "../scripts/api-docs.ts";

it("docs/api.md is what scripts/api-docs.ts makes of the HTTP API: run it after a change", async () => {
  const { current, wanted } = await apiPage();
  assert.equal(current, wanted);
});
