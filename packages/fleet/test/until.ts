import assert from "node:assert/strict";

const TRY_EVERY_MS = 5;

/** In real time, for tests with processes. Returns how long it took, in ms. */
export async function until(condition: () => boolean | Promise<boolean>, withinMs = 20_000): Promise<number> {
  const started = performance.now();
  while (!(await condition())) {
    assert.ok(performance.now() - started < withinMs, `not within ${withinMs} ms: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, TRY_EVERY_MS));
  }
  return performance.now() - started;
}
